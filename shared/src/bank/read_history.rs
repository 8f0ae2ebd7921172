//! A user looks at what has happened to their money.

use super::BankError;
use crate::{
    domain::{AccountId, Caller, Entry, Slice, Sliced, Transfer, TransferId},
    store::Store,
};

/// Entries of one of the caller's accounts, newest first.
///
/// # Errors
/// [`BankError::NotFound`] when there is no account of that number, or it is somebody else's.
pub async fn list_entries(
    store: &dyn Store,
    caller: &Caller,
    account: AccountId,
    slice: Slice,
) -> Result<Sliced<Entry>, BankError> {
    Ok(store.list_entries(caller, account, slice).await?)
}

/// A transfer that the caller sent or received.
///
/// # Errors
/// [`BankError::NotFound`] when there is none of that number, or it is others'.
pub async fn get_transfer(
    store: &dyn Store,
    caller: &Caller,
    id: TransferId,
) -> Result<Transfer, BankError> {
    Ok(store.get_transfer(caller, id).await?)
}

/// Transfers that the caller sent or received, by one account or by any of theirs, newest first.
///
/// # Errors
/// [`BankError::NotFound`] when there is no account of that number, or it is somebody else's.
pub async fn list_transfers(
    store: &dyn Store,
    caller: &Caller,
    account: Option<AccountId>,
    slice: Slice,
) -> Result<Sliced<Transfer>, BankError> {
    Ok(store.list_transfers(caller, account, slice).await?)
}
