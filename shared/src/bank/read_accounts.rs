//! A user looks at their accounts.

use super::BankError;
use crate::{
    domain::{Account, AccountId, Caller, Page},
    store::Store,
};

/// One of the caller's accounts.
///
/// # Errors
/// [`BankError::NotFound`] when there is none of that number, or it is somebody else's.
pub async fn get_account(
    store: &dyn Store,
    caller: &Caller,
    id: AccountId,
) -> Result<Account, BankError> {
    Ok(store.get_account(caller, id).await?)
}

/// The caller's accounts in order of their numbers.
///
/// # Errors
/// Those of every call for a session.
pub async fn list_accounts(
    store: &dyn Store,
    caller: &Caller,
    page: Page,
) -> Result<Vec<Account>, BankError> {
    Ok(store.list_accounts(caller, page).await?)
}
