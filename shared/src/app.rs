//! What the functions for signed-in callers work with.

use crate::{
    auth::CursorSealer,
    clock::{Clock, SystemClock},
    config::{CursorConfig, DatabaseConfig, PaymentConfig},
    store::{PostgresStore, Store},
};

/// The store, the clock by which tokens expire, and what lists are continued by.
pub struct App {
    /// The bank's data.
    pub store: Box<dyn Store>,
    /// What time it is.
    pub clock: Box<dyn Clock>,
    /// Makes and reads cursors.
    pub cursors: CursorSealer,
}

impl App {
    /// Reads the settings and connects. Called once, before the first event.
    ///
    /// # Errors
    /// When a setting is missing or of no use. A database that does not answer is no error.
    pub async fn from_env() -> Result<Self, crate::http::Error> {
        let CursorConfig { stage, key } = CursorConfig::from_env()?;
        let cursors = CursorSealer::new(&stage, &key)?;
        let payers = PaymentConfig::from_env()?.payers;
        let store = PostgresStore::open(&DatabaseConfig::from_env()?).await?.paying(payers);
        Ok(Self { store: Box::new(store), clock: Box::new(SystemClock), cursors })
    }
}
