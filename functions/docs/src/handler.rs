//! No database: a health check that fails with the database would take working routes away.

use std::{future, sync::Arc};

use serde::Serialize;
use shared::{
    bank::BankError,
    http::{Reply, Request},
};
use utoipa::ToSchema;

/// That the gateway reaches functions.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    #[schema(example = "ok")]
    status: &'static str,
    #[schema(example = "0.1.0")]
    version: &'static str,
}

pub(crate) fn handle(
    _app: Arc<()>,
    _request: Request,
) -> impl Future<Output = Result<Reply, BankError>> {
    future::ready(Reply::ok(&Health { status: "ok", version: env!("CARGO_PKG_VERSION") }))
}
