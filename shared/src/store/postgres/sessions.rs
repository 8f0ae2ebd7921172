//! Sessions. Whether one may act is the view `live_sessions`' decision; what ends, renews or displaces
//! one asks the locked row by the same rule, since a view shows what was there before the wait. How
//! they begin and how they are renewed stands in the migration.

use std::time::Duration;

use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    Connections,
    durations::{seconds, whole_secs},
};
use crate::{
    domain::{Attempt, Caller, LiveSession, NewSession, Renewed, Session, SessionId, Username},
    store::StoreError,
};

/// A user who logs in once more loses their oldest session.
const MAX_LIVE_SESSIONS: i32 = 10;

/// How long a spent refresh token still gets its successor: for a client that sends twice, or whose
/// answer got lost.
const RETRY_SECS: i64 = 10;

pub(super) async fn begin(
    connections: &Connections,
    attempt: &Attempt,
    session: NewSession,
) -> Result<Session, StoreError> {
    let mut lease = connections.lease().await?;
    let begun = sqlx::query!(
        r#"SELECT outcome AS "outcome!", locked_secs, session_expires_at
           FROM begin_session($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"#,
        session.id.0,
        session.username.as_str(),
        session.proven_changed_at,
        session.stronger_hash,
        session.refresh_token_hash.as_slice(),
        session.user_agent,
        session.client_ip,
        attempt.address,
        whole_secs(session.limits.idle),
        whole_secs(session.limits.life),
        MAX_LIVE_SESSIONS,
    )
    .fetch_one(&mut *lease)
    .await;
    let row = lease.settle(begun).map_err(StoreError::in_doubt)?;
    match (row.outcome.as_str(), row.locked_secs, row.session_expires_at) {
        ("begun", _, Some(expires_at)) => Ok(Session { id: session.id, expires_at }),
        ("password_changed", _, _) => Err(StoreError::ProofOutdated),
        ("locked", Some(secs), _) => Err(StoreError::Locked(seconds(secs))),
        _ => Err(StoreError::Inconsistent { table: "begin_session", column: "outcome" }),
    }
}

pub(super) async fn renew(
    connections: &Connections,
    presented: [u8; 32],
    successor: [u8; 32],
    idle: Duration,
) -> Result<Renewed, StoreError> {
    let mut lease = connections.lease().await?;
    let renewed = sqlx::query_as!(
        RenewalRow,
        r#"SELECT outcome AS "outcome!", session_id, session_username, session_expires_at,
                  successor_hash
           FROM renew_session($1, $2, $3, $4)"#,
        presented.as_slice(),
        successor.as_slice(),
        whole_secs(idle),
        RETRY_SECS,
    )
    .fetch_one(&mut *lease)
    .await;
    let row = lease.settle(renewed).map_err(StoreError::in_doubt)?;
    match (row.outcome.as_str(), row.session_id) {
        ("renewed" | "replayed", _) => row.into_renewed(),
        ("unknown", _) => Err(StoreError::NotFound),
        ("ended", _) => Err(StoreError::SessionEnded),
        ("reused", Some(id)) => Err(StoreError::TokenReused(SessionId(id))),
        _ => Err(inconsistent("outcome")),
    }
}

pub(super) async fn list(
    connections: &Connections,
    caller: &Caller,
) -> Result<Vec<LiveSession>, StoreError> {
    let mut lease = connections.lease().await?;
    let listed = sqlx::query!(
        r#"SELECT sessions.id, sessions.user_agent, sessions.client_ip, sessions.created_at,
                  sessions.expires_at
           FROM live_sessions AS caller
           JOIN live_sessions AS own ON own.username = caller.username
           JOIN sessions ON sessions.id = own.id
           WHERE caller.id = $1 AND caller.username = $2
           ORDER BY sessions.created_at DESC, sessions.id DESC"#,
        caller.session_id.0,
        caller.username.as_str(),
    )
    .fetch_all(&mut *lease)
    .await;
    let rows = lease.settle(listed)?;
    if rows.is_empty() {
        return Err(StoreError::SessionEnded);
    }
    let sessions = rows.into_iter().map(|row| LiveSession {
        id: SessionId(row.id),
        user_agent: row.user_agent,
        client_ip: row.client_ip,
        created_at: row.created_at,
        expires_at: row.expires_at,
    });
    Ok(sessions.collect())
}

pub(super) async fn end(
    connections: &Connections,
    caller: &Caller,
    id: SessionId,
) -> Result<(), StoreError> {
    let reason = if id == caller.session_id { "logged_out" } else { "revoked" };
    let mut lease = connections.lease().await?;
    let ended = sqlx::query_scalar!(
        r#"WITH ended AS (
               UPDATE sessions
               SET revoked_at = now(), end_reason = $4
               FROM live_sessions AS caller
               WHERE caller.id = $1 AND caller.username = $2
                 AND sessions.id = $3 AND sessions.username = caller.username
                 AND sessions.revoked_at IS NULL AND sessions.expires_at > now()
               RETURNING sessions.id
           )
           SELECT (SELECT ended.id FROM ended) AS "ended?"
           FROM live_sessions
           WHERE live_sessions.id = $1 AND live_sessions.username = $2"#,
        caller.session_id.0,
        caller.username.as_str(),
        id.0,
        reason,
    )
    .fetch_optional(&mut *lease)
    .await;
    let ended = lease.settle(ended).map_err(StoreError::in_doubt)?;
    match ended {
        Some(Some(_)) => Ok(()),
        // Somebody else ended it while this waited.
        Some(None) if id == caller.session_id => Err(StoreError::SessionEnded),
        Some(None) => Err(StoreError::NotFound),
        None => Err(StoreError::SessionEnded),
    }
}

fn inconsistent(column: &'static str) -> StoreError {
    StoreError::Inconsistent { table: "renew_session", column }
}

struct RenewalRow {
    outcome: String,
    session_id: Option<Uuid>,
    session_username: Option<String>,
    session_expires_at: Option<OffsetDateTime>,
    successor_hash: Option<Vec<u8>>,
}

impl RenewalRow {
    fn into_renewed(self) -> Result<Renewed, StoreError> {
        let (Some(id), Some(username), Some(expires_at), Some(hash)) =
            (self.session_id, self.session_username, self.session_expires_at, self.successor_hash)
        else {
            return Err(inconsistent("outcome"));
        };
        Ok(Renewed {
            session: Session { id: SessionId(id), expires_at },
            username: Username::parse(&username).map_err(|_| inconsistent("session_username"))?,
            successor_hash: hash.try_into().map_err(|_| inconsistent("successor_hash"))?,
        })
    }
}
