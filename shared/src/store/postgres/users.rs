//! Users.

use time::OffsetDateTime;

use super::{Connections, durations::seconds};
use crate::{
    domain::{Caller, Email, FullName, NewUser, User, UserChanges, Username, VerificationId},
    store::StoreError,
};

/// A user out of a row that has their columns, each of which may be null: `None` when all are.
macro_rules! user_of {
    ($row:expr) => {
        $crate::store::postgres::users::UserColumns {
            username: $row.username,
            full_name: $row.full_name,
            email: $row.email,
            is_email_verified: $row.is_email_verified,
            role: $row.role,
            password_changed_at: $row.password_changed_at,
            created_at: $row.created_at,
        }
        .into_user()
    };
}
pub(super) use user_of;

pub(super) async fn create(
    connections: &Connections,
    user: NewUser,
) -> Result<(User, VerificationId), StoreError> {
    let mut lease = connections.lease().await?;
    let created = sqlx::query!(
        r#"WITH created AS (
               INSERT INTO users (username, hashed_password, full_name, email)
               VALUES ($1, $2, $3, $4)
               RETURNING username, full_name, email, is_email_verified, role, password_changed_at,
                         created_at
           ), task AS (
               INSERT INTO verify_emails (username, email, reason)
               SELECT created.username, created.email, 'sign_up' FROM created
               RETURNING id
           )
           SELECT task.id AS email_id, created.username AS "username?",
                  created.full_name AS "full_name?", created.email AS "email?",
                  created.is_email_verified AS "is_email_verified?", created.role AS "role?",
                  created.password_changed_at AS "password_changed_at?",
                  created.created_at AS "created_at?"
           FROM created, task"#,
        user.username.as_str(),
        user.hashed_password,
        user.full_name.as_str(),
        user.email.as_str(),
    )
    .fetch_one(&mut *lease)
    .await;
    let row = lease.settle(created).map_err(StoreError::in_doubt)?;
    let user = user_of!(row)?.ok_or(inconsistent("username"))?;
    Ok((user, VerificationId(row.email_id)))
}

pub(super) async fn get(
    connections: &Connections,
    caller: &Caller,
    username: &Username,
) -> Result<User, StoreError> {
    let mut lease = connections.lease().await?;
    let found = sqlx::query!(
        r#"SELECT users.username AS "username?", users.full_name AS "full_name?",
                  users.email AS "email?", users.is_email_verified AS "is_email_verified?",
                  users.role AS "role?", users.password_changed_at AS "password_changed_at?",
                  users.created_at AS "created_at?"
           FROM live_sessions
           LEFT JOIN users ON users.username = $3
               AND (users.username = live_sessions.username OR live_sessions.role = 'banker')
           WHERE live_sessions.id = $1 AND live_sessions.username = $2"#,
        caller.session_id.0,
        caller.username.as_str(),
        username.as_str(),
    )
    .fetch_optional(&mut *lease)
    .await;
    let row = lease.settle(found)?.ok_or(StoreError::SessionEnded)?;
    user_of!(row)?.ok_or(StoreError::NotFound)
}

/// What it does stands in the migration.
pub(super) async fn change(
    connections: &Connections,
    caller: &Caller,
    username: &Username,
    changes: UserChanges,
) -> Result<(User, Option<VerificationId>), StoreError> {
    let mut lease = connections.lease().await?;
    let answer = sqlx::query!(
        r#"SELECT outcome AS "outcome!", username, full_name, email, is_email_verified, role,
                  password_changed_at, created_at, email_id, wait_secs
           FROM change_user($1, $2, $3, $4, $5, $6, $7)"#,
        caller.session_id.0,
        caller.username.as_str(),
        username.as_str(),
        changes.full_name.as_ref().map(FullName::as_str),
        changes.email.as_ref().map(Email::as_str),
        changes.hashed_password,
        changes.proven_changed_at,
    )
    .fetch_one(&mut *lease)
    .await;
    let row = lease.settle(answer).map_err(StoreError::in_doubt)?;
    match (row.outcome.as_str(), row.wait_secs) {
        ("changed", _) => {
            let user = user_of!(row)?.ok_or(inconsistent("username"))?;
            Ok((user, row.email_id.map(VerificationId)))
        }
        ("session_ended", _) => Err(StoreError::SessionEnded),
        ("not_found", _) => Err(StoreError::NotFound),
        ("permission_denied", _) => Err(StoreError::PermissionDenied),
        ("password_changed", _) => Err(StoreError::ProofOutdated),
        ("too_many", Some(secs)) => Err(StoreError::TooManyMails(seconds(secs))),
        _ => Err(StoreError::Inconsistent { table: "change_user", column: "outcome" }),
    }
}

/// For [`user_of`].
pub(super) struct UserColumns {
    pub(super) username: Option<String>,
    pub(super) full_name: Option<String>,
    pub(super) email: Option<String>,
    pub(super) is_email_verified: Option<bool>,
    pub(super) role: Option<String>,
    pub(super) password_changed_at: Option<OffsetDateTime>,
    pub(super) created_at: Option<OffsetDateTime>,
}

impl UserColumns {
    pub(super) fn into_user(self) -> Result<Option<User>, StoreError> {
        let (
            Some(username),
            Some(full_name),
            Some(email),
            Some(is_email_verified),
            Some(role),
            Some(password_changed_at),
            Some(created_at),
        ) = (
            self.username,
            self.full_name,
            self.email,
            self.is_email_verified,
            self.role,
            self.password_changed_at,
            self.created_at,
        )
        else {
            return Ok(None);
        };
        Ok(Some(User {
            username: Username::parse(&username).map_err(|_| inconsistent("username"))?,
            full_name,
            email,
            is_email_verified,
            role: role.parse().map_err(|_| inconsistent("role"))?,
            password_changed_at,
            created_at,
        }))
    }
}

fn inconsistent(column: &'static str) -> StoreError {
    StoreError::Inconsistent { table: "users", column }
}
