//! Accounts. Each statement starts from the caller's live session, so that one round trip answers
//! both "may they?" and "what is there?": no row means that the session has ended, a row of nulls
//! that there is no such account of theirs.

use time::OffsetDateTime;

use super::Connections;
use crate::{
    domain::{Account, AccountId, Balance, Caller, Currency, Page, Username},
    store::StoreError,
};

pub(super) async fn open(
    connections: &Connections,
    caller: &Caller,
    currency: Currency,
) -> Result<Account, StoreError> {
    let mut lease = connections.lease().await?;
    let opened = sqlx::query_as!(
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
    .fetch_optional(&mut *lease)
    .await;
    let row = lease.settle(opened).map_err(StoreError::in_doubt)?;
    row.ok_or(StoreError::SessionEnded)?.into_account()?.ok_or(StoreError::NotFound)
}

pub(super) async fn get(
    connections: &Connections,
    caller: &Caller,
    id: AccountId,
) -> Result<Account, StoreError> {
    let mut lease = connections.lease().await?;
    let found = sqlx::query_as!(
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
    .fetch_optional(&mut *lease)
    .await;
    let row = lease.settle(found)?.ok_or(StoreError::SessionEnded)?;
    row.into_account()?.ok_or(StoreError::NotFound)
}

pub(super) async fn list(
    connections: &Connections,
    caller: &Caller,
    page: Page,
) -> Result<Vec<Account>, StoreError> {
    let mut lease = connections.lease().await?;
    let listed = sqlx::query_as!(
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
    .fetch_all(&mut *lease)
    .await;
    into_accounts(lease.settle(listed)?)
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
