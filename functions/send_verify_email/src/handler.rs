//! A batch of messages: each is worked on by itself, and those that failed are named.

use std::{collections::BTreeMap, panic::AssertUnwindSafe, time::Duration};

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use futures_util::{FutureExt, future::join_all};
use shared::{
    bank::{self, Mailing, MailingTools},
    tasks::TaskMessage,
    telemetry::chain,
};
use tokio::time::{Instant, timeout};

/// Less than the function's time-out, so that one message that waits for ever leaves time to answer for
/// the others.
pub(crate) const MESSAGE_TIMEOUT: Duration = Duration::from_secs(20);

/// Works on all messages at once. Several of one task are one: they fare alike.
pub async fn handle(tools: &MailingTools, event: SqsEvent) -> SqsBatchResponse {
    let mut answer = SqsBatchResponse::default();
    let mut tasks: BTreeMap<TaskMessage, Vec<String>> = BTreeMap::new();
    for record in event.records {
        let message_id = record.message_id.unwrap_or_default();
        if let Some(task) = record.body.as_deref().and_then(TaskMessage::parse) {
            tasks.entry(task).or_default().push(message_id);
        } else {
            tracing::error!(message_id, "a message is no task");
            answer.add_failure(message_id);
        }
    }
    let work =
        tasks.into_iter().map(
            async |(task, message_ids)| {
                if is_done(tools, task).await { Vec::new() } else { message_ids }
            },
        );
    for message_id in join_all(work).await.into_iter().flatten() {
        answer.add_failure(message_id);
    }
    answer
}

/// Whether the queue may forget the task. It is caught if it panics, and given up if it takes too long.
async fn is_done(tools: &MailingTools, task: TaskMessage) -> bool {
    let started = Instant::now();
    let sending = AssertUnwindSafe(bank::send_verification(tools, task.id)).catch_unwind();
    let failure = match timeout(MESSAGE_TIMEOUT, sending).await {
        Ok(Ok(Ok(mailing))) => {
            let outcome = match mailing {
                Mailing::Sent => "sent",
                Mailing::NotNeeded => "not needed",
            };
            let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
            tracing::info!(email_id = task.id.0, outcome, duration_ms, "mail");
            return true;
        }
        Ok(Ok(Err(error))) => chain(&error),
        // What a panic says goes to standard error by itself.
        Ok(Err(_)) => "it panicked".to_owned(),
        Err(_) => "it took too long".to_owned(),
    };
    tracing::error!(email_id = task.id.0, cause = failure, "mail was not sent");
    false
}
