//! `GET` and `PATCH /users/{username}`: a user, seen and changed by themselves or by a banker.

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

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
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
