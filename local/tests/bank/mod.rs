//! The bank from outside: HTTP to the gateway, which runs the functions that are deployed, on a
//! real Postgres whose schema the migrate function made.
//!
//! `DATABASE_URL` names a server on which databases may be made, and the workspace has to be
//! built; `make test` sees to both.

mod browser;
mod clients;
mod contract;
mod documentation;
mod failures;
mod forgeries;
mod generated;
mod history;
mod idempotency;
mod logins;
mod mail;
mod memory;
mod metrics;
pub(crate) mod migrations;
mod passwords;
pub(crate) mod people;
mod readme;
mod refusals;
mod rotation;
mod round_trips;
mod rpc;
mod scenario;
mod secrets;
mod sessions;
mod timing;
mod tokens;
mod users;
mod watch;
