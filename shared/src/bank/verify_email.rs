//! Somebody shows that an address is theirs.

use super::{BankError, publish::publish_at_once};
use crate::{
    auth::VerificationCode,
    domain::{Caller, VerificationId},
    store::Store,
    tasks::TaskQueue,
};

/// Spends a code for the address that it was mailed to.
///
/// # Errors
/// [`BankError::NotFound`] when there is no such code; [`BankError::CodeSpent`] when there was one.
pub async fn verify_email(
    store: &dyn Store,
    id: VerificationId,
    code: &VerificationCode,
) -> Result<(), BankError> {
    Ok(store.spend_verification(id, code.hash()).await?)
}

/// Has the caller's address mailed once more, if it is not verified.
///
/// # Errors
/// [`BankError::TooManyMails`] within a minute of the last time, and after five times a day.
pub async fn resend_verification(
    store: &dyn Store,
    queue: &dyn TaskQueue,
    caller: &Caller,
) -> Result<(), BankError> {
    if let Some(id) = store.request_verification(caller).await? {
        publish_at_once(store, queue, id).await;
    }
    Ok(())
}
