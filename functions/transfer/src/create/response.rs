//! The transfer and the sender's side of it. Nothing of the recipient leaves but the number that
//! the sender gave.

use serde::Serialize;
use shared::{
    domain::Transferred,
    http::wire::{AccountBody, EntryBody, TransferBody},
};
use utoipa::ToSchema;

/// A transfer, the account that paid, after it paid, and its entry.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Transferred)]
pub(crate) struct TransferredBody {
    transfer: TransferBody,
    from_account: AccountBody,
    from_entry: EntryBody,
}

impl From<Transferred> for TransferredBody {
    fn from(transferred: Transferred) -> Self {
        Self {
            transfer: transferred.transfer.into(),
            from_account: transferred.from_account.into(),
            from_entry: transferred.from_entry.into(),
        }
    }
}
