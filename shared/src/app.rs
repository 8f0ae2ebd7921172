//! What the functions for signed-in callers work with.

use crate::{
    auth::CursorSealer,
    clock::{Clock, SystemClock},
    config::{CursorConfig, DatabaseConfig, PaymentConfig},
    secrets,
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
        let (database, cursor) = (DatabaseConfig::from_env()?, CursorConfig::from_env()?);
        let payers = PaymentConfig::from_env()?.payers;
        let (store, cursors) = tokio::join!(
            PostgresStore::open(&database),
            secrets::load(&cursor.key, |key| CursorSealer::new(&cursor.stage, key))
        );
        let store = Box::new(store?.paying(payers));
        Ok(Self { store, clock: Box::new(SystemClock), cursors: cursors? })
    }
}
