//! `GET /docs`, what the page is made of, and `GET /openapi.json`: how the bank is used, to be read and
//! tried. `GET /healthz`: says that functions are reached, and which version they are.

mod assets;
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
