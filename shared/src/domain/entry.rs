//! Entries: every change of a balance, with its cause.

use time::OffsetDateTime;

use super::{AccountId, Balance, TransferId};

/// An entry's number: positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId(pub i64);

/// What made the balance change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// Money came in from outside the bank.
    Deposit,
    /// Money left the bank.
    Withdrawal,
    /// One side of a transfer between two accounts.
    Transfer(TransferId),
}

impl EntryKind {
    /// The name that clients see.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Deposit => "deposit",
            Self::Withdrawal => "withdrawal",
            Self::Transfer(_) => "transfer",
        }
    }

    /// The transfer that the entry is a side of, if it is one.
    #[must_use]
    pub fn transfer_id(self) -> Option<TransferId> {
        match self {
            Self::Deposit | Self::Withdrawal => None,
            Self::Transfer(id) => Some(id),
        }
    }
}

/// One change of one balance. Entries are only ever added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number.
    pub id: EntryId,
    /// The account whose balance changed.
    pub account_id: AccountId,
    /// Signed minor units: negative when money left the account.
    pub amount: i64,
    /// The account's balance once this entry was made.
    pub balance_after: Balance,
    /// What made it.
    pub kind: EntryKind,
    /// When it was made.
    pub created_at: OffsetDateTime,
}
