//! Tasks of the outbox find their way to the queue.

use std::time::Duration;

use tokio::time::Instant;

use super::BankError;
use crate::{domain::VerificationId, store::Store, tasks::TaskQueue, telemetry::chain};

/// How many tasks go to the queue at a time: as many as SQS takes in one call.
const BATCH: i64 = 10;
/// When a run ends: whatever is left is the next one's.
const RUN_TIME: Duration = Duration::from_secs(20);

/// Publishes a task whose cause has just been committed. If that fails, the relay will do it: the request
/// is done all the same.
pub(super) async fn publish_at_once(store: &dyn Store, queue: &dyn TaskQueue, id: VerificationId) {
    if let Err(error) = publish(store, queue, &[id]).await {
        tracing::warn!(email_id = id.0, cause = chain(&error), "left to the relay");
    }
}

/// What a run of the relay did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Relayed {
    /// How many tasks the queue took.
    pub published: usize,
    /// How many tasks, done long ago, were removed.
    pub pruned: u64,
}

/// Publishes every task that nobody has published in good time, and removes those that were done long
/// ago.
///
/// # Errors
/// When the queue or the store cannot be had. What is not published then stays for the next run.
pub async fn relay_outbox(store: &dyn Store, queue: &dyn TaskQueue) -> Result<Relayed, BankError> {
    let started = Instant::now();
    let mut published = 0_usize;
    while started.elapsed() < RUN_TIME {
        let due = store.take_due_verifications(BATCH).await?;
        if due.is_empty() {
            break;
        }
        published = published.saturating_add(publish(store, queue, &due).await?);
    }
    // At last: what was done long ago must not keep anybody's mail waiting.
    let pruned = store.prune_verifications().await?;
    Ok(Relayed { published, pruned })
}

async fn publish(
    store: &dyn Store,
    queue: &dyn TaskQueue,
    ids: &[VerificationId],
) -> Result<usize, BankError> {
    let taken = queue.publish(ids).await?;
    if !taken.is_empty() {
        store.mark_published(&taken).await?;
    }
    Ok(taken.len())
}
