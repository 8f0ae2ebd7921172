//! Roles: those of users, which only an operator gives, and the one that the application connects as.
//! No route leads here, and the application's role may none of it.

use postgres_protocol::password::scram_sha_256;
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection,
    migrate::{Migrate, MigrateError},
};

use super::{ConnectError, connection::Login, migrations::owner_options, options};
use crate::{
    config::DatabaseConfig,
    domain::{Role, Username},
};

/// A role that was not given; nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum GrantError {
    /// The settings are of no use.
    #[error(transparent)]
    Config(#[from] ConnectError),
    /// The database cannot be reached, or refuses.
    #[error("the role could not be given")]
    Database(#[from] sqlx::Error),
    /// Nobody has that name.
    #[error("there is no such user")]
    NoSuchUser,
}

/// Gives a user a role, over a connection of its own as the schema's owner. The database writes down
/// who did it (`audit_events`), whichever way a role is changed.
///
/// # Errors
/// When nobody has that name, or the database cannot be reached.
pub async fn grant_role(
    config: &DatabaseConfig,
    username: &Username,
    role: Role,
    operator: &str,
) -> Result<(), GrantError> {
    let mut connection = PgConnection::connect_with(&options(config).await?).await?;
    let granted = grant(&mut connection, username, role, operator).await;
    let closed = connection.close().await;
    granted?;
    Ok(closed?)
}

async fn grant(
    connection: &mut PgConnection,
    username: &Username,
    role: Role,
    operator: &str,
) -> Result<(), GrantError> {
    let mut transaction = connection.begin().await?;
    sqlx::query_scalar!("SELECT set_config('bank.operator', $1, true)", operator)
        .fetch_one(&mut *transaction)
        .await?;
    let changed = sqlx::query!(
        "UPDATE users SET role = $2 WHERE username = $1",
        username.as_str(),
        role.name(),
    )
    .execute(&mut *transaction)
    .await?;
    if changed.rows_affected() == 0 {
        return Err(GrantError::NoSuchUser);
    }
    Ok(transaction.commit().await?)
}

/// The application's role, which the migrations make.
const APPLICATION: &str = "bank_app";

/// The settings that migration 15 gave it, and no others: Postgres lets every role change its own, so whoever
/// once had this one could leave it without time limits, or such that the functions refuse its connections.
/// One statement, so that no connection meets a half of it.
const RESTORE: &str = "DO $$ BEGIN
    ALTER ROLE bank_app RESET ALL;
    EXECUTE format('ALTER ROLE bank_app IN DATABASE %I RESET ALL', current_database());
    EXECUTE format('ALTER ROLE bank_app IN DATABASE %I SET lock_timeout = ''1s''', current_database());
    EXECUTE format('ALTER ROLE bank_app IN DATABASE %I SET statement_timeout = ''3s''', current_database());
    EXECUTE format('ALTER ROLE bank_app IN DATABASE %I SET idle_in_transaction_session_timeout = ''5s''',
                   current_database());
END $$";

/// An application's role that is not what it is to be.
#[derive(Debug, thiserror::Error)]
pub enum RoleError {
    /// The settings are of no use, or the secret cannot be read.
    #[error(transparent)]
    Config(#[from] ConnectError),
    /// The secret is somebody else's.
    #[error("the secret {name} needs {APPLICATION} for its username, and a password")]
    NotTheApplications {
        /// The secret's name.
        name: String,
    },
    /// Somebody else is at work on the schema.
    #[error("{APPLICATION} could not be restored")]
    Locked(#[from] MigrateError),
    /// The database cannot be reached, or refuses.
    #[error("{APPLICATION} could not be restored")]
    Database(#[from] sqlx::Error),
}

/// What the application's role is to log in with: a verifier by which Postgres knows the password.
/// The password itself reaches neither the server nor its log.
pub struct ApplicationPassword {
    verifier: String,
}

impl ApplicationPassword {
    /// Reads the secret of the application's role.
    ///
    /// # Errors
    /// When it cannot be read, or is another role's.
    pub async fn read(secret: &str) -> Result<Self, RoleError> {
        let login = Login::read(secret).await.map_err(ConnectError::from)?;
        if login.username != APPLICATION || login.password.is_empty() {
            return Err(RoleError::NotTheApplications { name: secret.to_owned() });
        }
        Ok(Self { verifier: scram_sha_256(login.password.as_bytes()) })
    }
}

/// Gives the application's role the settings that it is to have and no others, and lets it log in with the
/// password if there is one: over a connection of its own as the schema's owner, who may, having made the
/// role. Connections that are open stay as they are.
///
/// # Errors
/// When there is no such role, or the database cannot be reached or is locked for too long.
pub async fn restore_application(
    config: &DatabaseConfig,
    password: Option<ApplicationPassword>,
) -> Result<(), RoleError> {
    // sqlx would log a statement if it were slow, and one of them has the verifier.
    let options = owner_options(config).await?.disable_statement_logging();
    let mut connection = PgConnection::connect_with(&options).await?;
    let restored = restore(&mut connection, password).await;
    let closed = connection.close().await;
    restored?;
    Ok(closed?)
}

async fn restore(
    connection: &mut PgConnection,
    password: Option<ApplicationPassword>,
) -> Result<(), RoleError> {
    // Two changes of a role at the same moment fail. The end of the session gives it back.
    connection.lock().await?;
    connection.execute(RESTORE).await?;
    if let Some(ApplicationPassword { verifier }) = password {
        // Base64, colons and dollars, as the statement takes no parameters.
        let statement = format!("ALTER ROLE {APPLICATION} LOGIN PASSWORD '{verifier}'");
        connection.execute(AssertSqlSafe(statement)).await?;
    }
    Ok(())
}
