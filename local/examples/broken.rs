//! A function for the gateway's tests: it cannot start.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(7)
}
