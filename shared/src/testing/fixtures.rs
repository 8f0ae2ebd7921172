//! Things of the bank to answer with.

use super::clock;
use crate::domain::{
    Account, AccountId, Amount, Balance, Credentials, Currency, Entry, EntryId, EntryKind, Keyed,
    Posting, Role, Transfer, TransferId, User, Username,
};

/// An account in dollars.
///
/// # Panics
/// When a value is not possible.
#[must_use]
pub fn account(id: i64, owner: &str, balance: i64) -> Account {
    Account {
        id: AccountId(id),
        owner: Username::parse(owner).expect("a username"),
        balance: Balance::new(balance).expect("a balance"),
        currency: Currency::Usd,
        created_at: clock().0,
    }
}

/// An entry of number 1 that led to such a balance.
///
/// # Panics
/// When a value is not possible.
#[must_use]
pub fn entry(account_id: i64, amount: i64, balance_after: i64, kind: EntryKind) -> Entry {
    Entry {
        id: EntryId(1),
        account_id: AccountId(account_id),
        amount,
        balance_after: Balance::new(balance_after).expect("a balance"),
        kind,
        created_at: clock().0,
    }
}

/// A transfer in dollars.
///
/// # Panics
/// When the amount is not possible.
#[must_use]
pub fn transfer(id: i64, from: i64, to: i64, minor_units: i64) -> Transfer {
    Transfer {
        id: TransferId(id),
        from: AccountId(from),
        to: AccountId(to),
        amount: amount(minor_units),
        currency: Currency::Usd,
        created_at: clock().0,
    }
}

/// A movement that was just done: the owner's account, which held so much before, was changed by so
/// much.
///
/// # Panics
/// When a value is not possible.
#[must_use]
pub fn posted(
    account_id: i64,
    owner: &str,
    balance_before: i64,
    change: i64,
    kind: EntryKind,
) -> Keyed<Posting> {
    let balance_after = balance_before.checked_add(change).expect("a balance");
    let posting = Posting {
        account: account(account_id, owner, balance_after),
        entry: entry(account_id, change, balance_after, kind),
    };
    Keyed { outcome: Ok(posting), is_replay: false }
}

/// A depositor whose address is not verified.
///
/// # Panics
/// When the name is not a username.
#[must_use]
pub fn user(username: &str) -> User {
    User {
        username: Username::parse(username).expect("a username"),
        full_name: "Alice Liddell".to_owned(),
        email: format!("{username}@example.com"),
        is_email_verified: false,
        role: Role::Depositor,
        password_changed_at: clock().0,
        created_at: clock().0,
    }
}

/// A user with a password's hash.
///
/// # Panics
/// When the name is not a username.
#[must_use]
pub fn credentials(username: &str, hashed_password: &str) -> Credentials {
    Credentials { user: user(username), hashed_password: hashed_password.to_owned() }
}

/// An amount.
///
/// # Panics
/// When it is not possible.
#[must_use]
pub fn amount(minor_units: i64) -> Amount {
    Amount::new(minor_units).expect("an amount")
}
