//! A session as its user sees it.

use serde::Serialize;
use shared::domain::{Caller, LiveSession};
use time::OffsetDateTime;

#[derive(Serialize)]
pub(crate) struct SessionBody {
    id: String,
    user_agent: String,
    client_ip: String,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
    /// Whether it is the one that asks.
    current: bool,
}

impl SessionBody {
    pub(crate) fn new(session: LiveSession, caller: &Caller) -> Self {
        Self {
            id: session.id.0.to_string(),
            user_agent: session.user_agent,
            client_ip: session.client_ip,
            created_at: session.created_at,
            expires_at: session.expires_at,
            current: session.id == caller.session_id,
        }
    }
}
