//! Accounts. Each statement starts from the caller's live session, so that one round trip answers
//! both "may they?" and "what is there?": no row means that the session has ended, a row of nulls
//! that there is no such account of theirs.

use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;

use crate::{
    domain::{Account, AccountId, Balance, Caller, Currency, Page, Username},
    store::StoreError,
};

pub(super) async fn open(
    pool: &PgPool,
    caller: &Caller,
    currency: Currency,
) -> Result<Account, StoreError> {
    sqlx::query_as!(
        AccountRow,
        r#"INSERT INTO accounts (owner, currency)
           SELECT live_sessions.username, $3
           FROM live_sessions
           WHERE live_sessions.id = $1 AND live_sessions.username = $2
           RETURNING id AS "id?", owner AS "owner?", balance AS "balance?",
                     currency AS "currency?", created_at AS "created_at?""#,
        caller.session_id.0,
        caller.username.as_str(),
        currency.code(),
    )
    .fetch_optional(pool)
    .await?
    .ok_or(StoreError::SessionEnded)?
    .into_account()?
    .ok_or(StoreError::NotFound)
}

pub(super) async fn get(
    pool: &PgPool,
    caller: &Caller,
    id: AccountId,
) -> Result<Account, StoreError> {
    sqlx::query_as!(
        AccountRow,
        r#"SELECT accounts.id AS "id?", accounts.owner AS "owner?",
                  accounts.balance AS "balance?", accounts.currency AS "currency?",
                  accounts.created_at AS "created_at?"
           FROM live_sessions
           LEFT JOIN accounts ON accounts.owner = live_sessions.username AND accounts.id = $3
           WHERE live_sessions.id = $1 AND live_sessions.username = $2"#,
        caller.session_id.0,
        caller.username.as_str(),
        id.0,
    )
    .fetch_optional(pool)
    .await?
    .ok_or(StoreError::SessionEnded)?
    .into_account()?
    .ok_or(StoreError::NotFound)
}

pub(super) async fn list(
    pool: &PgPool,
    caller: &Caller,
    page: Page,
) -> Result<Vec<Account>, StoreError> {
    let rows = sqlx::query_as!(
        AccountRow,
        r#"SELECT page.id AS "id?", page.owner AS "owner?", page.balance AS "balance?",
                  page.currency AS "currency?", page.created_at AS "created_at?"
           FROM live_sessions
           LEFT JOIN LATERAL (
               SELECT * FROM accounts
               WHERE accounts.owner = live_sessions.username
               ORDER BY accounts.id
               LIMIT $3 OFFSET $4
           ) AS page ON true
           WHERE live_sessions.id = $1 AND live_sessions.username = $2
           ORDER BY page.id"#,
        caller.session_id.0,
        caller.username.as_str(),
        page.limit(),
        page.offset(),
    )
    .fetch_all(pool)
    .await?;
    into_accounts(rows)
}

/// Locks the accounts of these numbers for a change of their balances, whoever owns them.
///
/// In the order of their numbers, whatever the order they were asked in: two transfers in opposite
/// directions then wait for one another instead of dying in a deadlock. `NO KEY`, because a
/// foreign key that points at an account must not wait for money to move.
///
/// One round trip. The caller checks whose they are.
pub(super) async fn lock(
    transaction: &mut PgConnection,
    caller: &Caller,
    ids: &[AccountId],
) -> Result<Vec<Account>, StoreError> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    let rows = sqlx::query_as!(
        AccountRow,
        r#"WITH caller AS (
               SELECT username FROM live_sessions WHERE id = $1 AND username = $2
           ),
           locked AS (
               SELECT * FROM accounts
               WHERE id = ANY ($3) AND EXISTS (SELECT FROM caller)
               ORDER BY id
               FOR NO KEY UPDATE
           )
           SELECT locked.id AS "id?", locked.owner AS "owner?", locked.balance AS "balance?",
                  locked.currency AS "currency?", locked.created_at AS "created_at?"
           FROM caller
           LEFT JOIN locked ON true"#,
        caller.session_id.0,
        caller.username.as_str(),
        &ids,
    )
    .fetch_all(transaction)
    .await?;
    into_accounts(rows)
}

fn into_accounts(rows: Vec<AccountRow>) -> Result<Vec<Account>, StoreError> {
    if rows.is_empty() {
        return Err(StoreError::SessionEnded);
    }
    rows.into_iter().filter_map(|row| row.into_account().transpose()).collect()
}

struct AccountRow {
    id: Option<i64>,
    owner: Option<String>,
    balance: Option<i64>,
    currency: Option<String>,
    created_at: Option<OffsetDateTime>,
}

impl AccountRow {
    /// `None` when the outer join found no account.
    fn into_account(self) -> Result<Option<Account>, StoreError> {
        let inconsistent = |column| StoreError::Inconsistent { table: "accounts", column };
        let (Some(id), Some(owner), Some(balance), Some(currency), Some(created_at)) =
            (self.id, self.owner, self.balance, self.currency, self.created_at)
        else {
            return Ok(None);
        };
        Ok(Some(Account {
            id: AccountId(id),
            owner: Username::parse(&owner).map_err(|_| inconsistent("owner"))?,
            balance: Balance::new(balance).ok_or_else(|| inconsistent("balance"))?,
            currency: Currency::parse(&currency).map_err(|_| inconsistent("currency"))?,
            created_at,
        }))
    }
}
