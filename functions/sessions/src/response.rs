//! A session as its user sees it.

use serde::Serialize;
use shared::{
    domain::{Caller, LiveSession, SessionId},
    http::contract::SESSION_END,
};
use time::OffsetDateTime;
use utoipa::ToSchema;

/// One of the user's live sessions.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
pub(crate) struct SessionBody {
    #[schema(value_type = SessionId)]
    id: String,
    #[schema(example = "curl/8.5.0")]
    user_agent: String,
    #[schema(example = "192.0.2.7")]
    client_ip: String,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    #[schema(example = json!(SESSION_END))]
    expires_at: OffsetDateTime,
    /// Whether it is the one that asks.
    #[schema(example = true)]
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
