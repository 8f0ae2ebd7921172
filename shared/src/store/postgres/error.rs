//! What Postgres said, in the store's words. Told apart by SQLSTATE and by constraint *name*, never
//! by message text.

use std::{borrow::Cow, time::Duration};

use sqlx::error::DatabaseError;

use crate::store::{StoreError, Unique};

/// The waits before the second and the third attempt; each is drawn out by up to its own length.
const RETRY_DELAYS_MS: [u64; 2] = [20, 80];

/// What a writer that has become a reader says of each write.
const READ_ONLY: &str = "25006";

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if let Some(unique) = violated(&error) {
            Self::Taken(unique)
        } else if is_passing(&error) {
            Self::Unavailable(error)
        } else {
            Self::Defect(error)
        }
    }
}

impl StoreError {
    /// What an error means of a statement that is a transaction by itself. When the connection is
    /// lost, it may well have committed before, and neither answer may be guessed.
    pub(super) fn in_doubt(error: sqlx::Error) -> Self {
        if is_lost(&error) { Self::OutcomeUnknown(error) } else { Self::from(error) }
    }

    /// Postgres has rolled back a serialization failure or a deadlock, and asks to be tried again
    /// (<https://www.postgresql.org/docs/current/mvcc-serialization-failure-handling.html>).
    fn is_conflict(&self) -> bool {
        let Self::Unavailable(error) = self else { return false };
        code(error).is_some_and(|code| is_conflict(&code))
    }
}

/// Tries again, a little later, what Postgres rolled back because it met another transaction, and
/// once, on a new connection, what has an unknown outcome: the key makes both safe.
pub(super) async fn retry_keyed<T, F>(attempt: impl Fn() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let mut is_in_doubt = false;
    let mut result = attempt().await;
    for delay_ms in RETRY_DELAYS_MS {
        match &result {
            Err(error) if error.is_conflict() => {
                let jitter_ms = u64::from(getrandom::u32().unwrap_or_default());
                let jitter_ms = jitter_ms.checked_rem(delay_ms).unwrap_or_default();
                tokio::time::sleep(Duration::from_millis(delay_ms.saturating_add(jitter_ms))).await;
            }
            Err(StoreError::OutcomeUnknown(_)) if !is_in_doubt => is_in_doubt = true,
            Ok(_) | Err(_) => break,
        }
        result = attempt().await;
    }
    match result {
        // Nothing was done this time; the first attempt is still in doubt.
        Err(StoreError::Unavailable(error)) if is_in_doubt => {
            Err(StoreError::OutcomeUnknown(error))
        }
        result => result,
    }
}

fn code(error: &sqlx::Error) -> Option<Cow<'_, str>> {
    error.as_database_error().and_then(DatabaseError::code)
}

/// Whether the connection has ended, by itself or by the server's will.
pub(super) fn is_lost(error: &sqlx::Error) -> bool {
    match code(error) {
        Some(code) => code.starts_with("08") || matches!(&*code, "57P01" | "57P02" | "57P03"),
        None => is_passing(error),
    }
}

/// Whether the connection is of no more use: it has ended, or leads to a writer that has become a reader.
pub(super) fn is_useless(error: &sqlx::Error) -> bool {
    is_lost(error) || code(error).is_some_and(|code| code == READ_ONLY)
}

/// Whether the server does not let this user in with this password.
pub(super) fn is_wrong_password(error: &sqlx::Error) -> bool {
    code(error).is_some_and(|code| code == "28P01")
}

fn violated(error: &sqlx::Error) -> Option<Unique> {
    match error.as_database_error()?.constraint()? {
        "users_pkey" => Some(Unique::Username),
        "users_email_key" => Some(Unique::Email),
        "accounts_owner_currency_key" => Some(Unique::AccountCurrency),
        _ => None,
    }
}

/// Whether the same statement may work a moment later.
fn is_passing(error: &sqlx::Error) -> bool {
    match error.as_database_error() {
        Some(refusal) => refusal.code().is_some_and(|code| {
            is_conflict(&code)
                || code.starts_with("08") // connection
                || code.starts_with("53") // out of memory, disk or connections
                || code.starts_with("57") // cancelled by a time-out, shutting down, starting up
                || code.starts_with("28") // a password that is being rotated
                || code == "55P03" // the lock was not to be had in time
                || code == "25P03" // idle in a transaction for too long
                || code == READ_ONLY
                // Statements are checked against the newest schema, so this one is yet to be migrated.
                || matches!(&*code, "42P01" | "42703" | "42883")
        }),
        None => matches!(
            error,
            sqlx::Error::Io(_)
                | sqlx::Error::Tls(_)
                | sqlx::Error::Protocol(_)
                | sqlx::Error::WorkerCrashed
        ),
    }
}

fn is_conflict(code: &str) -> bool {
    matches!(code, "40001" | "40P01")
}
