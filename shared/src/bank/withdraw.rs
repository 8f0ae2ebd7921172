//! Money leaves the bank.

use super::BankError;
use crate::{
    domain::{AccountId, Amount, Caller, IdempotencyKey, Posting},
    store::Store,
};

/// Takes money out of one of the caller's accounts.
///
/// # Errors
/// [`BankError::NotFound`] when the account is not the caller's, [`BankError::Refused`] when it
/// holds too little.
pub async fn withdraw(
    store: &dyn Store,
    caller: &Caller,
    key: &IdempotencyKey,
    account: AccountId,
    amount: Amount,
) -> Result<Posting, BankError> {
    Ok(store.withdraw(caller, key, account, amount).await?)
}
