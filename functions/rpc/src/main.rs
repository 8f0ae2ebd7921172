//! The bank over gRPC: on Lambda gRPC-Web, Connect and the JSON of the original's gateway; elsewhere a
//! server of native gRPC besides.

mod app;
mod call;
mod interceptors;
mod lambda;
mod refused;
mod server;
mod service;
#[cfg(test)]
mod tests;
mod v1;
mod words;

use std::{num::NonZero, thread::available_parallelism};

use shared::{
    config::GrpcConfig,
    http::{Error, serve_whole},
    telemetry,
};
use tokio::runtime::{Builder, Runtime};

use crate::{
    app::{App, Traffic},
    lambda::Edge,
};

fn main() -> Result<(), Error> {
    telemetry::init();
    match GrpcConfig::from_env()?.address {
        None => Builder::new_current_thread().enable_all().build()?.block_on(async {
            let app = Box::pin(App::from_env(Traffic::LAMBDA)).await?;
            serve_whole(Edge::new(app), lambda::answer).await
        }),
        Some(address) => server_runtime()?.block_on(async {
            let app = Box::pin(App::from_env(Traffic::SERVER)).await?;
            server::serve(app, address).await
        }),
    }
}

/// Its threads for what blocks are few: passwords are hashed there, and each thread keeps the memory that
/// it once had for that.
fn server_runtime() -> Result<Runtime, Error> {
    let processors = available_parallelism().map_or(1, NonZero::get);
    let blocking = processors.saturating_add(2);
    Ok(Builder::new_multi_thread().enable_all().max_blocking_threads(blocking).build()?)
}
