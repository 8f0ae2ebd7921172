//! A password becomes a session with its tokens.

use time::OffsetDateTime;

use super::{AccessToken, AccessTokens, BankError, Prover};
use crate::{
    auth::RefreshToken,
    domain::{
        Attempt, Caller, Client, NewSession, Password, SessionId, SessionLimits, User, Username,
    },
    store::Store,
};

/// What somebody logs in with.
#[derive(Debug, Clone)]
pub struct LogIn {
    /// Who they say they are.
    pub username: Username,
    /// What they offer as proof.
    pub password: Password,
    /// What they do it with.
    pub client: Client,
}

/// What logging in works with.
pub struct LogInTools {
    /// Checks the password.
    pub prover: Prover,
    /// Gives out the access token.
    pub access_tokens: AccessTokens,
    /// How long the session lasts.
    pub session_limits: SessionLimits,
}

/// A session that has begun.
#[derive(Debug, Clone)]
pub struct LoggedIn {
    /// The session.
    pub session_id: SessionId,
    /// Opens every route for a short while.
    pub access_token: AccessToken,
    /// Prolongs the session.
    pub refresh_token: RefreshToken,
    /// When it stops doing so.
    pub refresh_token_expires_at: OffsetDateTime,
    /// Who logged in.
    pub user: User,
}

/// Begins a session. A password that was hashed by weaker parameters than today's is hashed anew.
///
/// # Errors
/// [`BankError::InvalidCredentials`] for a wrong password and, after the same work, for a name that
/// nobody has; [`BankError::TooManyFailures`] when there were too many of them.
pub async fn log_in(
    store: &dyn Store,
    tools: &LogInTools,
    input: LogIn,
) -> Result<LoggedIn, BankError> {
    let LogInTools { prover, access_tokens, session_limits } = tools;
    let attempt = Attempt::new(input.username, &input.client.ip);
    let proof = store.find_proof(&attempt).await?;
    let proven = prover.prove(store, &attempt, proof, input.password.clone()).await?;
    let stronger_hash = if prover.passwords.is_outdated(&proven.hashed_password)? {
        Some(prover.passwords.hash(input.password).await?)
    } else {
        None
    };

    let user = proven.user;
    let refresh_token =
        RefreshToken::generate().map_err(|error| BankError::Internal(error.into()))?;
    let new = NewSession {
        id: SessionId(access_tokens.next_id()),
        username: user.username.clone(),
        proven_changed_at: user.password_changed_at,
        stronger_hash,
        refresh_token_hash: refresh_token.hash(),
        user_agent: input.client.user_agent,
        client_ip: input.client.ip,
        limits: *session_limits,
    };
    let session = store.begin_session(&attempt, new).await?;
    let caller = Caller { username: user.username.clone(), session_id: session.id };
    Ok(LoggedIn {
        session_id: session.id,
        access_token: access_tokens.issue(&caller)?,
        refresh_token,
        refresh_token_expires_at: session.expires_at,
        user,
    })
}
