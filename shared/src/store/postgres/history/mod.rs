//! What has happened to money. Each statement is a file, so that a test can ask Postgres how it
//! would run the very text that is sent.
//!
//! A slice is found by its rows' positions in an index, never by counting: the last one of a long
//! list costs what the first one does. One row more than is wanted tells whether there are older
//! ones. Each starts from the caller's live session, as those of accounts do. One round trip each.

use time::OffsetDateTime;

use super::Connections;
use crate::{
    domain::{
        AccountId, Amount, Balance, Caller, Currency, Entry, EntryId, EntryKind, Position, Slice,
        Sliced, Transfer, TransferId,
    },
    store::StoreError,
};

pub(super) async fn list_entries(
    connections: &Connections,
    caller: &Caller,
    account: AccountId,
    slice: Slice,
) -> Result<Sliced<Entry>, StoreError> {
    let mut lease = connections.lease().await?;
    let listed = sqlx::query_file_as!(
        EntryRow,
        "src/store/postgres/history/entries.sql",
        caller.session_id.0,
        caller.username.as_str(),
        account.0,
        end(slice),
        one_more(slice),
    )
    .fetch_all(&mut *lease)
    .await;
    let rows = lease.settle(listed)?;
    rows.first().ok_or(StoreError::SessionEnded)?.account_id.ok_or(StoreError::NotFound)?;
    sliced(slice, rows.into_iter().filter_map(|row| row.into_entry().transpose()))
}

pub(super) async fn get_transfer(
    connections: &Connections,
    caller: &Caller,
    id: TransferId,
) -> Result<Transfer, StoreError> {
    let mut lease = connections.lease().await?;
    let found = sqlx::query_file_as!(
        TransferRow,
        "src/store/postgres/history/transfer.sql",
        caller.session_id.0,
        caller.username.as_str(),
        id.0,
    )
    .fetch_optional(&mut *lease)
    .await;
    let row = lease.settle(found)?.ok_or(StoreError::SessionEnded)?;
    row.into_transfer()?.ok_or(StoreError::NotFound)
}

pub(super) async fn list_transfers(
    connections: &Connections,
    caller: &Caller,
    slice: Slice,
) -> Result<Sliced<Transfer>, StoreError> {
    let mut lease = connections.lease().await?;
    let listed = sqlx::query_file_as!(
        TransferRow,
        "src/store/postgres/history/transfers.sql",
        caller.session_id.0,
        caller.username.as_str(),
        end(slice),
        one_more(slice),
    )
    .fetch_all(&mut *lease)
    .await;
    let rows = lease.settle(listed)?;
    rows.first().ok_or(StoreError::SessionEnded)?;
    sliced(slice, rows.into_iter().filter_map(|row| row.into_item().transpose()))
}

pub(super) async fn list_transfers_of(
    connections: &Connections,
    caller: &Caller,
    account: AccountId,
    slice: Slice,
) -> Result<Sliced<Transfer>, StoreError> {
    let mut lease = connections.lease().await?;
    let listed = sqlx::query_file_as!(
        AccountTransferRow,
        "src/store/postgres/history/transfers_of_account.sql",
        caller.session_id.0,
        caller.username.as_str(),
        account.0,
        end(slice),
        one_more(slice),
    )
    .fetch_all(&mut *lease)
    .await;
    let rows = lease.settle(listed)?;
    rows.first().ok_or(StoreError::SessionEnded)?.account_id.ok_or(StoreError::NotFound)?;
    sliced(
        slice,
        rows.into_iter().filter_map(|row| row.into_transfer_row().into_item().transpose()),
    )
}

/// The position that all rows of a slice are below.
fn end(slice: Slice) -> i64 {
    slice.before.map_or(i64::MAX, |position| position.0)
}

fn one_more(slice: Slice) -> i64 {
    slice.limit.rows().saturating_add(1)
}

