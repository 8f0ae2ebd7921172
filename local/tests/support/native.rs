//! Starts the gRPC server as its users do, and finds out where it listens.

use std::process::{ExitStatus, Stdio};

use tokio::{process::Child, time::timeout};

use super::{Log, PATIENCE, command, signal, until};

/// A running gRPC server, killed when it is dropped.
pub(crate) struct Native {
    /// Where it listens: a host and a port.
    pub(crate) address: String,
    child: Child,
    log: Log,
}

impl Native {
    /// Starts the server at a free port, with what the gateway's arguments say, and waits until it says
    /// where it is.
    pub(crate) async fn start(arguments: &[String]) -> Self {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut child = command(&["exec", "rpc", "--env", "GRPC_SERVER_ADDRESS=127.0.0.1:0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let log = Log::of(child.stdout.take().unwrap());
        until(|| log.text().contains("gRPC is served")).await;
        let line = log.text();
        let start = line.find("127.0.0.1:").unwrap();
        let end = line[start..].find(['"', '\n', ' ']).unwrap();
        let address = line[start..start + end].to_owned();
        Self { address, child, log }
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// All that has been logged.
    pub(crate) fn log(&self) -> String {
        self.log.text()
    }

    /// From now on the log must not hold this; it is looked at when the server ends.
    pub(crate) fn keep_secret(&self, secret: &str) {
        self.log.keep_secret(secret);
    }

    /// Sends a signal, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        signal(&self.pid().to_string(), name);
    }

    /// Waits until the server has ended.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        timeout(PATIENCE, self.child.wait()).await.expect("it still runs").unwrap()
    }
}
