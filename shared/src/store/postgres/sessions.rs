//! Sessions. Whether one still lives is the view `live_sessions`' decision alone.

use sqlx::PgPool;

use crate::{
    domain::{NewSession, Session},
    store::StoreError,
};

pub(super) async fn create(pool: &PgPool, session: NewSession) -> Result<Session, StoreError> {
    let ttl_secs = i64::try_from(session.ttl.as_secs()).unwrap_or(i64::MAX);
    let expires_at = sqlx::query_scalar!(
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
    .fetch_one(pool)
    .await?;
    Ok(Session { id: session.id, expires_at })
}
