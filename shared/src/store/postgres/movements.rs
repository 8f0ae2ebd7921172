//! Movements of money: the database function `move_money`, which is one statement and therefore one
//! round trip and one transaction. What it does stands in its migration.

use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use super::Connections;
use crate::{
    domain::{
        Account, AccountId, Balance, Caller, Currency, Entry, EntryId, EntryKind, IdempotencyKey,
        Keyed, Movement, Payers, Posting, Refusal, TransferId,
    },
    store::StoreError,
};

/// One round trip.
pub(super) async fn execute(
    connections: &Connections,
    caller: &Caller,
    key: &IdempotencyKey,
    movement: Movement,
    payers: Payers,
) -> Result<Keyed<Posting>, StoreError> {
    let mut lease = connections.lease().await?;
    let hash = Sha256::digest(movement.canonical());
    let (paying, paid, amount, currency) = sides(movement);
    let moved = sqlx::query_as!(
        MovementRow,
        r#"SELECT outcome AS "outcome!", is_replay AS "is_replay!", account_id, account_currency,
                  account_created_at, entry_id, entry_amount, balance_after, transfer_id,
                  entry_created_at
           FROM move_money($1, $2, $3, $4, $5, $6, $7, $8, $9)"#,
        caller.session_id.0,
        caller.username.as_str(),
        key.as_str(),
        hash.as_slice(),
        paying.map(|id| id.0),
        paid.map(|id| id.0),
        amount,
        currency.map(Currency::code),
        payers == Payers::Verified,
    )
    .fetch_one(&mut *lease)
    .await;
    let row = lease.settle(moved).map_err(StoreError::in_doubt)?;
    let kind = kind(movement, row.transfer_id);
    row.into_keyed(caller, kind)
}

/// The paying side, the paid side, how much, and the currency that the client named. A side that is
/// absent is the world outside the bank.
fn sides(movement: Movement) -> (Option<AccountId>, Option<AccountId>, i64, Option<Currency>) {
    match movement {
        Movement::Deposit { account, amount } => (None, Some(account), amount.minor_units(), None),
        Movement::Withdrawal { account, amount } => {
            (Some(account), None, amount.minor_units(), None)
        }
        Movement::Transfer(new) => {
            (Some(new.from), Some(new.to), new.amount.minor_units(), Some(new.currency))
        }
    }
}

fn kind(movement: Movement, transfer_id: Option<i64>) -> Option<EntryKind> {
    match movement {
        Movement::Deposit { .. } => Some(EntryKind::Deposit),
        Movement::Withdrawal { .. } => Some(EntryKind::Withdrawal),
        Movement::Transfer(_) => transfer_id.map(|id| EntryKind::Transfer(TransferId(id))),
    }
}

struct MovementRow {
    outcome: String,
    is_replay: bool,
    account_id: Option<i64>,
    account_currency: Option<String>,
    account_created_at: Option<OffsetDateTime>,
    entry_id: Option<i64>,
    entry_amount: Option<i64>,
    balance_after: Option<i64>,
    transfer_id: Option<i64>,
    entry_created_at: Option<OffsetDateTime>,
}

impl MovementRow {
    fn into_keyed(
        self,
        caller: &Caller,
        kind: Option<EntryKind>,
    ) -> Result<Keyed<Posting>, StoreError> {
        let is_replay = self.is_replay;
        let refused = Refusal::ALL.into_iter().find(|refusal| refusal.code() == self.outcome);
        if let Some(refusal) = refused {
            return Ok(Keyed { outcome: Err(refusal), is_replay });
        }
        match self.outcome.as_str() {
            "done" => {
                let posting = self.into_posting(caller, kind);
                let column = "outcome";
                let posting =
                    posting.ok_or(StoreError::Inconsistent { table: "move_money", column })?;
                Ok(Keyed { outcome: Ok(posting), is_replay })
            }
            "session_ended" => Err(StoreError::SessionEnded),
            "email_not_verified" => Err(StoreError::EmailNotVerified),
            "not_found" => Err(StoreError::NotFound),
            "key_reused" => Err(StoreError::KeyReused),
            "request_in_flight" => Err(StoreError::RequestInFlight),
            _ => Err(StoreError::Inconsistent { table: "move_money", column: "outcome" }),
        }
    }

    /// `None` when a column of a movement that was done is missing or impossible.
    fn into_posting(self, caller: &Caller, kind: Option<EntryKind>) -> Option<Posting> {
        let balance_after = Balance::new(self.balance_after?)?;
        let account_id = AccountId(self.account_id?);
        Some(Posting {
            account: Account {
                id: account_id,
                owner: caller.username.clone(),
                balance: balance_after,
                currency: Currency::parse(&self.account_currency?).ok()?,
                created_at: self.account_created_at?,
            },
            entry: Entry {
                id: EntryId(self.entry_id?),
                account_id,
                amount: self.entry_amount?,
                balance_after,
                kind: kind?,
                created_at: self.entry_created_at?,
            },
        })
    }
}
