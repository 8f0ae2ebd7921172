//! Roles, which only an operator gives: no route leads here, and the application's role may not.

use sqlx::{Connection, PgConnection};

use super::{ConnectError, options};
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
