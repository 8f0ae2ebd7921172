//! Money moves from one account to another.

use super::{BankError, move_money::move_money};
use crate::{
    domain::{
        Caller, IdempotencyKey, Keyed, Movement, NewTransfer, Posting, Transfer, Transferred,
    },
    store::Store,
};

/// Moves money from one of the caller's accounts to anybody's account of the same currency.
///
/// # Errors
/// [`BankError::NotFound`] when the paying account is not the caller's, and those of the key. A
/// refusal is part of the answer, since it is given again under the same key.
pub async fn transfer(
    store: &dyn Store,
    caller: &Caller,
    key: &IdempotencyKey,
    new: NewTransfer,
) -> Result<Keyed<Transferred>, BankError> {
    let Keyed { outcome, is_replay } =
        move_money(store, caller, key, Movement::Transfer(new)).await?;
    let outcome = match outcome {
        Ok(posting) => Ok(transferred(new, posting)?),
        Err(refusal) => Err(refusal),
    };
    Ok(Keyed { outcome, is_replay })
}

fn transferred(new: NewTransfer, posting: Posting) -> Result<Transferred, BankError> {
    let Posting { account: from_account, entry: from_entry } = posting;
    let id = from_entry.kind.transfer_id();
    let transfer = Transfer {
        id: id.ok_or_else(|| BankError::Internal("a transfer's entry names none".into()))?,
        from: new.from,
        to: new.to,
        amount: new.amount,
        currency: new.currency,
        created_at: from_entry.created_at,
    };
    Ok(Transferred { transfer, from_account, from_entry })
}
