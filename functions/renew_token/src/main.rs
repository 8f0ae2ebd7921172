//! `POST /tokens/renew_access`: spends a refresh token for its successor and a new access token.

mod handler;
mod request;
mod response;
#[cfg(test)]
mod tests;

use shared::{
    auth::{PasetoSigner, RenewalKeys},
    bank::{AccessTokens, RenewalTools},
    clock::SystemClock,
    config::{DatabaseConfig, SessionConfig, SigningConfig},
    http::{Error, serve},
    store::PostgresStore,
    telemetry,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let signing = SigningConfig::from_env()?;
    let store = PostgresStore::open(&DatabaseConfig::from_env()?).await?;
    let tools = RenewalTools {
        store: Box::new(store),
        renewal_keys: RenewalKeys::new([0; 32], None),
        access_tokens: AccessTokens {
            signer: Box::new(PasetoSigner::new(&signing.stage, &signing.secret_key)?),
            clock: Box::new(SystemClock),
            ttl: signing.access_token_ttl,
        },
        session_limits: SessionConfig::from_env()?.limits,
    };
    serve(tools, handler::handle).await
}
