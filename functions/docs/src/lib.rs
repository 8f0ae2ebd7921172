//! `GET /healthz`: says that the gateway reaches functions, and which version they are.

mod contract;
mod handler;
#[cfg(test)]
mod tests;

use shared::{
    http::{Error, serve},
    telemetry,
};

pub use contract::operations;

/// Runs the function until Lambda ends it.
///
/// # Errors
/// When the runtime cannot be reached.
pub async fn run() -> Result<(), Error> {
    telemetry::init();
    serve((), handler::handle).await
}
