//! What has to be known to start a function's process, its environment above all.

use std::{
    collections::BTreeMap,
    env,
    path::{Path, PathBuf},
    time::Duration,
};

use thiserror::Error;

use crate::template::{Function, REGION, TemplateError};

/// Variables of the user's own that a function gets to see; everything else stays outside.
const PASSED_ON: [&str; 2] = ["PATH", "RUST_BACKTRACE"];

/// The variable that names what plays AWS.
pub(crate) const AWS_ENDPOINT_URL: &str = "AWS_ENDPOINT_URL";
/// Both halves of the credentials, which nobody checks.
pub(crate) const DUMMY_KEY: &str = "local";

/// A function as the process pool needs it.
#[derive(Debug)]
pub(crate) struct FunctionSpec {
    /// The binary's name.
    pub(crate) name: String,
    /// Where the binary is.
    pub(crate) binary: PathBuf,
    /// Every variable that says how it is set, wherever it runs.
    pub(crate) environment: BTreeMap<String, String>,
    /// The variables that say it is on Lambda, except the address of its Runtime API. The others win.
    pub(crate) lambda_environment: BTreeMap<String, String>,
    /// How long one invocation may take.
    pub(crate) timeout: Duration,
    /// The most processes at a time.
    pub(crate) max_processes: usize,
}

/// What holds for every function.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Common<'a> {
    /// Where the binaries are.
    pub(crate) binaries: &'a Path,
    /// Variables besides the template's, over which they win.
    pub(crate) environment: &'a [(String, String)],
    /// Where the API answers, such as `http://127.0.0.1:8080`.
    pub(crate) api_url: &'a str,
    /// Where AWS, or what plays it, answers.
    pub(crate) aws_endpoint: &'a str,
    /// The most processes of one function.
    pub(crate) max_processes: usize,
}

/// A function that has not been built.
#[derive(Debug, Error)]
#[error(
    "function {name} has no binary at {}: build it (cargo build --workspace) or pass --functions",
    binary.display()
)]
pub(crate) struct MissingBinary {
    name: String,
    binary: PathBuf,
}

impl FunctionSpec {
    /// Takes over what the template says. That the binary exists is asked of [`Self::built`].
    pub(crate) fn new(function: &Function<'_>, common: Common<'_>) -> Result<Self, TemplateError> {
        let max_processes =
            function.reserved_concurrency.unwrap_or(usize::MAX).min(common.max_processes);
        let mut environment = outer_variables();
        environment.extend(function.logging()?);
        environment.extend(aws_variables(common.aws_endpoint));
        environment.extend(function.environment(common.api_url)?);
        environment.extend(common.environment.iter().cloned());
        // Whoever was asked for it, nobody gets past it to the real one.
        environment.insert(AWS_ENDPOINT_URL.to_owned(), common.aws_endpoint.to_owned());
        Ok(Self {
            name: function.name.clone(),
            binary: common.binaries.join(format!("{}{}", function.name, env::consts::EXE_SUFFIX)),
            environment,
            lambda_environment: lambda_variables(function),
            timeout: Duration::from_secs(function.timeout_secs),
            max_processes,
        })
    }

    /// The function, if its binary is there.
    pub(crate) fn built(self) -> Result<Self, MissingBinary> {
        if self.binary.is_file() {
            Ok(self)
        } else {
            Err(MissingBinary { name: self.name, binary: self.binary })
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "these are not settings: they are only handed on")]
fn outer_variables() -> BTreeMap<String, String> {
    let passed_on =
        PASSED_ON.iter().filter_map(|name| Some(((*name).to_owned(), env::var(name).ok()?)));
    passed_on.chain([("TZ".to_owned(), "UTC".to_owned())]).collect()
}

/// The variables with which the SDK finds what plays AWS here, and never the real one.
pub(crate) fn aws_variables(endpoint: &str) -> BTreeMap<String, String> {
    [
        (AWS_ENDPOINT_URL, endpoint),
        ("AWS_REGION", REGION),
        ("AWS_DEFAULT_REGION", REGION),
        ("AWS_ACCESS_KEY_ID", DUMMY_KEY),
        ("AWS_SECRET_ACCESS_KEY", DUMMY_KEY),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

/// The variables that Lambda itself sets.
fn lambda_variables(function: &Function<'_>) -> BTreeMap<String, String> {
    let memory_mb = function.memory_mb.to_string();
    let log_group = format!("/aws/lambda/{}", function.name);
    [
        ("AWS_LAMBDA_FUNCTION_NAME", function.name.as_str()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &memory_mb),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_FORMAT", "Text"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", &log_group),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "local"),
        ("AWS_EXECUTION_ENV", "AWS_Lambda_provided.al2023"),
        ("LAMBDA_TASK_ROOT", "/var/task"),
        ("_HANDLER", "bootstrap"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}
