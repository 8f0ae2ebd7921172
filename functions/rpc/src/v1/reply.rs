//! What leaves when a call was done: the fields that the original had, and no others.

use buffa_types::google::protobuf::Timestamp;
use proto::simplebank::v1::{LoginUserResponse, User, VerifyEmailResponse};
use serde::Serialize;
use shared::{
    auth::RefreshToken,
    domain::{Email, FullName, SessionId, Username},
    http::contract::{SESSION_END, TOKEN_END},
};
use utoipa::ToSchema;

/// The reply of a call.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Reply {
    User(UserReply),
    LoggedIn(Box<LoggedIn>),
    Verified(Verified),
}

/// The user.
#[derive(Serialize, ToSchema)]
#[schema(as = OriginalUserReply)]
pub(crate) struct UserReply {
    user: UserBody,
}

/// The session, its two tokens and the user.
#[derive(Serialize, ToSchema)]
#[schema(as = OriginalLoggedIn)]
pub(crate) struct LoggedIn {
    user: UserBody,
    #[schema(value_type = SessionId)]
    session_id: String,
    #[schema(example = "v4.public.…")]
    access_token: String,
    #[schema(value_type = RefreshToken)]
    refresh_token: String,
    #[schema(value_type = time::OffsetDateTime, example = json!(TOKEN_END))]
    access_token_expires_at: Option<Timestamp>,
    #[schema(value_type = time::OffsetDateTime, example = json!(SESSION_END))]
    refresh_token_expires_at: Option<Timestamp>,
}

/// That it is done.
#[derive(Serialize, ToSchema)]
#[schema(as = OriginalVerified)]
pub(crate) struct Verified {
    #[schema(example = true)]
    is_verified: bool,
}

/// The user as the original showed them. None of this is ever zero.
#[derive(Serialize, ToSchema)]
#[schema(as = OriginalUser)]
struct UserBody {
    #[schema(value_type = Username)]
    username: String,
    #[schema(value_type = FullName)]
    full_name: String,
    #[schema(value_type = Email)]
    email: String,
    #[schema(value_type = time::OffsetDateTime)]
    password_changed_at: Option<Timestamp>,
    #[schema(value_type = time::OffsetDateTime)]
    created_at: Option<Timestamp>,
}

impl From<Option<User>> for UserBody {
    fn from(user: Option<User>) -> Self {
        let user = user.unwrap_or_default();
        Self {
            username: user.username,
            full_name: user.full_name,
            email: user.email,
            password_changed_at: user.password_changed_at.into_option(),
            created_at: user.created_at.into_option(),
        }
    }
}

impl From<Option<User>> for Reply {
    fn from(user: Option<User>) -> Self {
        Self::User(UserReply { user: user.into() })
    }
}

impl From<LoginUserResponse> for Reply {
    fn from(reply: LoginUserResponse) -> Self {
        Self::LoggedIn(Box::new(LoggedIn {
            user: reply.user.into_option().into(),
            session_id: reply.session_id,
            access_token: reply.access_token,
            refresh_token: reply.refresh_token,
            access_token_expires_at: reply.access_token_expires_at.into_option(),
            refresh_token_expires_at: reply.refresh_token_expires_at.into_option(),
        }))
    }
}

impl From<VerifyEmailResponse> for Reply {
    fn from(reply: VerifyEmailResponse) -> Self {
        Self::Verified(Verified { is_verified: reply.is_verified })
    }
}
