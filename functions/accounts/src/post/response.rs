//! The account as it is now, and the entry that made it so.

use serde::Serialize;
use shared::{
    domain::Posting,
    http::wire::{AccountBody, EntryBody},
};
use utoipa::ToSchema;

/// The account as it is now, and the entry that made it so.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Posting)]
pub(crate) struct PostingBody {
    account: AccountBody,
    entry: EntryBody,
}

impl From<Posting> for PostingBody {
    fn from(posting: Posting) -> Self {
        Self { account: posting.account.into(), entry: posting.entry.into() }
    }
}
