//! Who asks, as the authorizer found out.

use lambda_http::http::HeaderMap;
use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::Uuid;

use super::Request;
use crate::{
    bank::BankError,
    clock::Clock,
    domain::{Caller, IdempotencyKey, Invalid, SessionId, Username, Violation},
};

const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

impl Request {
    /// The caller, from the authorizer's context and from nothing that a client can set.
    ///
    /// The gateway keeps the authorizer's answer for a while, so the token's expiry is looked at
    /// again here. Whether the session still lives is the store's to say.
    ///
    /// # Errors
    /// [`BankError::Unauthenticated`] when no authorizer has spoken, [`BankError::TokenExpired`]
    /// after the token's end.
    pub fn caller(&self, clock: &dyn Clock) -> Result<Caller, BankError> {
        let text = |name| self.authorizer.get(name).and_then(Value::as_str);
        let (Some(username), Some(session_id), Some(expires_at)) =
            (text("username"), text("session_id"), text("expires_at"))
        else {
            return Err(BankError::Unauthenticated);
        };
        let username = Username::parse(username).map_err(|_| BankError::Unauthenticated)?;
        let session_id = Uuid::try_parse(session_id).map_err(|_| BankError::Unauthenticated)?;
        let expires_at =
            OffsetDateTime::parse(expires_at, &Rfc3339).map_err(|_| BankError::Unauthenticated)?;
        if expires_at <= clock.now() {
            return Err(BankError::TokenExpired);
        }
        Ok(Caller { username, session_id: SessionId(session_id) })
    }

    /// See [`idempotency_key`].
    ///
    /// # Errors
    /// The same.
    pub fn idempotency_key(&self) -> Result<IdempotencyKey, BankError> {
        idempotency_key(&self.headers)
    }
}

/// The client's name for the effect that it wants once.
///
/// # Errors
/// [`BankError::IdempotencyKeyMissing`] without the header, [`BankError::InvalidArgument`] when it is not of
/// the right shape, or there are two. Of two that reach a function through the gateway, `lambda_http` has
/// kept the last.
pub fn idempotency_key(headers: &HeaderMap) -> Result<IdempotencyKey, BankError> {
    let mut keys = headers.get_all(IDEMPOTENCY_KEY).iter();
    let key = keys.next().ok_or(BankError::IdempotencyKeyMissing)?;
    let parsed = match keys.next() {
        Some(_) => Err(Invalid::from("must not appear more than once")),
        None => IdempotencyKey::parse(key.to_str().unwrap_or_default()),
    };
    parsed
        .map_err(|reason| BankError::InvalidArgument(vec![Violation::new(IDEMPOTENCY_KEY, reason)]))
}
