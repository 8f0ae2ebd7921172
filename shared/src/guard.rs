//! Work that panics or never ends is answered for, and the next request is served as if nothing had
//! happened.

use std::{panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt;

use crate::bank::BankError;

/// Less than a function's time-out on Lambda, so that a client hears from the function itself. It
/// ends what waits, not what computes: long computations are given to a thread.
const TIMEOUT: Duration = Duration::from_secs(8);

/// Does the work, within a time limit.
///
/// # Errors
/// Its own; [`BankError::Internal`] when it panics, [`BankError::OutcomeUnknown`] when it was given up,
/// whatever it had done by then.
pub async fn guarded<T, E: From<BankError>>(
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    match tokio::time::timeout(TIMEOUT, AssertUnwindSafe(work).catch_unwind()).await {
        Ok(Ok(result)) => result,
        // What a panic says goes to standard error by itself.
        Ok(Err(_)) => Err(BankError::Internal("it panicked".into()).into()),
        Err(_) => Err(BankError::OutcomeUnknown("it took too long".into()).into()),
    }
}
