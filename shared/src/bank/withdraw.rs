//! Money leaves the bank.

use super::{BankError, move_money::move_money};
use crate::{
    domain::{AccountId, Amount, Caller, IdempotencyKey, Keyed, Movement, Posting},
    store::Store,
};

/// Takes money out of one of the caller's accounts.
///
/// # Errors
/// [`BankError::NotFound`] when the account is not the caller's, and those of the key. A refusal is
/// part of the answer, since it is given again under the same key.
pub async fn withdraw(
    store: &dyn Store,
    caller: &Caller,
    key: &IdempotencyKey,
    account: AccountId,
    amount: Amount,
) -> Result<Keyed<Posting>, BankError> {
    move_money(store, caller, key, Movement::Withdrawal { account, amount }).await
}
