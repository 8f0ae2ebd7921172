//! The JSON shapes that more than one function answers with.

use serde::Serialize;
use time::OffsetDateTime;

use crate::domain::{Account, Entry, Transfer, User};

/// A user, without anything that proves who they are.
#[derive(Debug, Serialize)]
pub struct UserBody {
    username: String,
    full_name: String,
    email: String,
    is_email_verified: bool,
    role: &'static str,
    #[serde(with = "time::serde::rfc3339")]
    password_changed_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
}

impl From<User> for UserBody {
    fn from(user: User) -> Self {
        Self {
            username: user.username.to_string(),
            full_name: user.full_name,
            email: user.email,
            is_email_verified: user.is_email_verified,
            role: user.role.name(),
            password_changed_at: user.password_changed_at,
            created_at: user.created_at,
        }
    }
}

/// An account. The balance is in minor units.
#[derive(Debug, Serialize)]
pub struct AccountBody {
    id: i64,
    owner: String,
    balance: i64,
    currency: &'static str,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
}

impl From<Account> for AccountBody {
    fn from(account: Account) -> Self {
        Self {
            id: account.id.0,
            owner: account.owner.to_string(),
            balance: account.balance.minor_units(),
            currency: account.currency.code(),
            created_at: account.created_at,
        }
    }
}

/// An entry. Amounts are in minor units, negative when money left the account.
#[derive(Debug, Serialize)]
pub struct EntryBody {
    id: i64,
    account_id: i64,
    amount: i64,
    balance_after: i64,
    kind: &'static str,
    transfer_id: Option<i64>,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
}

impl From<Entry> for EntryBody {
    fn from(entry: Entry) -> Self {
        Self {
            id: entry.id.0,
            account_id: entry.account_id.0,
            amount: entry.amount,
            balance_after: entry.balance_after.minor_units(),
            kind: entry.kind.name(),
            transfer_id: entry.kind.transfer_id().map(|id| id.0),
            created_at: entry.created_at,
        }
    }
}

/// A transfer. The amount is in minor units.
#[derive(Debug, Serialize)]
pub struct TransferBody {
    id: i64,
    from_account_id: i64,
    to_account_id: i64,
    amount: i64,
    currency: &'static str,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
}

impl From<Transfer> for TransferBody {
    fn from(transfer: Transfer) -> Self {
        Self {
            id: transfer.id.0,
            from_account_id: transfer.from.0,
            to_account_id: transfer.to.0,
            amount: transfer.amount.minor_units(),
            currency: transfer.currency.code(),
            created_at: transfer.created_at,
        }
    }
}
