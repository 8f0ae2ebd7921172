//! A slice of entries, and what the next one is asked for with.

use serde::Serialize;
use shared::{
    domain::Entry,
    http::{contract::Cursor, wire::EntryBody},
};
use utoipa::ToSchema;

/// A slice of an account's entries. `next_cursor` asks for those that follow; it is null when there are none.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Entries)]
pub(crate) struct EntriesBody {
    entries: Vec<EntryBody>,
    #[schema(value_type = Option<Cursor>, required)]
    next_cursor: Option<String>,
}

impl EntriesBody {
    pub(crate) fn new(entries: Vec<Entry>, next_cursor: Option<String>) -> Self {
        Self { entries: entries.into_iter().map(EntryBody::from).collect(), next_cursor }
    }
}
