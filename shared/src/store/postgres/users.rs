//! Users.

use time::OffsetDateTime;

use super::Connections;
use crate::{
    domain::{Credentials, NewUser, User, Username},
    store::StoreError,
};

pub(super) async fn create(connections: &Connections, user: NewUser) -> Result<User, StoreError> {
    let mut lease = connections.lease().await?;
    let created = sqlx::query_as!(
        UserRow,
        "INSERT INTO users (username, hashed_password, full_name, email)
         VALUES ($1, $2, $3, $4)
         RETURNING username, hashed_password, full_name, email, is_email_verified, role,
                   password_changed_at, created_at",
        user.username.as_str(),
        user.hashed_password,
        user.full_name.as_str(),
        user.email.as_str(),
    )
    .fetch_one(&mut *lease)
    .await;
    let row = lease.settle(created).map_err(StoreError::in_doubt)?;
    row.into_credentials().map(|credentials| credentials.user)
}

pub(super) async fn find_credentials(
    connections: &Connections,
    username: &Username,
) -> Result<Option<Credentials>, StoreError> {
    let mut lease = connections.lease().await?;
    let found = sqlx::query_as!(
        UserRow,
        "SELECT username, hashed_password, full_name, email, is_email_verified, role,
                password_changed_at, created_at
         FROM users
         WHERE username = $1",
        username.as_str(),
    )
    .fetch_optional(&mut *lease)
    .await;
    lease.settle(found)?.map(UserRow::into_credentials).transpose()
}

struct UserRow {
    username: String,
    hashed_password: String,
    full_name: String,
    email: String,
    is_email_verified: bool,
    role: String,
    password_changed_at: OffsetDateTime,
    created_at: OffsetDateTime,
}

impl UserRow {
    fn into_credentials(self) -> Result<Credentials, StoreError> {
        let inconsistent = |column| StoreError::Inconsistent { table: "users", column };
        Ok(Credentials {
            user: User {
                username: Username::parse(&self.username).map_err(|_| inconsistent("username"))?,
                full_name: self.full_name,
                email: self.email,
                is_email_verified: self.is_email_verified,
                role: self.role.parse().map_err(|_| inconsistent("role"))?,
                password_changed_at: self.password_changed_at,
                created_at: self.created_at,
            },
            hashed_password: self.hashed_password,
        })
    }
}
