//! The JSON shapes that more than one function answers with.

use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::domain::{
    Account, AccountId, Amount, Balance, Currency, Email, Entry, EntryId, EntryKind, FullName,
    Role, Transfer, TransferId, User, Username,
};

/// A user, without anything that proves who they are.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = User)]
pub struct UserBody {
    #[schema(value_type = Username)]
    username: String,
    #[schema(value_type = FullName)]
    full_name: String,
    #[schema(value_type = Email)]
    email: String,
    #[schema(example = true)]
    is_email_verified: bool,
    #[schema(value_type = Role)]
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
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Account)]
pub struct AccountBody {
    #[schema(value_type = AccountId)]
    id: i64,
    #[schema(value_type = Username)]
    owner: String,
    #[schema(value_type = Balance)]
    balance: i64,
    #[schema(value_type = Currency)]
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
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Entry)]
pub struct EntryBody {
    #[schema(value_type = EntryId)]
    id: i64,
    #[schema(value_type = AccountId)]
    account_id: i64,
    #[schema(example = -2500)]
    amount: i64,
    #[schema(value_type = Balance)]
    balance_after: i64,
    #[schema(value_type = EntryKind)]
    kind: &'static str,
    #[schema(value_type = Option<TransferId>, required)]
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
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Transfer)]
pub struct TransferBody {
    #[schema(value_type = TransferId)]
    id: i64,
    #[schema(value_type = AccountId)]
    from_account_id: i64,
    #[schema(value_type = AccountId)]
    to_account_id: i64,
    #[schema(value_type = Amount)]
    amount: i64,
    #[schema(value_type = Currency)]
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
