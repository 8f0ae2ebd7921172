//! `POST /users`: signs somebody up.

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

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let store = PostgresStore::open(&DatabaseConfig::from_env()?).await?;
    let app = handler::App {
        store: Box::new(store),
        queue: Box::new(SqsQueue::open(QueueConfig::from_env()?).await),
        passwords: PasswordHasher::new()?,
    };
    serve(app, handler::handle).await
}
