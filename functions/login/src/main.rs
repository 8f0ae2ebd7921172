//! `POST /users/login`: turns a password into a session with its tokens.

mod handler;
mod request;
mod response;
#[cfg(test)]
mod tests;

use shared::{
    auth::{PasetoSigner, PasswordHasher},
    bank::{AccessTokens, LogInTools, Prover},
    clock::SystemClock,
    config::{AttemptConfig, DatabaseConfig, SessionConfig, SigningConfig},
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
        prover: Prover {
            passwords: PasswordHasher::new()?,
            limits: AttemptConfig::from_env()?.limits,
        },
        access_tokens: AccessTokens {
            signer: Box::new(PasetoSigner::new(&signing.stage, &signing.secret_key)?),
            clock: Box::new(SystemClock),
            ttl: signing.access_token_ttl,
        },
        session_limits: SessionConfig::from_env()?.limits,
    };
    serve(tools, handler::handle).await
}
