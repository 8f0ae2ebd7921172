//! What the functions for signed-in callers work with.

use crate::{
    clock::{Clock, SystemClock},
    config::DatabaseConfig,
    store::{PostgresStore, Store},
};

/// The store, and the clock by which tokens expire.
pub struct App {
    /// The bank's data.
    pub store: Box<dyn Store>,
    /// What time it is.
    pub clock: Box<dyn Clock>,
}

impl App {
    /// Reads the settings and connects. Called once, before the first event.
    ///
    /// # Errors
    /// When a setting is missing or of no use. A database that does not answer is no error.
    pub async fn from_env() -> Result<Self, crate::http::Error> {
        let store = PostgresStore::open(&DatabaseConfig::from_env()?).await?;
        Ok(Self { store: Box::new(store), clock: Box::new(SystemClock) })
    }
}
