//! A slice of entries, and what the next one is asked for with.

use serde::Serialize;
use shared::{domain::Entry, http::wire::EntryBody};

#[derive(Debug, Serialize)]
pub(crate) struct EntriesBody {
    entries: Vec<EntryBody>,
    next_cursor: Option<String>,
}

impl EntriesBody {
    pub(crate) fn new(entries: Vec<Entry>, next_cursor: Option<String>) -> Self {
        Self { entries: entries.into_iter().map(EntryBody::from).collect(), next_cursor }
    }
}
