//! `GET /healthz`: says that the gateway reaches functions, and which version they are.

mod handler;
#[cfg(test)]
mod tests;

use shared::{
    http::{Error, serve},
    telemetry,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    serve((), handler::handle).await
}
