//! Sessions: what a log-in starts, renewals prolong and many things end.

use std::time::Duration;

use time::OffsetDateTime;
use uuid::Uuid;

use super::{Invalid, Username};

/// A session's number: a UUID of version 7, so that new sessions land at the index's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionId(pub Uuid);

impl SessionId {
    /// Reads a number in the one way to write it: lower case, with hyphens.
    ///
    /// # Errors
    /// When it is written in another way, or is none.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let id = Uuid::try_parse(text).ok().filter(|id| id.to_string() == text);
        id.map(Self).ok_or(Invalid::from("must be a UUID in lower case"))
    }
}

/// How long sessions last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionLimits {
    /// The life of a session that is not renewed.
    pub idle: Duration,
    /// The life of a session, however often it is renewed.
    pub life: Duration,
}

/// A session that is about to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSession {
    /// Its number.
    pub id: SessionId,
    /// Whose it is.
    pub username: Username,
    /// When the password was set that was proven: it must not have been changed since.
    pub proven_changed_at: OffsetDateTime,
    /// The same password, hashed by stronger parameters than before.
    pub stronger_hash: Option<String>,
    /// SHA-256 of the refresh token: the token itself is never stored.
    pub refresh_token_hash: [u8; 32],
    /// What the client calls itself, cut to 255 characters.
    pub user_agent: String,
    /// The address that the gateway saw.
    pub client_ip: String,
    /// How long it lasts.
    pub limits: SessionLimits,
}

/// A session that has begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its number.
    pub id: SessionId,
    /// When it ends unless it is renewed, by the database's clock.
    pub expires_at: OffsetDateTime,
}

/// A session that was renewed, now or by the same token a moment ago.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renewed {
    /// The session.
    pub session: Session,
    /// Whose it is.
    pub username: Username,
    /// SHA-256 of the refresh token that took the place of the presented one.
    pub successor_hash: [u8; 32],
}

/// One of a user's live sessions, as they see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveSession {
    /// Its number.
    pub id: SessionId,
    /// What the client called itself when it logged in.
    pub user_agent: String,
    /// Where it logged in from.
    pub client_ip: String,
    /// When it began.
    pub created_at: OffsetDateTime,
    /// When it ends unless it is renewed.
    pub expires_at: OffsetDateTime,
}
