//! What only the schema's owner may do, by direct invocation: `{"action": "up"}`, `"down"` (one
//! version) or `"status"` move the schema, `"grant_role"` gives a user a role.

mod handler;
#[cfg(test)]
mod tests;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use shared::{config::MigrationConfig, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let config = MigrationConfig::from_env()?;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<_>| {
        handler::handle(&config, event.payload).await
    }))
    .await
}
