//! `/accounts`: open, read, list, deposit, withdraw, and the entries. One folder a route.

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

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
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
