//! Accounts: one owner, one currency, one balance.

use time::OffsetDateTime;

use super::{Balance, Currency, Username};

/// An account's number: positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(pub i64);

/// An account as it stood when it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its number.
    pub id: AccountId,
    /// The user whose money it holds.
    pub owner: Username,
    /// What it holds.
    pub balance: Balance,
    /// What the balance is counted in.
    pub currency: Currency,
    /// When it was opened.
    pub created_at: OffsetDateTime,
}
