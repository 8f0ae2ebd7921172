//! Whether the books are right: every rule of `verification.sql`, in one snapshot.
//!
//! The schema keeps the same rules by itself, one row at a time. This looks at what came of it, so
//! that a rule which is missing, switched off or wrong is found out all the same.

use sqlx::{Connection, Executor, PgConnection};

use super::{ConnectError, options};
use crate::config::DatabaseConfig;

/// A rule that does not hold, and something that breaks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// The rule, by its name in `verification.sql`.
    pub invariant: String,
    /// The number of the account, entry or movement that breaks it, or a currency's code.
    pub offender: String,
}

/// Nobody knows whether the books are right.
#[derive(Debug, thiserror::Error)]
pub enum VerificationError {
    /// The settings are of no use.
    #[error(transparent)]
    Config(#[from] ConnectError),
    /// The database cannot be reached, or did not come to an end.
    #[error("the books could not be read")]
    Database(#[from] sqlx::Error),
}

/// Reads all of the books and returns what is wrong with them: ten offenders of each rule at most,
/// and nothing when they are right.
///
/// Over a connection of its own: it takes as long as it takes, and the functions' time limits are
/// for requests.
///
/// # Errors
/// When the database cannot be reached or the settings are of no use.
pub async fn verify(config: &DatabaseConfig) -> Result<Vec<Breach>, VerificationError> {
    let mut connection = PgConnection::connect_with(&options(config).await?).await?;
    let breaches = read(&mut connection).await;
    let closed = connection.close().await;
    let breaches = breaches?;
    closed?;
    Ok(breaches)
}

async fn read(connection: &mut PgConnection) -> Result<Vec<Breach>, sqlx::Error> {
    let mut snapshot =
        connection.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    snapshot.execute("SET LOCAL statement_timeout = 0").await?;
    let breaches = sqlx::query_file_as!(Breach, "src/store/postgres/verification.sql")
        .fetch_all(&mut *snapshot)
        .await?;
    snapshot.commit().await?;
    Ok(breaches)
}
