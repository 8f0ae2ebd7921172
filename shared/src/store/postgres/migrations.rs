//! The schema's versions, compiled in, and how they are applied.
//!
//! Over a connection of its own, closed whatever happens: sqlx takes an advisory lock for the
//! session and, when a migration fails, does not give it back.

use sha2::{Digest, Sha256};
use sqlx::{
    Connection, PgConnection,
    migrate::{AppliedMigration, Migrate, MigrateError, Migration, Migrator},
    postgres::PgConnectOptions,
};

use super::{ConnectError, options};
use crate::config::DatabaseConfig;

/// Every migration of `migrations/`.
pub static MIGRATOR: Migrator = sqlx::migrate!("../migrations");

/// How long to wait for another migration to end, or for a table that is in use.
const LOCK_TIMEOUT: &str = "5s";

/// After how long the server notices that nobody is there any more: a statement that was given up in
/// the middle would be executed to its end, and hold its locks as long.
const CHECK_INTERVAL: &str = "1s";

/// Which way to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Apply all that are pending.
    Up,
    /// The same, but for a database that a later release has migrated: it is left as it is.
    Deploy,
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
    run(owner_options(config).await?, direction).await
}

/// The settings of a connection that changes what everybody uses.
pub(super) async fn owner_options(
    config: &DatabaseConfig,
) -> Result<PgConnectOptions, ConnectError> {
    Ok(options(config).await?.options([
        ("lock_timeout", LOCK_TIMEOUT),
        ("client_connection_check_interval", CHECK_INTERVAL),
        // sqlx asks for its table whether it is there or not, and the server would tell each time that it is.
        ("client_min_messages", "warning"),
    ]))
}

/// The schemas of this release and of those before it, oldest first, as the template names them: a
/// schema is the SHA-256 of its migrations' texts, one after the other, in lower-case hex.
pub fn schemas() -> impl Iterator<Item = String> {
    let mut hasher = Sha256::new();
    own().map(move |migration| {
        hasher.update(migration.sql.as_str());
        hasher.clone().finalize().iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
    })
}

/// The migrations upwards that are compiled in, oldest first.
fn own() -> impl Iterator<Item = &'static Migration> {
    MIGRATOR.iter().filter(|migration| migration.migration_type.is_up_migration())
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
        Direction::Up => up(connection).await?,
        Direction::Deploy => {
            connection.lock().await?;
            if !is_ahead(&applied(connection).await?) {
                up(connection).await?;
            }
        }
        Direction::Down => {
            let applied = applied(connection).await?;
            let below = applied.iter().rev().nth(1).map_or(0, |migration| migration.version);
            if !applied.is_empty() {
                MIGRATOR.undo(&mut *connection, below).await?;
            }
        }
        Direction::Stay => {}
    }
    let applied = applied(connection).await?;
    let is_pending = |version| !applied.iter().any(|migration| migration.version == version);
    let pending = own().map(|migration| migration.version).filter(|&version| is_pending(version));
    let version = applied.last().map_or(0, |migration| migration.version);
    Ok(Status { version, pending: pending.collect() })
}

async fn up(connection: &mut PgConnection) -> Result<(), MigrateError> {
    // The migrator's own lock, earlier than it takes it: of two that make the table of migrations at
    // the same moment, one fails. The end of the session gives it back.
    connection.lock().await?;
    MIGRATOR.run(connection).await
}

/// Whether all that is compiled in is applied, as it is, and more besides.
fn is_ahead(applied: &[AppliedMigration]) -> bool {
    let is_applied = |own: &Migration| {
        applied.iter().any(|one| one.version == own.version && one.checksum == own.checksum)
    };
    own().all(is_applied) && applied.len() > own().count()
}

async fn applied(connection: &mut PgConnection) -> Result<Vec<AppliedMigration>, MigrateError> {
    connection.ensure_migrations_table(&MIGRATOR.table_name).await?;
    connection.list_applied_migrations(&MIGRATOR.table_name).await
}
