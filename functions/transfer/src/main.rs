//! `/transfers`: make, read, list. One folder a route.

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

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
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
