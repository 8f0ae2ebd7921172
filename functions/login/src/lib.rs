//! `POST /users/login`: turns a password into a session with its tokens.

mod contract;
mod handler;
mod request;
mod response;
#[cfg(test)]
mod tests;

use shared::{
    auth::{Keyring, PasswordHasher},
    bank::{AccessTokens, LogInTools, Prover},
    clock::SystemClock,
    config::{AttemptConfig, DatabaseConfig, SessionConfig, SigningConfig},
    http::{Error, serve},
    secrets,
    store::PostgresStore,
    telemetry,
};

pub use contract::operations;

/// Runs the function until Lambda ends it.
///
/// # Errors
/// When a setting is wrong, or the runtime cannot be reached.
pub async fn run() -> Result<(), Error> {
    telemetry::init();
    let (signing, database) = (SigningConfig::from_env()?, DatabaseConfig::from_env()?);
    let (store, keyring) = tokio::join!(
        PostgresStore::open(&database),
        secrets::load(&signing.keyring, Keyring::parse)
    );
    let tools = LogInTools {
        prover: Prover {
            passwords: PasswordHasher::new()?,
            limits: AttemptConfig::from_env()?.limits,
        },
        access_tokens: AccessTokens {
            signer: keyring?.signer(signing.token_format, &signing.stage),
            clock: Box::new(SystemClock),
            ttl: signing.access_token_ttl,
        },
        session_limits: SessionConfig::from_env()?.limits,
    };
    serve(handler::App { store: Box::new(store?), tools }, handler::handle).await
}
