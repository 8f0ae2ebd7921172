//! A user looks at their sessions and ends them.

use super::BankError;
use crate::{
    domain::{Caller, LiveSession, SessionId},
    store::Store,
};

/// The caller's live sessions, newest first.
///
/// # Errors
/// Those of every call for a session.
pub async fn list_sessions(
    store: &dyn Store,
    caller: &Caller,
) -> Result<Vec<LiveSession>, BankError> {
    Ok(store.list_sessions(caller).await?)
}

/// Ends one of the caller's sessions, of which the present one may be it. It ends on the next
/// request.
///
/// # Errors
/// [`BankError::NotFound`] when the caller has no such live session.
pub async fn end_session(
    store: &dyn Store,
    caller: &Caller,
    id: SessionId,
) -> Result<(), BankError> {
    Ok(store.end_session(caller, id).await?)
}

/// Ends the caller's present session.
///
/// # Errors
/// Those of every call for a session.
pub async fn log_out(store: &dyn Store, caller: &Caller) -> Result<(), BankError> {
    end_session(store, caller, caller.session_id).await
}
