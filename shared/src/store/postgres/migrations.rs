//! The schema's versions, compiled in, and how they are applied.
//!
//! Over a connection of its own, closed whatever happens: sqlx takes an advisory lock for the
//! session and, when a migration fails, does not give it back.

use sqlx::{
    Connection, PgConnection,
    migrate::{Migrate, MigrateError, Migrator},
    postgres::PgConnectOptions,
};

use super::{ConnectError, options};
use crate::config::DatabaseConfig;

/// Every migration of `migrations/`.
pub static MIGRATOR: Migrator = sqlx::migrate!("../migrations");

/// How long to wait for another migration to end, or for a table that is in use.
const LOCK_TIMEOUT: &str = "5s";

/// Which way to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Apply all that are pending.
    Up,
    /// Take back the newest.
    Down,
    /// Only look.
    Stay,
}

/// Where the schema stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The newest applied version; 0 for an empty database.
    pub version: i64,
    /// Versions that are compiled in and not applied, oldest first.
    pub pending: Vec<i64>,
}

/// A migration that did not work; nothing of it is left.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// The settings are of no use.
    #[error(transparent)]
    Config(#[from] ConnectError),
    /// The database cannot be reached.
    #[error("the database cannot be reached")]
    Connection(#[from] sqlx::Error),
    /// A migration failed, or what is applied is not what is compiled in.
    #[error("the migration failed")]
    Migration(#[from] MigrateError),
}

/// Moves the schema and says where it stands afterwards.
///
/// # Errors
/// When the database cannot be reached, is locked by another migration for too long, or refuses a
/// statement; the failed migration is rolled back.
pub async fn migrate(
    config: &DatabaseConfig,
    direction: Direction,
) -> Result<Status, MigrationError> {
    let options = options(config).await?.options([("lock_timeout", LOCK_TIMEOUT)]);
    run(options, direction).await
}

async fn run(options: PgConnectOptions, direction: Direction) -> Result<Status, MigrationError> {
    let mut connection = PgConnection::connect_with(&options).await?;
    let result = go(&mut connection, direction).await;
    let closed = connection.close().await;
    let status = result?;
    closed?;
    Ok(status)
}

async fn go(connection: &mut PgConnection, direction: Direction) -> Result<Status, MigrationError> {
    match direction {
        Direction::Up => MIGRATOR.run(&mut *connection).await?,
        Direction::Down => {
            let applied = applied(connection).await?;
            let below = applied.iter().rev().nth(1).copied().unwrap_or(0);
            if !applied.is_empty() {
                MIGRATOR.undo(&mut *connection, below).await?;
            }
        }
        Direction::Stay => {}
    }
    let applied = applied(connection).await?;
    let pending = MIGRATOR
        .iter()
        .filter(|migration| migration.migration_type.is_up_migration())
        .map(|migration| migration.version)
        .filter(|version| !applied.contains(version))
        .collect();
    Ok(Status { version: applied.last().copied().unwrap_or(0), pending })
}

async fn applied(connection: &mut PgConnection) -> Result<Vec<i64>, MigrateError> {
    connection.ensure_migrations_table(&MIGRATOR.table_name).await?;
    let applied = connection.list_applied_migrations(&MIGRATOR.table_name).await?;
    Ok(applied.into_iter().map(|migration| migration.version).collect())
}
