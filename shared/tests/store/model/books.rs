//! Everything that some customers have left behind, row by row: as the tables hold it, and as the
//! model says that they should.

use shared::domain::{Caller, Movement};
use sqlx::PgPool;

use super::bank::{Known, PureBank};

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Books {
    accounts: Vec<AccountRow>,
    movements: Vec<MovementRow>,
    entries: Vec<EntryRow>,
}

#[derive(Debug, PartialEq, Eq)]
struct AccountRow {
    id: i64,
    owner: String,
    currency: String,
    balance: i64,
    version: i64,
}

#[derive(Debug, PartialEq, Eq)]
struct MovementRow {
    username: String,
    key: String,
    refusal: Option<String>,
    kind: Option<String>,
    from_account_id: Option<i64>,
    to_account_id: Option<i64>,
    amount: Option<i64>,
    currency: Option<String>,
}

#[derive(Debug, PartialEq, Eq)]
struct EntryRow {
    account_id: i64,
    account_version: i64,
    key: String,
    kind: String,
    currency: String,
    amount: i64,
    balance_after: i64,
}

impl Books {
    /// Every row of theirs: one movement for each key, in the order of the requests.
    pub(super) async fn read(pool: &PgPool, customers: &[Caller]) -> Self {
        let usernames: Vec<String> =
            customers.iter().map(|caller| caller.username.as_str().to_owned()).collect();
        let accounts = sqlx::query_as!(
            AccountRow,
            "SELECT id, owner, currency, balance, version FROM accounts
             WHERE owner = ANY ($1) ORDER BY id",
            &usernames
        );
        let movements = sqlx::query_as!(
            MovementRow,
            "SELECT username, key, refusal, kind, from_account_id, to_account_id, amount, currency
             FROM movements WHERE username = ANY ($1) ORDER BY id",
            &usernames
        );
        let entries = sqlx::query_as!(
            EntryRow,
            "SELECT entries.account_id, entries.account_version, movements.key, entries.kind,
                    entries.currency, entries.amount, entries.balance_after
             FROM accounts
             JOIN entries ON entries.account_id = accounts.id
             JOIN movements ON movements.id = entries.movement_id
             WHERE accounts.owner = ANY ($1) ORDER BY entries.account_id, entries.account_version",
            &usernames
        );
        Self {
            accounts: accounts.fetch_all(pool).await.unwrap(),
            movements: movements.fetch_all(pool).await.unwrap(),
            entries: entries.fetch_all(pool).await.unwrap(),
        }
    }

    pub(super) fn expected(bank: &PureBank, customers: &[Caller]) -> Self {
        let username = |customer: usize| customers[customer].username.as_str().to_owned();
        let mut books = Self { accounts: Vec::new(), movements: Vec::new(), entries: Vec::new() };
        for account in &bank.accounts {
            books.accounts.push(AccountRow {
                id: account.id.0,
                owner: username(account.owner),
                currency: account.currency.to_string(),
                balance: account.balance().minor_units(),
                version: account.entries.len().try_into().unwrap(),
            });
            books.entries.extend((1..).zip(&account.entries).map(|(version, (key, entry))| {
                EntryRow {
                    account_id: account.id.0,
                    account_version: version,
                    key: key.clone(),
                    kind: entry.kind.to_owned(),
                    currency: account.currency.to_string(),
                    amount: entry.amount,
                    balance_after: entry.balance_after.minor_units(),
                }
            }));
        }
        books.movements.extend(bank.known.iter().map(|known| movement_row(known, username)));
        books
    }
}

fn movement_row(known: &Known, username: impl Fn(usize) -> String) -> MovementRow {
    let row = MovementRow {
        username: username(known.customer),
        key: known.key.clone(),
        refusal: None,
        kind: None,
        from_account_id: None,
        to_account_id: None,
        amount: None,
        currency: None,
    };
    let posted = match known.outcome {
        Ok(posted) => posted,
        Err(refusal) => return MovementRow { refusal: Some(refusal.code().to_owned()), ..row },
    };
    let (from, to, amount) = match known.movement {
        Movement::Deposit { account, amount } => (None, Some(account), amount),
        Movement::Withdrawal { account, amount } => (Some(account), None, amount),
        Movement::Transfer(new) => (Some(new.from), Some(new.to), new.amount),
    };
    MovementRow {
        kind: Some(posted.entry.kind.to_owned()),
        from_account_id: from.map(|id| id.0),
        to_account_id: to.map(|id| id.0),
        amount: Some(amount.minor_units()),
        currency: Some(posted.account.currency.to_string()),
        ..row
    }
}
