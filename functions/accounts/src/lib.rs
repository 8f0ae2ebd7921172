//! `/accounts`: open, read, list, deposit, withdraw, and the entries. One folder a route.

mod contract;
mod entries;
mod get;
mod list;
mod open;
mod post;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use shared::{
    app::App,
    bank::BankError,
    http::{Error, Reply, Request, serve},
    telemetry,
};

pub use contract::operations;

/// Runs the function until Lambda ends it.
///
/// # Errors
/// When a setting is wrong, or the runtime cannot be reached.
pub async fn run() -> Result<(), Error> {
    telemetry::init();
    serve(App::from_env().await?, route).await
}

async fn route(app: Arc<App>, request: Request) -> Result<Reply, BankError> {
    match request.route() {
        "POST /accounts" => open::handle(&app, &request).await,
        "GET /accounts" => list::handle(&app, &request).await,
        "GET /accounts/{id}" => get::handle(&app, &request).await,
        "GET /accounts/{id}/entries" => entries::handle(&app, &request).await,
        "POST /accounts/{id}/deposits" => post::deposit(&app, &request).await,
        "POST /accounts/{id}/withdrawals" => post::withdraw(&app, &request).await,
        _ => Err(BankError::NotFound),
    }
}
