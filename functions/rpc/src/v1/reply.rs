//! What leaves when a call was done: the fields that the original had, and no others.

use buffa_types::google::protobuf::Timestamp;
use proto::simplebank::v1::{LoginUserResponse, User, VerifyEmailResponse};
use serde::Serialize;

/// The reply of a call.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Reply {
    User(UserReply),
    LoggedIn(Box<LoggedIn>),
    Verified { is_verified: bool },
}

#[derive(Serialize)]
pub(super) struct UserReply {
    user: UserBody,
}

#[derive(Serialize)]
pub(super) struct LoggedIn {
    user: UserBody,
    session_id: String,
    access_token: String,
    refresh_token: String,
    access_token_expires_at: Option<Timestamp>,
    refresh_token_expires_at: Option<Timestamp>,
}

/// The user as the original showed them. None of this is ever zero.
#[derive(Serialize)]
struct UserBody {
    username: String,
    full_name: String,
    email: String,
    password_changed_at: Option<Timestamp>,
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
        Self::Verified { is_verified: reply.is_verified }
    }
}
