//! No database: a health check that fails with the database would take working routes away.

use std::sync::Arc;

use serde::Serialize;
use shared::{
    bank::BankError,
    http::{Page, Reply, Request},
};
use utoipa::ToSchema;

use crate::assets;

/// That the gateway reaches functions.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    #[schema(example = "ok")]
    status: &'static str,
    #[schema(example = "0.1.0")]
    version: &'static str,
}

pub(crate) async fn handle(_app: Arc<()>, request: Request) -> Result<Reply, BankError> {
    match request.route() {
        "GET /docs" => Ok(Reply::page(Page::interactive(assets::PAGE))),
        "GET /docs/{asset}" => asset(&request),
        "GET /openapi.json" => Ok(Reply::file("application/json", assets::DOCUMENT)),
        "GET /healthz" => health(),
        _ => Err(BankError::NotFound),
    }
}

fn asset(request: &Request) -> Result<Reply, BankError> {
    let (media_type, text) = assets::find(request.path_asset()).ok_or(BankError::NotFound)?;
    Ok(Reply::file(media_type, text))
}

fn health() -> Result<Reply, BankError> {
    Reply::ok(&Health { status: "ok", version: env!("CARGO_PKG_VERSION") })
}
