//! `POST /users/login`: turns a password into a session with its tokens.

mod handler;
mod request;
mod response;
#[cfg(test)]
mod tests;

use shared::{
    auth::{PasetoSigner, PasswordHasher},
    bank::LogInTools,
    clock::SystemClock,
    config::{DatabaseConfig, SigningConfig},
    http::{Error, serve},
    store::PostgresStore,
    telemetry,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let signing = SigningConfig::from_env()?;
    let store = PostgresStore::open(&DatabaseConfig::from_env()?).await?;
    let tools = LogInTools {
        store: Box::new(store),
        passwords: PasswordHasher::new()?,
        signer: Box::new(PasetoSigner::new(&signing.stage, &signing.secret_key)?),
        clock: Box::new(SystemClock),
        access_token_ttl: signing.access_token_ttl,
        refresh_token_ttl: signing.refresh_token_ttl,
    };
    serve(tools, handler::handle).await
}
