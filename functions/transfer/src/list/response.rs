//! A slice of transfers, and what the next one is asked for with.

use serde::Serialize;
use shared::{domain::Transfer, http::wire::TransferBody};

#[derive(Debug, Serialize)]
pub(crate) struct TransfersBody {
    transfers: Vec<TransferBody>,
    next_cursor: Option<String>,
}

impl TransfersBody {
    pub(crate) fn new(transfers: Vec<Transfer>, next_cursor: Option<String>) -> Self {
        Self { transfers: transfers.into_iter().map(TransferBody::from).collect(), next_cursor }
    }
}
