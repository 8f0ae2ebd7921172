//! What only the schema's owner may do. By direct invocation: `{"action": "up"}`, `"down"` (one
//! version) or `"status"` move the schema, `"grant_role"` gives a user a role. As a custom resource of
//! the stack: whatever else is deployed waits until the schema is right.

mod deliver;
mod event;
mod handler;
mod resource;
#[cfg(test)]
mod tests;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use shared::{config::MigrationConfig, telemetry};

use self::event::Event;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let config = MigrationConfig::from_env()?;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Event>| match event.payload {
        Event::Command(command) => handler::handle(&config, command).await,
        Event::Resource(request) => {
            resource::answer(&config, request, event.context.deadline()).await
        }
    }))
    .await
}
