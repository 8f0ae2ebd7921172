//! The gateway with functions that behave and functions that do not, started as its users start it.
//!
//! The functions are in `examples/`, their template is `fault.yaml`.

mod authorizer;
mod commands;
mod http;
mod processes;

use crate::support::{self, Gateway};

/// The template of the tests' functions.
const TEMPLATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fault.yaml");

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
