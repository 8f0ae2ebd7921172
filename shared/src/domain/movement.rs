//! Movements: what is asked of money, and what came of it.

use super::{Account, AccountId, Amount, Entry, NewTransfer};

/// Money that somebody wants to move, by one request under one idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Movement {
    /// Into one of the caller's accounts, from outside the bank.
    Deposit {
        /// The account that is paid.
        account: AccountId,
        /// How much.
        amount: Amount,
    },
    /// Out of one of the caller's accounts, to outside the bank.
    Withdrawal {
        /// The account that pays.
        account: AccountId,
        /// How much.
        amount: Amount,
    },
    /// From one of the caller's accounts to any other.
    Transfer(NewTransfer),
}

impl Movement {
    /// What it is called.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Deposit { .. } => "deposit",
            Self::Withdrawal { .. } => "withdrawal",
            Self::Transfer(_) => "transfer",
        }
    }

    /// How much it moves.
    #[must_use]
    pub fn amount(&self) -> Amount {
        match self {
            Self::Deposit { amount, .. } | Self::Withdrawal { amount, .. } => *amount,
            Self::Transfer(new) => new.amount,
        }
    }

    /// The one way to write the request down. Two requests are the same if these are: the key of
    /// one does not serve for another.
    #[must_use]
    pub fn canonical(&self) -> String {
        match self {
            Self::Deposit { account, amount } => {
                format!("deposit account={} amount={}", account.0, amount.minor_units())
            }
            Self::Withdrawal { account, amount } => {
                format!("withdrawal account={} amount={}", account.0, amount.minor_units())
            }
            Self::Transfer(new) => format!(
                "transfer from={} to={} amount={} currency={}",
                new.from.0,
                new.to.0,
                new.amount.minor_units(),
                new.currency
            ),
        }
    }
}

/// One change of one account, done: the account as it was after it, and the entry that records it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    /// The account right after the change.
    pub account: Account,
    /// The change.
    pub entry: Entry,
}

/// The answer to a request under an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyed<T> {
    /// What was done, or why nothing was.
    pub outcome: Result<T, Refusal>,
    /// Whether this is the first answer given again: nothing was done now.
    pub is_replay: bool,
}

impl<T> Keyed<T> {
    /// The same answer in other words.
    pub fn map<U>(self, words: impl FnOnce(T) -> U) -> Keyed<U> {
        Keyed { outcome: self.outcome.map(words), is_replay: self.is_replay }
    }
}

/// Why the bank would not move the money. No money was moved, then or now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The account holds less than the amount.
    #[error("the account holds less than the amount")]
    InsufficientFunds,
    /// There is no such account, or it is kept in another currency: one answer, so that nobody can
    /// sound out other people's accounts.
    #[error("the recipient cannot be paid in this currency")]
    RecipientUnavailable,
    /// The caller's own account is kept in another currency than the request names.
    #[error("the account is kept in another currency")]
    CurrencyMismatch,
    /// Both sides are one account.
    #[error("both sides are one account")]
    SameAccount,
    /// The receiving balance would pass 2^53 − 1 minor units.
    #[error("the receiving balance would pass its limit")]
    BalanceLimit,
}

impl Refusal {
    /// Every reason.
    pub const ALL: [Self; 5] = [
        Self::InsufficientFunds,
        Self::RecipientUnavailable,
        Self::CurrencyMismatch,
        Self::SameAccount,
        Self::BalanceLimit,
    ];

    /// The name that clients and the database see.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::InsufficientFunds => "insufficient_funds",
            Self::RecipientUnavailable => "recipient_unavailable",
            Self::CurrencyMismatch => "currency_mismatch",
            Self::SameAccount => "same_account",
            Self::BalanceLimit => "balance_limit",
        }
    }
}
