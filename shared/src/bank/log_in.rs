//! A password becomes a session with its tokens.

use std::time::Duration;

use time::OffsetDateTime;
use uuid::{ContextV7, Timestamp, Uuid};

use super::BankError;
use crate::{
    auth::{Claims, PasswordHasher, RefreshToken, TokenSigner},
    clock::Clock,
    domain::{Caller, NewSession, Password, SessionId, User, Username},
    store::Store,
};

/// What somebody logs in with.
#[derive(Debug, Clone)]
pub struct LogIn {
    /// Who they say they are.
    pub username: Username,
    /// What they offer as proof.
    pub password: Password,
    /// What their client calls itself.
    pub user_agent: String,
    /// Where the gateway saw them.
    pub client_ip: String,
}

/// What logging in works with.
pub struct LogInTools {
    /// Where users and sessions are.
    pub store: Box<dyn Store>,
    /// Checks the password.
    pub passwords: PasswordHasher,
    /// Signs the access token.
    pub signer: Box<dyn TokenSigner>,
    /// Dates the access token.
    pub clock: Box<dyn Clock>,
    /// The access token's life.
    pub access_token_ttl: Duration,
    /// The session's life when it is not renewed.
    pub refresh_token_ttl: Duration,
}

/// A session that has begun.
#[derive(Debug, Clone)]
pub struct LoggedIn {
    /// The session.
    pub session_id: SessionId,
    /// Opens every route for a short while.
    pub access_token: String,
    /// When it stops doing so.
    pub access_token_expires_at: OffsetDateTime,
    /// Prolongs the session.
    pub refresh_token: RefreshToken,
    /// When it stops doing so.
    pub refresh_token_expires_at: OffsetDateTime,
    /// Who logged in.
    pub user: User,
}

/// Begins a session.
///
/// # Errors
/// [`BankError::InvalidCredentials`] for a wrong password and, after the same work, for a name that
/// nobody has.
pub async fn log_in(tools: &LogInTools, input: LogIn) -> Result<LoggedIn, BankError> {
    let credentials = tools.store.find_credentials(&input.username).await?;
    let stored = credentials.as_ref().map(|credentials| credentials.hashed_password.as_str());
    let is_proven = tools.passwords.verify(input.password, stored).await?;
    let Some(user) = credentials.filter(|_| is_proven).map(|credentials| credentials.user) else {
        return Err(BankError::InvalidCredentials);
    };

    let now = tools.clock.now();
    let refresh_token =
        RefreshToken::generate().map_err(|error| BankError::Internal(error.into()))?;
    let session = tools
        .store
        .create_session(NewSession {
            id: SessionId(uuid_v7(now)),
            username: user.username.clone(),
            refresh_token_hash: refresh_token.hash(),
            user_agent: input.user_agent,
            client_ip: input.client_ip,
            ttl: tools.refresh_token_ttl,
        })
        .await?;
    let caller = Caller { username: user.username.clone(), session_id: session.id };
    let claims = Claims::new(&caller, uuid_v7(now), now, tools.access_token_ttl);
    Ok(LoggedIn {
        session_id: session.id,
        access_token: tools.signer.sign(&claims)?,
        access_token_expires_at: claims.expires_at(),
        refresh_token,
        refresh_token_expires_at: session.expires_at,
        user,
    })
}

fn uuid_v7(now: OffsetDateTime) -> Uuid {
    let seconds = u64::try_from(now.unix_timestamp()).unwrap_or_default();
    Uuid::new_v7(Timestamp::from_unix(ContextV7::new(), seconds, now.nanosecond()))
}
