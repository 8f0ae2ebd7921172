//! All printing: answers go to the standard output, everything about running to the standard error.

use std::io::{Write, stderr, stdout};

/// Prints a line of what was asked for.
pub(crate) fn print(line: &str) {
    // A reader that has gone away must not end the gateway.
    let _ = writeln!(stdout(), "{line}").and_then(|()| stdout().flush());
}

/// Prints a line about what happens.
pub(crate) fn log(line: &str) {
    // In one piece: the standard error holds nothing back, so that every piece is a call of the system's.
    let _ = stderr().write_all(format!("{line}\n").as_bytes());
}
