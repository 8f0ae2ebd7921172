//! `POST /users`: signs somebody up.

mod contract;
mod handler;
mod request;
#[cfg(test)]
mod tests;

use shared::{
    auth::PasswordHasher,
    config::{DatabaseConfig, QueueConfig},
    http::{Error, serve},
    store::PostgresStore,
    tasks::SqsQueue,
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
    let app = handler::App {
        store: Box::new(store),
        queue: Box::new(SqsQueue::open(QueueConfig::from_env()?).await),
        passwords: PasswordHasher::new()?,
    };
    serve(app, handler::handle).await
}
