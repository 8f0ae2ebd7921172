//! `POST /users/logout`, `GET /sessions`, `DELETE /sessions/{id}`: one's sessions, seen and ended.

mod contract;
mod handler;
mod response;
#[cfg(test)]
mod tests;

use shared::{
    clock::SystemClock,
    config::DatabaseConfig,
    http::{Error, serve},
    store::PostgresStore,
    telemetry,
};

pub use contract::operations;

/// Runs the function until Lambda ends it.
///
/// # Errors
/// When a setting is wrong, or the runtime cannot be reached.
pub async fn run() -> Result<(), Error> {
    telemetry::init();
    let store = PostgresStore::open(&DatabaseConfig::from_env()?).await?;
    let app = handler::App { store: Box::new(store), clock: Box::new(SystemClock) };
    serve(app, handler::route).await
}
