//! Passwords that are tried: what they are checked against, and the count of those that were wrong.
//! How long a lock lasts stands in the migration.

use super::{Connections, durations::seconds, users::user_of};
use crate::{
    domain::{Attempt, AttemptLimits, Caller, Credentials, Proof, User},
    store::StoreError,
};

pub(super) async fn find_proof(
    connections: &Connections,
    attempt: &Attempt,
) -> Result<Proof, StoreError> {
    let mut lease = connections.lease().await?;
    let found = sqlx::query!(
        r#"SELECT users.username AS "username?", users.hashed_password AS "hashed_password?",
                  users.full_name AS "full_name?", users.email AS "email?",
                  users.is_email_verified AS "is_email_verified?", users.role AS "role?",
                  users.password_changed_at AS "password_changed_at?",
                  users.created_at AS "created_at?",
                  lock.secs AS "locked_secs?"
           FROM (SELECT login_lock_secs($1, $2) AS secs) AS lock
           LEFT JOIN users ON users.username = $1"#,
        attempt.username.as_str(),
        attempt.address,
    )
    .fetch_one(&mut *lease)
    .await;
    let row = lease.settle(found)?;
    Ok(proof(user_of!(row)?, row.hashed_password, row.locked_secs))
}

pub(super) async fn find_own_proof(
    connections: &Connections,
    caller: &Caller,
    attempt: &Attempt,
) -> Result<Proof, StoreError> {
    let mut lease = connections.lease().await?;
    let found = sqlx::query!(
        r#"SELECT users.username AS "username?", users.hashed_password AS "hashed_password?",
                  users.full_name AS "full_name?", users.email AS "email?",
                  users.is_email_verified AS "is_email_verified?", users.role AS "role?",
                  users.password_changed_at AS "password_changed_at?",
                  users.created_at AS "created_at?",
                  login_lock_secs(live_sessions.username, $3) AS "locked_secs?"
           FROM live_sessions
           JOIN users ON users.username = live_sessions.username
           WHERE live_sessions.id = $1 AND live_sessions.username = $2"#,
        caller.session_id.0,
        caller.username.as_str(),
        attempt.address,
    )
    .fetch_optional(&mut *lease)
    .await;
    let row = lease.settle(found)?.ok_or(StoreError::SessionEnded)?;
    Ok(proof(user_of!(row)?, row.hashed_password, row.locked_secs))
}

pub(super) async fn count_failure(
    connections: &Connections,
    attempt: &Attempt,
    limits: AttemptLimits,
) -> Result<(), StoreError> {
    let mut lease = connections.lease().await?;
    let counted = sqlx::query_scalar!(
        "SELECT count_login_failure($1, $2, $3, $4)",
        attempt.username.as_str(),
        attempt.address,
        limits.by_name,
        limits.by_address,
    )
    .fetch_one(&mut *lease)
    .await;
    match lease.settle(counted).map_err(StoreError::in_doubt)? {
        Some(secs) => Err(StoreError::Locked(seconds(secs))),
        None => Ok(()),
    }
}

fn proof(user: Option<User>, hashed_password: Option<String>, locked_secs: Option<i64>) -> Proof {
    let credentials = user
        .zip(hashed_password)
        .map(|(user, hashed_password)| Credentials { user, hashed_password });
    Proof { credentials, locked_for: locked_secs.map(seconds) }
}
