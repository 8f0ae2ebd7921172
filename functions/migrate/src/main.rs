//! Moves the schema: `{"action": "up"}`, `"down"` (one version) or `"status"`, by direct
//! invocation.

mod handler;
#[cfg(test)]
mod tests;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use shared::{config::DatabaseConfig, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let config = DatabaseConfig::owner_from_env()?;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<_>| {
        handler::handle(&config, event.payload).await
    }))
    .await
}
