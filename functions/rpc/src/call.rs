//! What a method sees of a call besides its message.

use connectrpc::{ConnectError, RequestContext, Response, ServiceResult};
use shared::{
    bank::BankError,
    domain::{Caller, Client, IdempotencyKey, Keyed},
    http::{Origin, idempotency_key},
};

use crate::refused::{REPLAYED, Refused};

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

    /// See [`idempotency_key`].
    ///
    /// # Errors
    /// The same.
    pub(crate) fn idempotency_key(&self) -> Result<IdempotencyKey, BankError> {
        idempotency_key(self.0.headers())
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
