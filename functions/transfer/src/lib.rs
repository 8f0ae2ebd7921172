//! `/transfers`: make, read, list. One folder a route.

mod contract;
mod create;
mod get;
mod list;
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
        "POST /transfers" => create::handle(&app, &request).await,
        "GET /transfers" => list::handle(&app, &request).await,
        "GET /transfers/{id}" => get::handle(&app, &request).await,
        _ => Err(BankError::NotFound),
    }
}
