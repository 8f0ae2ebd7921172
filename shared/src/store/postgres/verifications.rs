//! Addresses that are to be verified: the outbox of their mails, and the codes. What claims, spends and
//! limits them stands in the migration.

use std::time::Duration;

use super::{
    Connections,
    durations::{seconds, whole_secs},
};
use crate::{
    domain::{Addressee, Caller, Claim, Username, VerificationId},
    store::StoreError,
};

/// The wrong code by which the right one dies.
const MAX_TRIES: i32 = 5;
/// For how long a task that was taken to be published is nobody else's: less than until the relay
/// looks again.
const TAKEN_SECS: i64 = 45;
/// The most that one statement removes, which keeps it short.
const MAX_PRUNED: i64 = 5_000;

pub(super) async fn request(
    connections: &Connections,
    caller: &Caller,
) -> Result<Option<VerificationId>, StoreError> {
    let mut lease = connections.lease().await?;
    let requested = sqlx::query!(
        r#"SELECT outcome AS "outcome!", email_id, wait_secs FROM request_verify_email($1, $2)"#,
        caller.session_id.0,
        caller.username.as_str(),
    )
    .fetch_one(&mut *lease)
    .await;
    let row = lease.settle(requested).map_err(StoreError::in_doubt)?;
    match (row.outcome.as_str(), row.email_id, row.wait_secs) {
        ("written", Some(id), _) => Ok(Some(VerificationId(id))),
        ("verified", _, _) => Ok(None),
        ("session_ended", _, _) => Err(StoreError::SessionEnded),
        ("too_many", _, Some(secs)) => Err(StoreError::TooManyMails(seconds(secs))),
        _ => Err(inconsistent("request_verify_email")),
    }
}

pub(super) async fn claim(
    connections: &Connections,
    id: VerificationId,
    code_hash: [u8; 32],
    lease_for: Duration,
    life: Duration,
) -> Result<Claim, StoreError> {
    let mut lease = connections.lease().await?;
    let claimed = sqlx::query!(
        r#"SELECT claimed.outcome AS "outcome!", claimed.email, task.username AS "username?"
           FROM claim_verify_email($1, $2, $3, $4) AS claimed
           LEFT JOIN verify_emails AS task ON task.id = $1"#,
        id.0,
        code_hash.as_slice(),
        whole_secs(lease_for),
        whole_secs(life),
    )
    .fetch_one(&mut *lease)
    .await;
    let row = lease.settle(claimed).map_err(StoreError::in_doubt)?;
    let username = row.username.and_then(|name| Username::parse(&name).ok());
    match (row.outcome.as_str(), row.email, username) {
        ("claimed", Some(email), Some(username)) => {
            Ok(Claim::Granted(Addressee { email, username }))
        }
        ("busy", _, _) => Ok(Claim::Busy),
        ("done", _, _) => Ok(Claim::Done),
        _ => Err(inconsistent("claim_verify_email")),
    }
}

pub(super) async fn finish(
    connections: &Connections,
    id: VerificationId,
    code_hash: [u8; 32],
) -> Result<(), StoreError> {
    let mut lease = connections.lease().await?;
    let finished = sqlx::query!(
        "UPDATE verify_emails SET done_at = clock_timestamp()
         WHERE id = $1 AND secret_hash = $2 AND done_at IS NULL",
        id.0,
        code_hash.as_slice(),
    )
    .execute(&mut *lease)
    .await;
    lease.settle(finished).map_err(StoreError::in_doubt)?;
    Ok(())
}

pub(super) async fn release(
    connections: &Connections,
    id: VerificationId,
    code_hash: [u8; 32],
) -> Result<(), StoreError> {
    let mut lease = connections.lease().await?;
    let released = sqlx::query!(
        "UPDATE verify_emails SET claimed_until = NULL WHERE id = $1 AND secret_hash = $2",
        id.0,
        code_hash.as_slice(),
    )
    .execute(&mut *lease)
    .await;
    lease.settle(released).map_err(StoreError::in_doubt)?;
    Ok(())
}

pub(super) async fn spend(
    connections: &Connections,
    id: VerificationId,
    code_hash: [u8; 32],
) -> Result<(), StoreError> {
    let mut lease = connections.lease().await?;
    let outcome = sqlx::query_scalar!(
        r#"SELECT outcome AS "outcome!" FROM spend_verify_email($1, $2, $3) AS spent (outcome)"#,
        id.0,
        code_hash.as_slice(),
        MAX_TRIES,
    )
    .fetch_one(&mut *lease)
    .await;
    match lease.settle(outcome).map_err(StoreError::in_doubt)?.as_str() {
        "verified" => Ok(()),
        "wrong" => Err(StoreError::NotFound),
        "spent" => Err(StoreError::CodeSpent),
        _ => Err(inconsistent("spend_verify_email")),
    }
}

pub(super) async fn take_due(
    connections: &Connections,
    limit: i64,
) -> Result<Vec<VerificationId>, StoreError> {
    let mut lease = connections.lease().await?;
    let taken = sqlx::query_scalar!(
        "UPDATE verify_emails SET due_at = clock_timestamp() + $2::bigint * interval '1 second'
         WHERE id IN (
             SELECT due.id FROM verify_emails AS due
             WHERE due.published_at IS NULL AND due.done_at IS NULL
               AND due.due_at <= clock_timestamp()
             ORDER BY due.due_at
             LIMIT $1
             FOR NO KEY UPDATE SKIP LOCKED
         )
         RETURNING id",
        limit,
        TAKEN_SECS,
    )
    .fetch_all(&mut *lease)
    .await;
    let ids = lease.settle(taken)?;
    Ok(ids.into_iter().map(VerificationId).collect())
}

pub(super) async fn mark_published(
    connections: &Connections,
    ids: &[VerificationId],
) -> Result<(), StoreError> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    let mut lease = connections.lease().await?;
    let marked = sqlx::query!(
        "UPDATE verify_emails SET published_at = clock_timestamp()
         WHERE id = ANY ($1) AND published_at IS NULL",
        &ids,
    )
    .execute(&mut *lease)
    .await;
    lease.settle(marked).map_err(StoreError::in_doubt)?;
    Ok(())
}

pub(super) async fn prune(connections: &Connections) -> Result<u64, StoreError> {
    let mut lease = connections.lease().await?;
    let pruned = sqlx::query!(
        "DELETE FROM verify_emails WHERE id IN (
             SELECT done.id FROM verify_emails AS done
             WHERE done.done_at < now() - interval '2 days'
                OR done.done_at IS NULL AND done.created_at < now() - interval '30 days'
             LIMIT $1
             FOR UPDATE SKIP LOCKED
         )",
        MAX_PRUNED,
    )
    .execute(&mut *lease)
    .await;
    Ok(lease.settle(pruned)?.rows_affected())
}

fn inconsistent(function: &'static str) -> StoreError {
    StoreError::Inconsistent { table: function, column: "outcome" }
}
