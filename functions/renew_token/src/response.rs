//! The session and its two new tokens.

use serde::Serialize;
use shared::{auth::RefreshToken, bank::RenewedSession, domain::SessionId};
use time::OffsetDateTime;
use utoipa::ToSchema;

/// The session and its two new tokens.
#[derive(Serialize, ToSchema)]
#[schema(as = RenewedSession)]
pub(crate) struct RenewedBody {
    #[schema(value_type = SessionId)]
    session_id: String,
    #[schema(example = "v4.public.…")]
    access_token: String,
    #[serde(with = "time::serde::rfc3339")]
    access_token_expires_at: OffsetDateTime,
    #[schema(value_type = RefreshToken)]
    refresh_token: String,
    #[serde(with = "time::serde::rfc3339")]
    refresh_token_expires_at: OffsetDateTime,
}

impl From<RenewedSession> for RenewedBody {
    fn from(renewed: RenewedSession) -> Self {
        Self {
            session_id: renewed.session_id.0.to_string(),
            access_token: renewed.access_token.token,
            access_token_expires_at: renewed.access_token.expires_at,
            refresh_token: renewed.refresh_token.expose().to_owned(),
            refresh_token_expires_at: renewed.refresh_token_expires_at,
        }
    }
}
