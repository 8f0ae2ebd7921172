//! Transfers: two postings that sum to zero.

use sqlx::{PgConnection, PgPool};

use super::{
    accounts,
    postings::{self, Change},
};
use crate::{
    domain::{Account, Caller, EntryKind, NewTransfer, Refusal, Transfer, TransferId, Transferred},
    store::StoreError,
};

/// Every check comes before the first write, so that a refusal leaves nothing to undo.
///
/// Six round trips: begin, lock, transfer, two postings, commit.
pub(super) async fn create(
    pool: &PgPool,
    caller: &Caller,
    new: NewTransfer,
) -> Result<Transferred, StoreError> {
    let mut transaction = pool.begin().await?;
    let locked = accounts::lock(&mut transaction, caller, &[new.from, new.to]).await?;
    let (from, to) = admit(caller, new, &locked)?;
    let debit = Change::debit(from, new.amount)?;
    let credit = Change::credit(to, new.amount)?;

    let transfer = insert(&mut transaction, new).await?;
    let kind = EntryKind::Transfer(transfer.id);
    let sent = postings::post(&mut transaction, from.clone(), debit, kind).await?;
    postings::post(&mut transaction, to.clone(), credit, kind).await?;
    transaction.commit().await.map_err(StoreError::at_commit)?;
    Ok(Transferred { transfer, from_account: sent.account, from_entry: sent.entry })
}

/// Both sides, if the transfer may go on. Whose account pays is looked at first, so that nobody
/// learns anything of an account that is not theirs.
fn admit<'a>(
    caller: &Caller,
    new: NewTransfer,
    locked: &'a [Account],
) -> Result<(&'a Account, &'a Account), StoreError> {
    let find = |id| locked.iter().find(|account| account.id == id);
    let from =
        find(new.from).filter(|from| from.owner == caller.username).ok_or(StoreError::NotFound)?;
    if from.currency != new.currency {
        return Err(Refusal::CurrencyMismatch.into());
    }
    if new.from == new.to {
        return Err(Refusal::SameAccount.into());
    }
    let to = find(new.to)
        .filter(|to| to.currency == new.currency)
        .ok_or(Refusal::RecipientUnavailable)?;
    Ok((from, to))
}

async fn insert(transaction: &mut PgConnection, new: NewTransfer) -> Result<Transfer, StoreError> {
    let row = sqlx::query!(
        "INSERT INTO transfers (from_account_id, to_account_id, amount, currency)
         VALUES ($1, $2, $3, $4)
         RETURNING id, created_at",
        new.from.0,
        new.to.0,
        new.amount.minor_units(),
        new.currency.code(),
    )
    .fetch_one(transaction)
    .await?;
    Ok(Transfer {
        id: TransferId(row.id),
        from: new.from,
        to: new.to,
        amount: new.amount,
        currency: new.currency,
        created_at: row.created_at,
    })
}
