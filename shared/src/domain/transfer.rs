//! Transfers: money from one account to another of the same currency.

use time::OffsetDateTime;

use super::{Account, AccountId, Amount, Currency, Entry, Invalid};

/// A transfer's number: positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransferId(pub i64);

impl TransferId {
    /// Checks a number that a client sent.
    ///
    /// # Errors
    /// When it is not positive.
    pub fn parse(number: i64) -> Result<Self, Invalid> {
        AccountId::parse(number).map(|positive| Self(positive.0))
    }
}

/// A transfer that somebody asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewTransfer {
    /// The account that pays; it must be the caller's.
    pub from: AccountId,
    /// The account that is paid.
    pub to: AccountId,
    /// How much.
    pub amount: Amount,
    /// What the client believes both accounts are kept in.
    pub currency: Currency,
}

/// A transfer that was made. Transfers are only ever added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transfer {
    /// Its number.
    pub id: TransferId,
    /// The account that paid.
    pub from: AccountId,
    /// The account that was paid.
    pub to: AccountId,
    /// How much.
    pub amount: Amount,
    /// The currency of both accounts.
    pub currency: Currency,
    /// When it was made.
    pub created_at: OffsetDateTime,
}

/// A transfer, done, as its sender may see it: nothing of the recipient but the account's number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transferred {
    /// The transfer.
    pub transfer: Transfer,
    /// The account that paid, after it paid.
    pub from_account: Account,
    /// The sender's side of the transfer.
    pub from_entry: Entry,
}
