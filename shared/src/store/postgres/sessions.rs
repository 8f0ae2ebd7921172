//! Sessions. Whether one still lives is the view `live_sessions`' decision alone.

use super::Connections;
use crate::{
    domain::{NewSession, Session},
    store::StoreError,
};

pub(super) async fn create(
    connections: &Connections,
    session: NewSession,
) -> Result<Session, StoreError> {
    let ttl_secs = i64::try_from(session.ttl.as_secs()).unwrap_or(i64::MAX);
    let mut lease = connections.lease().await?;
    let created = sqlx::query_scalar!(
        "INSERT INTO sessions
             (id, username, refresh_token_hash, user_agent, client_ip, expires_at)
         VALUES ($1, $2, $3, $4, $5, now() + $6::bigint * interval '1 second')
         RETURNING expires_at",
        session.id.0,
        session.username.as_str(),
        session.refresh_token_hash.as_slice(),
        session.user_agent,
        session.client_ip,
        ttl_secs,
    )
    .fetch_one(&mut *lease)
    .await;
    let expires_at = lease.settle(created).map_err(StoreError::in_doubt)?;
    Ok(Session { id: session.id, expires_at })
}
