//! Accounts: one owner, one currency, one balance.

use time::OffsetDateTime;

use super::{Balance, Currency, Invalid, Username};

/// An account's number: positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(pub i64);

impl AccountId {
    /// Checks a number that a client sent.
    ///
    /// # Errors
    /// When it is not positive.
    pub fn parse(number: i64) -> Result<Self, Invalid> {
        if number > 0 {
            Ok(Self(number))
        } else {
            Err(Invalid::from("must be a positive whole number"))
        }
    }
}

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
