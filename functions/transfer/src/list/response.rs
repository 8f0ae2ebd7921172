//! A slice of transfers, and what the next one is asked for with.

use serde::Serialize;
use shared::{
    domain::Transfer,
    http::{contract::Cursor, wire::TransferBody},
};
use utoipa::ToSchema;

/// A slice of one's transfers. `next_cursor` asks for those that follow; it is null when there are none.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Transfers)]
pub(crate) struct TransfersBody {
    transfers: Vec<TransferBody>,
    #[schema(value_type = Option<Cursor>, required)]
    next_cursor: Option<String>,
}

impl TransfersBody {
    pub(crate) fn new(transfers: Vec<Transfer>, next_cursor: Option<String>) -> Self {
        Self { transfers: transfers.into_iter().map(TransferBody::from).collect(), next_cursor }
    }
}
