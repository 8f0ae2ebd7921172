//! Who asks.

use super::{SessionId, Username};

/// A user, in one session, whose access token was verified and has not expired.
///
/// Every use case made for somebody asks for one, and every statement that the store runs for a
/// caller joins the live session: a `Caller` proves a token, not that its session still lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Whose token it is.
    pub username: Username,
    /// The session that the token was given out in.
    pub session_id: SessionId,
}