/// Cuts off the row that was read to know whether there is one.
fn sliced<T>(
    slice: Slice,
    rows: impl Iterator<Item = Result<(Position, T), StoreError>>,
) -> Result<Sliced<T>, StoreError> {
    let mut rows = rows.collect::<Result<Vec<_>, _>>()?;
    let limit = usize::try_from(slice.limit.rows()).unwrap_or(usize::MAX);
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| has_more).map(|(position, _)| *position);
    Ok(Sliced { items: rows.into_iter().map(|(_, item)| item).collect(), next })
}

struct EntryRow {
    account_id: Option<i64>,
    position: Option<i64>,
    id: Option<i64>,
    kind: Option<String>,
    movement_id: Option<i64>,
    amount: Option<i64>,
    balance_after: Option<i64>,
    created_at: Option<OffsetDateTime>,
}

impl EntryRow {
    /// `None` when the outer join found no entry.
    fn into_entry(self) -> Result<Option<(Position, Entry)>, StoreError> {
        let inconsistent = |column| StoreError::Inconsistent { table: "entries", column };
        let (
            Some(account_id),
            Some(position),
            Some(id),
            Some(kind),
            Some(movement_id),
            Some(amount),
            Some(balance_after),
            Some(created_at),
        ) = (
            self.account_id,
            self.position,
            self.id,
            self.kind,
            self.movement_id,
            self.amount,
            self.balance_after,
            self.created_at,
        )
        else {
            return Ok(None);
        };
        let entry = Entry {
            id: EntryId(id),
            account_id: AccountId(account_id),
            amount,
            balance_after: Balance::new(balance_after)
                .ok_or_else(|| inconsistent("balance_after"))?,
            kind: entry_kind(&kind, movement_id).ok_or_else(|| inconsistent("kind"))?,
            created_at,
        };
        Ok(Some((Position(position), entry)))
    }
}

fn entry_kind(name: &str, movement_id: i64) -> Option<EntryKind> {
    let transfer = EntryKind::Transfer(TransferId(movement_id));
    [EntryKind::Deposit, EntryKind::Withdrawal, transfer]
        .into_iter()
        .find(|kind| kind.name() == name)
}

struct TransferRow {
    id: Option<i64>,
    from_account_id: Option<i64>,
    to_account_id: Option<i64>,
    amount: Option<i64>,
    currency: Option<String>,
    created_at: Option<OffsetDateTime>,
}

impl TransferRow {
    /// `None` when the outer join found no transfer.
    fn into_transfer(self) -> Result<Option<Transfer>, StoreError> {
        let inconsistent = |column| StoreError::Inconsistent { table: "movements", column };
        let (Some(id), Some(from), Some(to), Some(amount), Some(currency), Some(created_at)) = (
            self.id,
            self.from_account_id,
            self.to_account_id,
            self.amount,
            self.currency,
            self.created_at,
        ) else {
            return Ok(None);
        };
        Ok(Some(Transfer {
            id: TransferId(id),
            from: AccountId(from),
            to: AccountId(to),
            amount: Amount::new(amount).map_err(|_| inconsistent("amount"))?,
            currency: Currency::parse(&currency).map_err(|_| inconsistent("currency"))?,
            created_at,
        }))
    }

    /// With its place among transfers, which are ordered by their numbers.
    fn into_item(self) -> Result<Option<(Position, Transfer)>, StoreError> {
        let transfer = self.into_transfer()?;
        Ok(transfer.map(|transfer| (Position(transfer.id.0), transfer)))
    }
}

struct AccountTransferRow {
    account_id: Option<i64>,
    id: Option<i64>,
    from_account_id: Option<i64>,
    to_account_id: Option<i64>,
    amount: Option<i64>,
    currency: Option<String>,
    created_at: Option<OffsetDateTime>,
}

impl AccountTransferRow {
    fn into_transfer_row(self) -> TransferRow {
        TransferRow {
            id: self.id,
            from_account_id: self.from_account_id,
            to_account_id: self.to_account_id,
            amount: self.amount,
            currency: self.currency,
            created_at: self.created_at,
        }
    }
}
