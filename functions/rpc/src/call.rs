//! What a method sees of a call besides its message.

use connectrpc::{ConnectError, RequestContext, Response, ServiceResult};
use shared::{
    bank::{BankError, Violations},
    domain::{Caller, Client, IdempotencyKey, Keyed},
    http::Origin,
};

use crate::refused::{REPLAYED, Refused};

const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

/// The caller, the client and the key: what interceptors found out, and metadata.
pub(crate) struct Call(pub(crate) RequestContext);

impl Call {
    /// The caller. There is one for every method that is not open to all.
    ///
    /// # Errors
    /// [`BankError::Unauthenticated`] when nobody was let in.
    pub(crate) fn caller(&self) -> Result<&Caller, BankError> {
        self.0.extensions().get().ok_or(BankError::Unauthenticated)
    }

    /// The program that calls.
    pub(crate) fn client(&self) -> Client {
        let origin = self.0.extensions().get::<Origin>();
        origin.map_or_else(|| Client::new(None, None), |origin| origin.client.clone())
    }

    /// The client's name for the effect that it wants once.
    ///
    /// # Errors
    /// [`BankError::IdempotencyKeyMissing`] without one, [`BankError::InvalidArgument`] when it is not of
    /// the right shape.
    pub(crate) fn idempotency_key(&self) -> Result<IdempotencyKey, BankError> {
        let key = self.0.header(IDEMPOTENCY_KEY).ok_or(BankError::IdempotencyKeyMissing)?;
        let mut violations = Violations::default();
        let key = IdempotencyKey::parse(key.to_str().unwrap_or_default());
        let key = violations.note(IDEMPOTENCY_KEY, key);
        violations.finish(|| key)
    }
}

/// The reply, for the first time or again, or the refusal.
pub(crate) fn keyed<Message>(keyed: Keyed<Message>) -> Result<Response<Message>, BankError> {
    let Keyed { outcome, is_replay } = keyed;
    match outcome {
        Ok(reply) if is_replay => Ok(Response::new(reply).with_header(REPLAYED, "true")),
        Ok(reply) => Ok(Response::new(reply)),
        Err(refusal) => Err(BankError::Refused { refusal, is_replay }),
    }
}

/// What leaves a method.
pub(crate) fn into_result<Message>(
    result: Result<Response<Message>, BankError>,
) -> ServiceResult<Message> {
    result.map_err(|error| ConnectError::from(Refused::from(error)))
}
