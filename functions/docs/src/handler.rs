//! No database: a health check that fails with the database would take working routes away.

use std::{future, sync::Arc};

use serde::Serialize;
use shared::{
    bank::BankError,
    http::{Reply, Request},
};

#[derive(Serialize)]
struct Health {
    status: &'static str,
    version: &'static str,
}

pub(crate) fn handle(
    _app: Arc<()>,
    _request: Request,
) -> impl Future<Output = Result<Reply, BankError>> {
    future::ready(Reply::ok(&Health { status: "ok", version: env!("CARGO_PKG_VERSION") }))
}
