//! The session, its two tokens and the user.

use serde::Serialize;
use shared::{bank::LoggedIn, http::wire::UserBody};
use time::OffsetDateTime;

#[derive(Serialize)]
pub(crate) struct LoggedInBody {
    session_id: String,
    access_token: String,
    #[serde(with = "time::serde::rfc3339")]
    access_token_expires_at: OffsetDateTime,
    refresh_token: String,
    #[serde(with = "time::serde::rfc3339")]
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
