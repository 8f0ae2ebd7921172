//! The API's token authorizer: verifies access tokens and hands the caller on as context.
//!
//! No database, and public keys only. Whether the session still lives is asked where the data is.

mod answer;
mod handler;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use shared::{
    auth::{TokenVerifier, VerificationKeys},
    clock::{Clock, SystemClock},
    config::VerifyingConfig,
    telemetry::{self, metrics},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let config = VerifyingConfig::from_env()?;
    let keys = VerificationKeys::parse(&config.public_keys)?;
    let verifier = Arc::new(TokenVerifier::new(config.token_format, &config.stage, keys));
    lambda_runtime::run(service_fn(move |event: LambdaEvent<_>| {
        let answer = handler::authorize(&verifier, SystemClock.now(), &event.payload);
        metrics::flush();
        async move { Ok::<_, Error>(answer) }
    }))
    .await
}
