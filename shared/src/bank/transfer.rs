//! Money moves from one account to another.

use super::BankError;
use crate::{
    domain::{Caller, IdempotencyKey, NewTransfer, Transferred},
    store::Store,
};

/// Moves money from one of the caller's accounts to anybody's account of the same currency.
///
/// # Errors
/// [`BankError::NotFound`] when the paying account is not the caller's, [`BankError::Refused`] with
/// the reason otherwise.
pub async fn transfer(
    store: &dyn Store,
    caller: &Caller,
    key: &IdempotencyKey,
    new: NewTransfer,
) -> Result<Transferred, BankError> {
    Ok(store.transfer(caller, key, new).await?)
}
