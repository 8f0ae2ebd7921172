//! Histories over HTTP: `limit` and `cursor` come in, `next_cursor` leaves.

use super::Fields;
use crate::{
    auth::CursorSealer,
    domain::{Caller, History, Limit, Slice},
};

impl Fields {
    /// Takes `limit` and `cursor`, which may both be absent. `None` stands for a violation that was
    /// noted.
    pub fn slice(
        &mut self,
        cursors: &CursorSealer,
        caller: &Caller,
        list: History,
    ) -> Option<Slice> {
        let limit = self.optional_integer("limit", Limit::new);
        let open = |cursor: &str| cursors.open(&caller.username, list, cursor);
        let before = self.optional_text("cursor", open);
        Some(Slice { limit: limit?.unwrap_or_default(), before: before? })
    }
}
