//! Access tokens for a session that has just begun or was renewed.

use std::time::Duration;

use time::OffsetDateTime;
use uuid::{ContextV7, Timestamp, Uuid};

use super::BankError;
use crate::{
    auth::{Claims, TokenSigner},
    clock::Clock,
    domain::Caller,
};

/// Gives access tokens out.
pub struct AccessTokens {
    /// Signs them.
    pub signer: TokenSigner,
    /// Dates them.
    pub clock: Box<dyn Clock>,
    /// Their life.
    pub ttl: Duration,
}

/// A token that opens every route for a short while.
#[derive(Debug, Clone)]
pub struct AccessToken {
    /// The token.
    pub token: String,
    /// When it stops being of use.
    pub expires_at: OffsetDateTime,
}

impl AccessTokens {
    /// A new number in the order of time: a UUID of version 7.
    pub(super) fn next_id(&self) -> Uuid {
        let now = self.clock.now();
        let seconds = u64::try_from(now.unix_timestamp()).unwrap_or_default();
        Uuid::new_v7(Timestamp::from_unix(ContextV7::new(), seconds, now.nanosecond()))
    }

    /// A token for the caller.
    pub(super) fn issue(&self, caller: &Caller) -> Result<AccessToken, BankError> {
        let claims = Claims::new(caller, self.next_id(), self.clock.now(), self.ttl);
        Ok(AccessToken { token: self.signer.sign(&claims)?, expires_at: claims.expires_at() })
    }
}
