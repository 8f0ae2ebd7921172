//! Starts the gateway as its users do, and finds out where it listens.

mod emulator;
mod log;
mod native;

use std::{
    path::{Path, PathBuf},
    process::{ExitStatus, Output, Stdio},
    time::Duration,
};

use reqwest::{Client, Method, RequestBuilder};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::{sleep, timeout},
};

pub(crate) use self::{emulator::Emulator, log::Log, native::Native};

/// How long anything may take before a test gives up on it.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running gateway, killed when it is dropped.
pub(crate) struct Gateway {
    /// Where it listens.
    pub(crate) url: String,
    child: Child,
    client: Client,
    log: Log,
}

impl Gateway {
    /// Starts the gateway at a free port and waits until it says where it is.
    pub(crate) async fn start(arguments: &[&str]) -> Self {
        let mut child = command(arguments)
            .args(["--port", "0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let log = Log::of(child.stderr.take().unwrap());
        let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        let banner = timeout(PATIENCE, stdout.next_line()).await.expect("no banner").unwrap();
        let banner = banner.unwrap_or_else(|| log.text());
        let url = banner.split_whitespace().find(|word| word.starts_with("http://"));
        let url = url.unwrap_or_else(|| panic!("no address in {banner:?}")).to_owned();
        Self { url, child, client: Client::new(), log }
    }

    /// A request to a path of the API.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    /// A GET request to a path of the API.
    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    /// Waits until a line with this text has been logged.
    pub(crate) async fn logged(&self, text: &str) -> String {
        let line = || self.log.text().lines().find(|line| line.contains(text)).map(str::to_owned);
        until(|| line().is_some()).await;
        line().unwrap()
    }

    /// From now on the log must not hold this; it is looked at when the gateway ends.
    pub(crate) fn keep_secret(&self, secret: &str) {
        self.log.keep_secret(secret);
    }

    /// The gateway's process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// All that has been logged.
    pub(crate) fn log(&self) -> String {
        self.log.text()
    }

    /// Sends a signal, such as `INT`.
    pub(crate) fn signal(&self, name: &str) {
        signal(&self.pid().to_string(), name);
    }

    /// Waits until the gateway has ended.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        timeout(PATIENCE, self.child.wait()).await.expect("it still runs").unwrap()
    }
}

/// Runs the tool to its end.
pub(crate) async fn run(arguments: &[&str]) -> Output {
    timeout(PATIENCE, command(arguments).output()).await.expect("it still runs").unwrap()
}

/// The folder in which cargo puts the workspace's programs.
pub(crate) fn binaries() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_bank-local")).parent().unwrap()
}

/// The folder in which cargo puts this package's examples.
pub(crate) fn examples() -> PathBuf {
    binaries().join("examples")
}

/// Waits for a condition.
pub(crate) async fn until(condition: impl Fn() -> bool) {
    let waiting = async {
        while !condition() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, waiting).await.expect("it never came true");
}

/// Sends a signal to a process by its number.
pub(crate) fn signal(pid: &str, name: &str) {
    assert!(try_signal(pid, name), "kill -{name} {pid}");
}

/// The same to a process that may have ended by now; whether it had not.
pub(crate) fn try_signal(pid: &str, name: &str) -> bool {
    let status = std::process::Command::new("kill").args([&format!("-{name}"), pid]).status();
    status.unwrap().success()
}

/// Whether a process runs; one that only waits to be buried does not.
pub(crate) fn runs(pid: &str) -> bool {
    let state = std::process::Command::new("ps").args(["-o", "stat=", "-p", pid]).output().unwrap();
    let state = String::from_utf8(state.stdout).unwrap();
    !state.is_empty() && !state.starts_with('Z')
}

/// The tool with these arguments.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bank-local"));
    command.args(arguments).stdin(Stdio::null());
    command
}
