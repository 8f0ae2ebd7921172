//! `GET` and `POST /verify_email` and `POST /verify_email/resend`: an address is shown to be its user's.

mod contract;
mod handler;
mod page;
mod request;
mod response;
#[cfg(test)]
mod tests;

use shared::{
    clock::SystemClock,
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
        clock: Box::new(SystemClock),
    };
    serve(app, handler::route).await
}
