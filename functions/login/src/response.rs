//! The session, its two tokens and the user.

use serde::Serialize;
use shared::{
    auth::RefreshToken,
    bank::LoggedIn,
    domain::SessionId,
    http::{
        contract::{SESSION_END, TOKEN_END},
        wire::UserBody,
    },
};
use time::OffsetDateTime;
use utoipa::ToSchema;

/// The session, its two tokens and the user.
#[derive(Serialize, ToSchema)]
#[schema(as = LoggedIn)]
pub(crate) struct LoggedInBody {
    #[schema(value_type = SessionId)]
    session_id: String,
    #[schema(example = "v4.public.…")]
    access_token: String,
    #[serde(with = "time::serde::rfc3339")]
    #[schema(example = json!(TOKEN_END))]
    access_token_expires_at: OffsetDateTime,
    #[schema(value_type = RefreshToken)]
    refresh_token: String,
    #[serde(with = "time::serde::rfc3339")]
    #[schema(example = json!(SESSION_END))]
    refresh_token_expires_at: OffsetDateTime,
    user: UserBody,
}

impl From<LoggedIn> for LoggedInBody {
    fn from(logged_in: LoggedIn) -> Self {
        Self {
            session_id: logged_in.session_id.0.to_string(),
            access_token: logged_in.access_token.token,
            access_token_expires_at: logged_in.access_token.expires_at,
            refresh_token: logged_in.refresh_token.expose().to_owned(),
            refresh_token_expires_at: logged_in.refresh_token_expires_at,
            user: logged_in.user.into(),
        }
    }
}
