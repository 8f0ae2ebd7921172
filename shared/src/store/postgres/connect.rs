//! The one connection of an environment: how it is opened, and how it is trusted after a freeze.

use std::{str::FromStr, time::Duration};

use sqlx::{
    Connection, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions, PgSslMode},
};
use tokio::time::timeout;

use crate::config::DatabaseConfig;

// Each inner limit is reached before the next outer one: lock < statement < handler < function.
const LOCK_TIMEOUT: &str = "1s";
const STATEMENT_TIMEOUT: &str = "3s";
const IDLE_IN_TRANSACTION_TIMEOUT: &str = "5s";
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(2);

/// A connection that was used this recently is used as it is, which saves a round trip.
const TRUSTED_IDLE: Duration = Duration::from_secs(5);
/// A half-open socket answers nothing at all, and the driver's ping would wait for ever.
const PING_TIMEOUT: Duration = Duration::from_millis(500);

/// Settings that no connection can be made from.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// `DATABASE_URL` cannot be read. Its text may hold a password, so it is not repeated.
    #[error("DATABASE_URL is not a postgres:// URL")]
    Url,
}

/// Reads the settings of a connection.
///
/// Outside the local machine the server's certificate and name are verified whatever the URL says:
/// `require` alone would encrypt and verify nothing.
///
/// # Errors
/// When the URL cannot be read.
pub fn options(config: &DatabaseConfig) -> Result<PgConnectOptions, ConnectError> {
    let mut options = PgConnectOptions::from_str(&config.url).map_err(|_| ConnectError::Url)?;
    if !is_local(&options) {
        options = options.ssl_mode(PgSslMode::VerifyFull);
    }
    if let Some(file) = &config.ca_file {
        options = options.ssl_root_cert(file);
    }
    Ok(options.application_name("simplebank"))
}

/// Makes the pool and opens its connection. A database that cannot be reached now is no error:
/// the first request tries again and answers 503.
///
/// # Errors
/// When the URL cannot be read.
pub async fn connect(config: &DatabaseConfig) -> Result<PgPool, ConnectError> {
    let options = options(config)?.options([
        ("lock_timeout", LOCK_TIMEOUT),
        ("statement_timeout", STATEMENT_TIMEOUT),
        ("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION_TIMEOUT),
    ]);
    let allow_unsafe = config.allow_unsafe;
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        // Neither limit is kept while an environment is frozen; `before_acquire` does their work.
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .before_acquire(|connection, state| {
            Box::pin(async move {
                if state.idle_for <= TRUSTED_IDLE {
                    return Ok(true);
                }
                // An error closes the connection without a farewell, which could hang as well.
                timeout(PING_TIMEOUT, connection.ping())
                    .await
                    .map_err(|_| sqlx::Error::PoolTimedOut)?
                    .map(|()| true)
            })
        })
        .after_connect(move |connection, _| {
            Box::pin(async move {
                if allow_unsafe { Ok(()) } else { refuse_unsafe_server(connection).await }
            })
        })
        .connect_lazy_with(options);
    if let Err(error) = pool.acquire().await {
        tracing::warn!(%error, "no database yet");
    }
    Ok(pool)
}

/// A server with these settings may acknowledge a commit and lose it.
async fn refuse_unsafe_server(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let settings = sqlx::query!(
        r#"SELECT current_setting('fsync') AS "fsync!",
                  current_setting('synchronous_commit') AS "synchronous_commit!""#
    )
    .fetch_one(connection)
    .await?;
    if settings.fsync == "off" || settings.synchronous_commit == "off" {
        const REASON: &str = "the server runs with fsync or synchronous_commit off, which loses \
                              money in a crash; set ALLOW_UNSAFE_DATABASE=true for a test";
        // The pool goes on trying and reports no more than a time-out.
        tracing::error!(REASON);
        return Err(sqlx::Error::Configuration(REASON.into()));
    }
    Ok(())
}

fn is_local(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    options.get_socket().is_some()
        || matches!(host, "localhost" | "127.0.0.1" | "::1")
        || host.starts_with('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remote_servers_are_verified() {
        for (url, expected) in [
            ("postgres://u@db.example.com/bank?sslmode=disable", true),
            ("postgres://u@db.example.com/bank?sslmode=require", true),
            ("postgres://u@127.0.0.1:5432/bank", false),
            ("postgres://u@localhost/bank", false),
        ] {
            let config = DatabaseConfig { url: url.to_owned(), ca_file: None, allow_unsafe: false };
            let mode = options(&config).unwrap().get_ssl_mode();
            assert_eq!(matches!(mode, PgSslMode::VerifyFull), expected, "{url}");
        }
    }
}
