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

use std::num::NonZero;

use shared::{
    config::GrpcConfig,
    http::{Error, serve_whole},
    telemetry,
};
use tokio::runtime::Builder;

use crate::{app::App, lambda::Edge};

/// A process on Lambda serves one request at a time, a server many.
const LAMBDA_CONNECTIONS: NonZero<usize> = NonZero::<usize>::MIN;
const SERVER_CONNECTIONS: NonZero<usize> = NonZero::new(10).unwrap();

fn main() -> Result<(), Error> {
    telemetry::init();
    match GrpcConfig::from_env()?.address {
        None => Builder::new_current_thread().enable_all().build()?.block_on(async {
            let app = Box::pin(App::from_env(LAMBDA_CONNECTIONS)).await?;
            serve_whole(Edge::new(app), lambda::answer).await
        }),
        Some(address) => Builder::new_multi_thread().enable_all().build()?.block_on(async {
            let app = Box::pin(App::from_env(SERVER_CONNECTIONS)).await?;
            server::serve(app, address).await
        }),
    }
}
