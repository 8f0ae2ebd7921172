//! `GET` and `PATCH /users/{username}`: a user, seen and changed by themselves or by a banker.

mod contract;
mod handler;
mod request;
#[cfg(test)]
mod tests;

use shared::{
    auth::PasswordHasher,
    bank::Prover,
    clock::SystemClock,
    config::{AttemptConfig, DatabaseConfig, QueueConfig},
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
        clock: Box::new(SystemClock),
        prover: Prover {
            passwords: PasswordHasher::new()?,
            limits: AttemptConfig::from_env()?.limits,
        },
    };
    serve(app, handler::route).await
}
