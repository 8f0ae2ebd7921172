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

/// A password that the application's role did not get.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
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
    #[error("the password of {APPLICATION} could not be set")]
    Locked(#[from] MigrateError),
    /// The database cannot be reached, or refuses.
    #[error("the password of {APPLICATION} could not be set")]
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
    pub async fn read(secret: &str) -> Result<Self, PasswordError> {
        let login = Login::read(secret).await.map_err(ConnectError::from)?;
        if login.username != APPLICATION || login.password.is_empty() {
            return Err(PasswordError::NotTheApplications { name: secret.to_owned() });
        }
        Ok(Self { verifier: scram_sha_256(login.password.as_bytes()) })
    }

    /// Lets the role log in with it, over a connection of its own as the schema's owner, who may: it
    /// made the role. Connections that are open stay so.
    ///
    /// # Errors
    /// When there is no such role, or the database cannot be reached or is locked for too long.
    pub async fn set(&self, config: &DatabaseConfig) -> Result<(), PasswordError> {
        // sqlx would log the statement if it were slow.
        let options = owner_options(config).await?.disable_statement_logging();
        let mut connection = PgConnection::connect_with(&options).await?;
        let set = self.set_by(&mut connection).await;
        let closed = connection.close().await;
        set?;
        Ok(closed?)
    }

    async fn set_by(&self, connection: &mut PgConnection) -> Result<(), PasswordError> {
        // Two changes of a role at the same moment fail. The end of the session gives it back.
        connection.lock().await?;
        // Base64, colons and dollars, as the statement takes no parameters.
        let statement = format!("ALTER ROLE {APPLICATION} LOGIN PASSWORD '{}'", self.verifier);
        connection.execute(AssertSqlSafe(statement)).await?;
        Ok(())
    }
}
