//! A user gets an account.

use super::BankError;
use crate::{
    domain::{Account, Caller, Currency},
    store::Store,
};

/// Opens an account with balance 0.
///
/// # Errors
/// [`BankError::Taken`] when the caller has one in that currency.
pub async fn open_account(
    store: &dyn Store,
    caller: &Caller,
    currency: Currency,
) -> Result<Account, BankError> {
    Ok(store.open_account(caller, currency).await?)
}
