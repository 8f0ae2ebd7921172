//! AWS's emulator of the Lambda runtime, which is a process for each function.

use std::{
    env::consts::ARCH,
    fs,
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::LazyLock,
    time::Duration,
};

use serde_json::Value;
use serde_yaml_ng::Value as Yaml;
use tokio::process::Child;
use uuid::Uuid;

use super::artefact;
use crate::{
    bank::people::own_address,
    support::{Log, command, until},
};

/// Where each emulator listens, at an address of its own.
const PORT: u16 = 8080;
const RUNTIME_API_PORT: u16 = 9001;
/// More than any function may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// Lambda's answer.
#[derive(Debug)]
pub(super) struct Invoked {
    pub(super) status: u16,
    pub(super) body: String,
}

impl Invoked {
    pub(super) fn json(&self) -> Value {
        assert_eq!(self.status, 200, "{self:?}");
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }
}

/// A function under the emulator, killed when it is dropped.
pub(super) struct Emulated {
    url: String,
    child: Child,
    log: Log,
}

impl Emulated {
    /// Starts the emulator, which starts the function when it is first invoked. `arguments` are those with
    /// which `bank-local` would run it.
    pub(super) async fn start(arguments: &[String], function: &str) -> Self {
        let template = arguments.iter().find_map(|argument| argument.strip_prefix("--template="));
        let timeout_secs = timeout_secs(template.unwrap(), function);
        Self::start_with(arguments, function, timeout_secs).await
    }

    /// With another limit than the template's.
    pub(super) async fn start_with(
        arguments: &[String],
        function: &str,
        timeout_secs: u64,
    ) -> Self {
        let address = own_address();
        let script = format!(
            "#!/bin/sh\n\
             export AWS_LAMBDA_FUNCTION_NAME={function} AWS_LAMBDA_FUNCTION_TIMEOUT={timeout_secs}\n\
             exec '{}' --runtime-interface-emulator-address {address}:{PORT} \
             --runtime-api-address {address}:{RUNTIME_API_PORT} '{}' 2>&1\n",
            EMULATOR.display(),
            artefact(function).display(),
        );
        let folder = in_place_of(function, &script);
        let arguments: Vec<&str> = arguments
            .iter()
            .map(String::as_str)
            .filter(|argument| !argument.starts_with("--functions="))
            .collect();
        let mut child = command(&arguments)
            .args(["--functions", folder.to_str().unwrap(), "exec", function])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let log = Log::of(child.stdout.take().unwrap());
        until(|| TcpStream::connect((address, PORT)).is_ok()).await;
        Self { url: format!("http://{address}:{PORT}"), child, log }
    }

    /// One call. The emulator ends at two at a time, which exclusive access rules out.
    pub(super) async fn invoke(&mut self, event: &Value) -> Invoked {
        let url = format!("{}/2015-03-31/functions/function/invocations", self.url);
        let call = reqwest::Client::new().post(url).body(event.to_string()).timeout(PATIENCE);
        let answer = call.send().await.unwrap_or_else(|error| panic!("{error}: {}", self.log()));
        Invoked { status: answer.status().as_u16(), body: answer.text().await.unwrap() }
    }

    /// The function's process, if it runs.
    pub(super) fn function_pid(&self) -> Option<String> {
        let emulator = self.child.id().unwrap().to_string();
        let output = Command::new("ps").args(["-o", "pid=", "--ppid", &emulator]).output().unwrap();
        let pids = String::from_utf8(output.stdout).unwrap();
        pids.split_whitespace().next().map(str::to_owned)
    }

    /// What the emulator and the function have said.
    pub(super) fn log(&self) -> String {
        self.log.text()
    }

    /// From now on the log must not hold this.
    pub(super) fn keep_secret(&self, secret: &str) {
        self.log.keep_secret(secret);
    }
}

/// `bank-local exec` becomes a function's program with all that the template gives the function: this
/// folder has a script in the program's place.
fn in_place_of(function: &str, script: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(Uuid::new_v4().to_string());
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join(function);
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

static EMULATOR: LazyLock<PathBuf> = LazyLock::new(|| {
    let script = "import os, samcli; print(os.path.dirname(samcli.__file__))";
    let output = Command::new("python3").args(["-c", script]).output().unwrap();
    assert!(output.status.success(), "the SAM CLI: run the tests by `make test`");
    let package = String::from_utf8(output.stdout).unwrap();
    let architecture = if ARCH == "aarch64" { "arm64" } else { ARCH };
    let name = format!("aws-lambda-rie-{architecture}");
    Path::new(package.trim()).join("local/rapid").join(name)
});

/// How long the template lets a call of the function take.
fn timeout_secs(template: &str, function: &str) -> u64 {
    let template: Yaml = serde_yaml_ng::from_str(&fs::read_to_string(template).unwrap()).unwrap();
    let code = format!("target/lambda/{function}/");
    let mut resources = template["Resources"].as_mapping().unwrap().values();
    let resource = resources.find(|resource| resource["Properties"]["CodeUri"] == code.as_str());
    let own = &resource.unwrap()["Properties"]["Timeout"];
    own.as_u64().or_else(|| template["Globals"]["Function"]["Timeout"].as_u64()).unwrap()
}
