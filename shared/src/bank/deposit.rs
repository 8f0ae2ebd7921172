//! Money comes in from outside the bank.

use super::BankError;
use crate::{
    domain::{AccountId, Amount, Caller, IdempotencyKey, Posting},
    store::Store,
};

/// Puts money into one of the caller's accounts.
///
/// # Errors
/// [`BankError::NotFound`] when the account is not the caller's, [`BankError::Refused`] when its
/// balance would pass the limit.
pub async fn deposit(
    store: &dyn Store,
    caller: &Caller,
    key: &IdempotencyKey,
    account: AccountId,
    amount: Amount,
) -> Result<Posting, BankError> {
    Ok(store.deposit(caller, key, account, amount).await?)
}
