//! A refresh token is spent for its successor and a new access token.

use std::time::Duration;

use time::OffsetDateTime;

use super::{AccessToken, AccessTokens, BankError};
use crate::{
    auth::{RefreshToken, RenewalKeys},
    domain::{Caller, SessionId},
    store::{Store, StoreError},
};

/// What renewing works with.
pub struct RenewalTools {
    /// Derives successors.
    pub renewal_keys: RenewalKeys,
    /// Gives out the access token.
    pub access_tokens: AccessTokens,
    /// The life of a session that is not renewed again.
    pub idle: Duration,
}

/// A session that goes on.
#[derive(Debug, Clone)]
pub struct RenewedSession {
    /// The session.
    pub session_id: SessionId,
    /// Opens every route for a short while.
    pub access_token: AccessToken,
    /// Prolongs the session next time.
    pub refresh_token: RefreshToken,
    /// When it stops doing so.
    pub refresh_token_expires_at: OffsetDateTime,
}

/// Renews a session. The same token gets the same successor for ten seconds, so that a client may
/// send twice; after that, whoever shows it ends the session.
///
/// # Errors
/// [`BankError::InvalidToken`] for what was never a refresh token of this bank,
/// [`BankError::SessionEnded`] for one whose session has ended, or ends by this.
pub async fn renew_session(
    store: &dyn Store,
    tools: &RenewalTools,
    presented: &RefreshToken,
) -> Result<RenewedSession, BankError> {
    let RenewalTools { renewal_keys, access_tokens, idle } = tools;
    let successor = renewal_keys.successor(presented).hash();
    let renewed = store.renew_session(presented.hash(), successor, *idle).await;
    if let Err(StoreError::TokenReused(session_id)) = &renewed {
        tracing::warn!(session_id = %session_id.0, "a spent refresh token was shown: the session is ended");
    }
    let renewed = renewed.map_err(|error| {
        let is_unknown = matches!(error, StoreError::NotFound);
        if is_unknown { BankError::InvalidToken } else { error.into() }
    })?;
    // While keys are rotated, another environment may have derived it by a key that this one does
    // not know. Sent again, it reaches one that does.
    let refresh_token = renewal_keys
        .known_successor(presented, renewed.successor_hash)
        .ok_or_else(|| BankError::Unavailable("the successor is of another keyring".into()))?;
    let caller = Caller { username: renewed.username, session_id: renewed.session.id };
    Ok(RenewedSession {
        session_id: caller.session_id,
        access_token: access_tokens.issue(&caller)?,
        refresh_token,
        refresh_token_expires_at: renewed.session.expires_at,
    })
}
