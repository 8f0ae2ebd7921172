//! Verifies the books: every rule recomputed in one snapshot, by direct invocation with `{}`.
//!
//! It connects as the application, which may read everything and change none of it.

mod handler;
#[cfg(test)]
mod tests;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use shared::{
    config::DatabaseConfig,
    store::postgres::verification::verify,
    telemetry::{self, metrics},
};

use self::handler::{Command, report};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let config = DatabaseConfig::from_env()?;
    lambda_runtime::run(service_fn(async |_: LambdaEvent<Command>| {
        let report = report(verify(&config).await?);
        metrics::breaches(report.breaches.len());
        metrics::flush();
        Ok::<_, Error>(report)
    }))
    .await
}
