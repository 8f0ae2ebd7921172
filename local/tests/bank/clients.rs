//! Runs clients that are programs of their own, in `tests/clients/`.

use std::{path::PathBuf, process::Stdio, time::Duration};

use tokio::{process::Command, time::timeout};

/// How long a client may take for all that it does.
const PATIENCE: Duration = Duration::from_mins(2);

/// Where the clients of a kind are.
pub(super) fn folder(kind: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients")).join(kind)
}

/// Runs a client to its end; what it said. It has to succeed, and says why it did not.
pub(super) async fn run(program: &str, kind: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(program);
    // Nothing is left beside the sources.
    command.env("PYTHONDONTWRITEBYTECODE", "1").current_dir(folder(kind)).args(arguments);
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output();
    let output = timeout(PATIENCE, output).await.unwrap_or_else(|_| panic!("{program} hangs"));
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}; run `make test`"));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}\n{said}{error}");
    said
}
