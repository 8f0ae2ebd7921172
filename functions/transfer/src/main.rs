//! `POST /transfers`: moves money from one of the caller's accounts to another account.

mod handler;
mod request;
mod response;
#[cfg(test)]
mod tests;

use shared::{
    app::App,
    http::{Error, serve},
    telemetry,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    serve(App::from_env().await?, handler::handle).await
}
