//! The gateway with functions that behave and functions that do not, started as its users start it.
//!
//! The functions are in `examples/`, their templates are `fault.yaml` and, with queues, `worker.yaml`.

mod authorizer;
mod commands;
mod http;
mod mail;
mod processes;
mod queues;

use std::sync::LazyLock;

use crate::support::{self, Emulator, Gateway};

/// The template of the tests' functions.
const TEMPLATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fault.yaml");

/// The template with queues, a secret and mail.
const WORKER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/worker.yaml");

/// The arguments that every run needs, and these.
fn arguments<'a>(functions: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let common = ["--template", TEMPLATE, "--functions", functions, "--parameter", "Secret=s3"];
    common.iter().chain(more).copied().collect()
}

/// A gateway for the tests' functions.
async fn start(more: &[&str]) -> Gateway {
    let functions = support::examples();
    Gateway::start(&arguments(functions.to_str().unwrap_or_default(), more)).await
}

/// Runs the tool to its end.
async fn run(more: &[&str]) -> std::process::Output {
    let functions = support::examples();
    support::run(&arguments(functions.to_str().unwrap_or_default(), more)).await
}

/// The arguments for the template with queues.
fn worker_arguments<'a>(more: &[&'a str]) -> Vec<&'a str> {
    static FUNCTIONS: LazyLock<String> =
        LazyLock::new(|| support::examples().into_os_string().into_string().unwrap());
    let common = ["--template", WORKER, "--functions", &FUNCTIONS];
    common.iter().chain(more).copied().collect()
}

/// A gateway for the template with queues and this emulator.
async fn worker(emulator: &Emulator, more: &[&str]) -> Gateway {
    let endpoint = emulator.argument();
    Gateway::start(&worker_arguments(&[&["--env", &endpoint], more].concat())).await
}
