//! From the queue of tasks: mails each user the code that verifies their address.

mod handler;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use shared::{
    bank::MailingTools,
    clock::SystemClock,
    config::{DatabaseConfig, MailConfig},
    store::PostgresStore,
    tasks::SesMailer,
    telemetry::{self, metrics},
};

pub use handler::handle;

/// Runs the function until Lambda ends it.
///
/// # Errors
/// When a setting is wrong, or the database or the runtime cannot be reached.
pub async fn run() -> Result<(), Error> {
    telemetry::init();
    let mail = MailConfig::from_env()?;
    let store = PostgresStore::open(&DatabaseConfig::from_env()?).await?;
    let store = store.taking_turns(handler::MESSAGE_TIMEOUT);
    let tools = Arc::new(MailingTools {
        store: Box::new(store),
        mailer: Box::new(SesMailer::open(&mail, Box::new(SystemClock)).await),
        public_url: mail.public_url,
    });
    lambda_runtime::run(service_fn(move |event: LambdaEvent<_>| {
        let tools = Arc::clone(&tools);
        async move {
            let answer = handle(&tools, event.payload).await;
            metrics::flush();
            Ok::<_, Error>(answer)
        }
    }))
    .await
}
