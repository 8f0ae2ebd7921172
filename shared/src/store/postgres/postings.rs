//! Postings: an entry together with the balance that it changes. Every balance changes here and
//! nowhere else.

use sqlx::{PgConnection, PgPool};

use super::accounts;
use crate::{
    domain::{
        Account, AccountId, Amount, Balance, Caller, Entry, EntryId, EntryKind, Posting, Refusal,
    },
    store::StoreError,
};

/// Four round trips: begin, lock, post, commit.
pub(super) async fn deposit(
    pool: &PgPool,
    caller: &Caller,
    id: AccountId,
    amount: Amount,
) -> Result<Posting, StoreError> {
    let mut transaction = pool.begin().await?;
    let account = lock_own(&mut transaction, caller, id).await?;
    let change = Change::credit(&account, amount)?;
    let posting = post(&mut transaction, account, change, EntryKind::Deposit).await?;
    transaction.commit().await.map_err(StoreError::at_commit)?;
    Ok(posting)
}

/// Four round trips: begin, lock, post, commit.
pub(super) async fn withdraw(
    pool: &PgPool,
    caller: &Caller,
    id: AccountId,
    amount: Amount,
) -> Result<Posting, StoreError> {
    let mut transaction = pool.begin().await?;
    let account = lock_own(&mut transaction, caller, id).await?;
    let change = Change::debit(&account, amount)?;
    let posting = post(&mut transaction, account, change, EntryKind::Withdrawal).await?;
    transaction.commit().await.map_err(StoreError::at_commit)?;
    Ok(posting)
}

async fn lock_own(
    transaction: &mut PgConnection,
    caller: &Caller,
    id: AccountId,
) -> Result<Account, StoreError> {
    accounts::lock(transaction, caller, &[id])
        .await?
        .into_iter()
        .find(|account| account.owner == caller.username)
        .ok_or(StoreError::NotFound)
}

/// A change of one balance that the rules of money allow.
pub(super) struct Change {
    amount: i64,
    balance_after: Balance,
}

impl Change {
    pub(super) fn credit(account: &Account, amount: Amount) -> Result<Self, Refusal> {
        let balance_after = account.balance.credit(amount)?;
        Ok(Self { amount: amount.minor_units(), balance_after })
    }

    pub(super) fn debit(account: &Account, amount: Amount) -> Result<Self, Refusal> {
        let balance_after = account.balance.debit(amount)?;
        Ok(Self { amount: amount.minor_units().saturating_neg(), balance_after })
    }
}

/// Writes an entry and the balance that it leads to, for an account that the transaction holds
/// locked. One round trip.
pub(super) async fn post(
    transaction: &mut PgConnection,
    account: Account,
    change: Change,
    kind: EntryKind,
) -> Result<Posting, StoreError> {
    let row = sqlx::query!(
        "WITH changed AS (
             UPDATE accounts SET balance = $3 WHERE id = $1
         )
         INSERT INTO entries (account_id, amount, balance_after, kind, transfer_id)
         VALUES ($1, $2, $3, $4, $5)
         RETURNING id, created_at",
        account.id.0,
        change.amount,
        change.balance_after.minor_units(),
        kind.name(),
        kind.transfer_id().map(|id| id.0),
    )
    .fetch_one(transaction)
    .await?;
    let entry = Entry {
        id: EntryId(row.id),
        account_id: account.id,
        amount: change.amount,
        balance_after: change.balance_after,
        kind,
        created_at: row.created_at,
    };
    Ok(Posting { account: Account { balance: change.balance_after, ..account }, entry })
}
