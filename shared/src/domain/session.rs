//! Sessions: what a log-in starts.

use std::time::Duration;

use time::OffsetDateTime;
use uuid::Uuid;

use super::Username;

/// A session's number: a UUID of version 7, so that new sessions land at the index's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionId(pub Uuid);

/// A session that is about to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSession {
    /// Its number.
    pub id: SessionId,
    /// Whose it is.
    pub username: Username,
    /// SHA-256 of the refresh token: the token itself is never stored.
    pub refresh_token_hash: [u8; 32],
    /// What the client calls itself, cut to 255 characters.
    pub user_agent: String,
    /// The address that the gateway saw.
    pub client_ip: String,
    /// How long it lasts unless it is renewed.
    pub ttl: Duration,
}

/// A session that has begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its number.
    pub id: SessionId,
    /// When it ends unless it is renewed, by the database's clock.
    pub expires_at: OffsetDateTime,
}
