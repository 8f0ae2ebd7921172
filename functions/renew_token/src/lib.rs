//! `POST /tokens/renew_access`: spends a refresh token for its successor and a new access token.

mod contract;
mod handler;
mod request;
mod response;
#[cfg(test)]
mod tests;

use shared::{
    auth::Keyring,
    bank::{AccessTokens, RenewalTools},
    clock::SystemClock,
    config::{DatabaseConfig, SessionConfig, SigningConfig},
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
    let keyring = keyring?;
    let tools = RenewalTools {
        renewal_keys: keyring.renewal_keys()?,
        access_tokens: AccessTokens {
            signer: keyring.signer(signing.token_format, &signing.stage),
            clock: Box::new(SystemClock),
            ttl: signing.access_token_ttl,
        },
        idle: SessionConfig::from_env()?.limits.idle,
    };
    serve(handler::App { store: Box::new(store?), tools }, handler::handle).await
}
