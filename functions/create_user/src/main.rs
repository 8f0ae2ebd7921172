//! `POST /users`: signs somebody up.

mod handler;
mod request;
#[cfg(test)]
mod tests;

use shared::{
    auth::PasswordHasher,
    config::DatabaseConfig,
    http::{Error, serve},
    store::{PostgresStore, postgres},
    telemetry,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let pool = postgres::connect(&DatabaseConfig::from_env()?).await?;
    let app = handler::App {
        store: Box::new(PostgresStore::new(pool)),
        passwords: PasswordHasher::new()?,
    };
    serve(app, handler::handle).await
}
