//! `POST /users/logout`, `GET /sessions`, `DELETE /sessions/{id}`: one's sessions, seen and ended.

mod handler;
mod response;
#[cfg(test)]
mod tests;

use shared::{
    clock::SystemClock,
    config::DatabaseConfig,
    http::{Error, serve},
    store::PostgresStore,
    telemetry,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let store = PostgresStore::open(&DatabaseConfig::from_env()?).await?;
    let app = handler::App { store: Box::new(store), clock: Box::new(SystemClock) };
    serve(app, handler::route).await
}
