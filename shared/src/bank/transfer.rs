//! Money moves from one account to another.

use super::BankError;
use crate::{
    domain::{
        Caller, IdempotencyKey, Keyed, Movement, NewTransfer, Posting, Transfer, TransferId,
        Transferred,
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
    let posted = store.move_money(caller, key, Movement::Transfer(new)).await?;
    Ok(posted.map(|posting| transferred(new, posting)))
}

fn transferred(new: NewTransfer, posting: Posting) -> Transferred {
    let Posting { account, entry } = posting;
    let transfer = Transfer {
        id: entry.kind.transfer_id().unwrap_or(TransferId(0)),
        from: new.from,
        to: new.to,
        amount: new.amount,
        currency: new.currency,
        created_at: entry.created_at,
    };
    Transferred { transfer, from_account: account, from_entry: entry }
}
