//! Every minute: publishes the tasks of the outbox that a request could not, and removes those that were
//! done long ago.

mod handler;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;
use shared::{
    config::{DatabaseConfig, QueueConfig},
    store::PostgresStore,
    tasks::SqsQueue,
    telemetry::{self, metrics},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let store = PostgresStore::open(&DatabaseConfig::from_env()?).await?;
    let app = Arc::new(handler::App {
        store: Box::new(store),
        queue: Box::new(SqsQueue::open_for_relay(QueueConfig::from_env()?).await),
    });
    lambda_runtime::run(service_fn(move |_: LambdaEvent<Value>| {
        let app = Arc::clone(&app);
        async move {
            let report = handler::handle(&app).await;
            metrics::flush();
            report
        }
    }))
    .await
}
