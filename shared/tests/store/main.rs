//! The store on a real Postgres: a database for each test, random data whose seed is printed.
//!
//! `DATABASE_URL` names a server on which databases may be made; `make test` starts one.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may fail in any of these ways"
)]

mod accounts;
mod attacks;
mod attempts;
mod connection;
mod history;
mod migrations;
mod model;
mod money;
mod ordeal;
mod planted;
mod renewals;
mod sessions;
mod support;
mod users;
mod verifications;
mod wire;
