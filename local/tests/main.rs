//! The tool as its users start it: with functions made for its own tests, and with the bank's.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::print_stderr,
    reason = "a test may fail in any of these ways, and say so"
)]

// The emulator is a program for Linux.
#[cfg(target_os = "linux")]
mod artefacts;
mod bank;
mod containers;
mod gateway;
mod support;
