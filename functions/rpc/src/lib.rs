//! The bank over gRPC: on Lambda gRPC-Web, Connect and the JSON of the original's gateway; elsewhere a
//! server of native gRPC besides.

mod app;
mod call;
mod contract;
mod interceptors;
mod lambda;
mod refused;
#[cfg(feature = "server")]
mod server;
mod service;
#[cfg(test)]
mod tests;
mod v1;
mod wiring;
mod words;

use shared::{
    config::GrpcConfig,
    http::{Error, serve_whole},
    telemetry,
};
use tokio::runtime::Builder;

use crate::{
    app::{App, Traffic},
    lambda::Edge,
};

pub use contract::operations;

/// Serves on Lambda, or natively where an address is set, until it is told to end.
///
/// # Errors
/// When a setting is wrong, or the runtime or the address cannot be had.
pub fn run() -> Result<(), Error> {
    telemetry::init();
    match GrpcConfig::from_env()?.address {
        None => Builder::new_current_thread().enable_all().build()?.block_on(async {
            let app = Box::pin(App::from_env(Traffic::LAMBDA)).await?;
            serve_whole(Edge::new(app), lambda::answer).await
        }),
        #[cfg(feature = "server")]
        Some(address) => Builder::new_multi_thread().enable_all().build()?.block_on(async {
            let app = Box::pin(App::from_env(Traffic::SERVER)).await?;
            server::serve(app, address).await
        }),
        #[cfg(not(feature = "server"))]
        Some(_) => {
            Err("GRPC_SERVER_ADDRESS is set, and this program was built without the server".into())
        }
    }
}
