//! One process of a function: it is started, given one invocation after the other, and ended.

use std::{
    process::{ExitStatus, Stdio},
    time::{Duration, Instant},
};

use axum::body::Bytes;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, Command},
    select,
    sync::oneshot,
    time::sleep,
};

use super::{
    FunctionError, FunctionSpec, InvokeError,
    report::peak_memory_kib,
    runtime_api::{Mailbox, RuntimeApi, RuntimeCall, Work},
};
use crate::console;

/// How long a process may take until it first asks for work, as in Lambda.
const INIT_LIMIT: Duration = Duration::from_secs(10);
/// For how long it is good to know how much memory a process has had: asking for every invocation would be an
/// eighth of the gateway's work.
const PEAK_IS_FRESH: Duration = Duration::from_millis(100);

/// A running process. Dropping it kills it.
pub(super) struct Process {
    child: Child,
    mailbox: Mailbox,
    /// The long poll that waits for the next invocation, once it has come.
    poll: Option<oneshot::Sender<Work>>,
    /// The most memory that it had had when that was asked last.
    peak: Option<(Instant, u64)>,
    /// How long it took to start.
    pub(super) init: Duration,
    /// Since when it has had nothing to do.
    pub(super) idle_since: Instant,
}

/// How an invocation by one process ended.
pub(super) enum Ending {
    /// The process is ready for another one.
    Alive(Result<Bytes, InvokeError>),
    /// The process is of no more use.
    Dead(InvokeError),
    /// The process was gone before it took the invocation, which may be given to another one.
    NotTaken(InvokeError),
}

impl Process {
    /// Starts a process and waits until it asks for work.
    pub(super) async fn start(spec: &FunctionSpec, api: &RuntimeApi) -> Result<Self, InvokeError> {
        let started = Instant::now();
        let mut mailbox = api.open_mailbox();
        let mut child = spawn(spec, &mailbox.address())
            .map_err(|error| failure("Runtime.InvalidEntrypoint", error.to_string()))?;
        let poll = select! {
            biased;
            call = mailbox.next() => match call {
                RuntimeCall::Next(poll) => poll,
                RuntimeCall::InitError(body) => return Err(InvokeError::Function(parse(&body))),
                RuntimeCall::Response { .. } | RuntimeCall::Error { .. } => {
                    return Err(failure("Runtime.InitError", "it answered before it was asked"));
                }
            },
            status = child.wait() => return Err(exited(status.ok())),
            () = sleep(INIT_LIMIT) => {
                let secs = INIT_LIMIT.as_secs();
                return Err(failure("Sandbox.Timedout", format!("Init timed out after {secs} s")));
            }
        };
        let (init, idle_since) = (started.elapsed(), Instant::now());
        Ok(Self { child, mailbox, poll: Some(poll), peak: None, init, idle_since })
    }

    /// Gives the process an invocation and waits for its answer, its end or the time-out.
    pub(super) async fn invoke(&mut self, work: Work, limit: Duration) -> Ending {
        let request_id = work.request_id.clone();
        let mut untaken = self.offer(work);
        let out_of_time = sleep(limit);
        tokio::pin!(out_of_time);
        loop {
            select! {
                biased;
                call = self.mailbox.next() => match call {
                    RuntimeCall::Next(poll) => {
                        self.poll = Some(poll);
                        untaken = untaken.and_then(|work| self.offer(work));
                    }
                    RuntimeCall::Response { request_id: id, body } if id == request_id => {
                        return Ending::Alive(Ok(body));
                    }
                    RuntimeCall::Error { request_id: id, body } if id == request_id => {
                        return Ending::Alive(Err(InvokeError::Function(parse(&body))));
                    }
                    // A late word about an earlier invocation.
                    RuntimeCall::Response { .. }
                    | RuntimeCall::Error { .. }
                    | RuntimeCall::InitError(_) => {}
                },
                status = self.child.wait() => {
                    let error = exited(status.ok());
                    return match untaken {
                        Some(_) => Ending::NotTaken(error),
                        None => Ending::Dead(error),
                    };
                }
                () = &mut out_of_time => {
                    // The process is about to be dropped in any case.
                    let _ = self.child.kill().await;
                    return Ending::Dead(timed_out(limit));
                }
            }
        }
    }

    /// Whether it still runs, as far as the operating system knows.
    pub(super) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// The most memory that it has had, up to a moment ago.
    pub(super) fn peak_memory_kib(&mut self) -> Option<u64> {
        if self.peak.is_none_or(|(asked, _)| asked.elapsed() > PEAK_IS_FRESH) {
            let peak = self.child.id().and_then(peak_memory_kib);
            self.peak = peak.map(|kib| (Instant::now(), kib));
        }
        self.peak.map(|(_, kib)| kib)
    }

    /// Hands the work to the long poll that waits, or gives it back if none does.
    fn offer(&mut self, work: Work) -> Option<Work> {
        match self.poll.take() {
            Some(poll) => poll.send(work).err(),
            None => Some(work),
        }
    }
}

fn spawn(spec: &FunctionSpec, runtime_api: &str) -> std::io::Result<Child> {
    let mut command = Command::new(&spec.binary);
    command
        .env_clear()
        .envs(&spec.lambda_environment)
        .envs(&spec.environment)
        .env("AWS_LAMBDA_RUNTIME_API", runtime_api)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    // Ctrl-C in a terminal reaches the whole process group: in a group of its own, a function can
    // finish what it has begun.
    #[cfg(unix)]
    command.process_group(0);
    let mut child = command.spawn()?;
    if let Some(output) = child.stdout.take() {
        pass_on(spec.name.clone(), output);
    }
    if let Some(output) = child.stderr.take() {
        pass_on(spec.name.clone(), output);
    }
    Ok(child)
}

/// Shows each line that a function writes, under its name.
fn pass_on(name: String, output: impl AsyncRead + Send + Unpin + 'static) {
    tokio::spawn(async move {
        let mut lines = BufReader::new(output).split(b'\n');
        while let Ok(Some(line)) = lines.next_segment().await {
            console::log(&format!("[{name}] {}", String::from_utf8_lossy(&line)));
        }
    });
}

fn failure(kind: &str, message: impl Into<String>) -> InvokeError {
    let (error_type, error_message) = (kind.to_owned(), message.into());
    InvokeError::Function(FunctionError { error_type, error_message })
}

fn exited(status: Option<ExitStatus>) -> InvokeError {
    let status = status.map_or_else(|| "unknown".to_owned(), |status| status.to_string());
    failure("Runtime.ExitError", format!("Runtime exited with error: {status}"))
}

fn timed_out(limit: Duration) -> InvokeError {
    InvokeError::FunctionTimeout(FunctionError {
        error_type: "Sandbox.Timedout".to_owned(),
        error_message: format!("Task timed out after {}.00 seconds", limit.as_secs()),
    })
}

/// A failure in the words of the function's runtime.
pub(super) fn parse(body: &[u8]) -> FunctionError {
    serde_json::from_slice(body).unwrap_or_else(|_| FunctionError {
        error_type: "Runtime.Unknown".to_owned(),
        error_message: String::from_utf8_lossy(body).into_owned(),
    })
}
