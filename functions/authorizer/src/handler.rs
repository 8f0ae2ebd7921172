//! Token in, policy out.

use aws_lambda_events::apigw::ApiGatewayCustomAuthorizerRequest;
use shared::auth::{TokenError, TokenVerifier, bearer};
use time::OffsetDateTime;

use crate::answer::{Answer, Refusal};

pub(crate) fn authorize(
    verifier: &TokenVerifier,
    now: OffsetDateTime,
    event: &ApiGatewayCustomAuthorizerRequest,
) -> Answer {
    let method_arn = event.method_arn.as_deref().unwrap_or_default();
    let header = event.authorization_token.as_deref().unwrap_or_default();
    let caller = bearer(header)
        .ok_or(TokenError::Invalid)
        .and_then(|token| verifier.verify(token))
        .and_then(|claims| Ok((claims.caller(now)?, claims)));
    match caller {
        Ok((caller, claims)) => Answer::allow(method_arn, &caller, &claims),
        Err(error) => {
            tracing::info!(reason = %error, "token refused");
            Answer::deny(method_arn, Refusal::from(error))
        }
    }
}
