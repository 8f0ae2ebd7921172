//! The queue between the outbox and its worker, on SQS.

use std::{sync::Mutex, time::Duration};

use async_trait::async_trait;
use aws_sdk_sqs::{
    Client,
    types::{SendMessageBatchRequestEntry, builders::SendMessageBatchRequestEntryBuilder},
};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    aws::{self, Patience},
    config::QueueConfig,
    domain::VerificationId,
    telemetry::chain,
};

/// A request waits for this, and the relay is the second attempt.
const REQUESTS_PATIENCE: Patience = Patience {
    connect: Duration::from_millis(400),
    attempt: Duration::from_millis(700),
    in_all: Duration::from_millis(700),
    attempts: 1,
};

/// The relay has nobody waiting, and comes again in a minute.
const RELAYS_PATIENCE: Patience = Patience {
    connect: Duration::from_secs(1),
    attempt: Duration::from_secs(3),
    in_all: Duration::from_secs(7),
    attempts: 2,
};

/// For how long after a failure the queue is not asked again: of the requests that come while it says
/// nothing, a few wait and not all.
const PAUSE: Duration = Duration::from_secs(5);

/// The most messages that SQS takes in one call.
const MAX_MESSAGES: usize = 10;

/// What the queue's message says: `{"email_id": 4711}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TaskMessage {
    /// The task.
    pub id: VerificationId,
}

impl TaskMessage {
    /// The message's text.
    #[must_use]
    pub fn text(self) -> String {
        json!({ "email_id": self.id.0 }).to_string()
    }

    /// Reads a message's text; `None` when it is no such message.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let message: Value = serde_json::from_str(text).ok()?;
        let object = message.as_object().filter(|object| object.len() == 1)?;
        let id = VerificationId::new(object.get("email_id")?.as_i64()?).ok()?;
        Some(Self { id })
    }
}

/// Takes tasks to the worker.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait TaskQueue: Send + Sync {
    /// Publishes tasks and says which of them the queue has now.
    ///
    /// # Errors
    /// When the queue cannot be had: it may have the tasks all the same.
    async fn publish(&self, tasks: &[VerificationId]) -> Result<Vec<VerificationId>, PublishError>;
}

/// Tasks that the queue has not confirmed.
#[derive(Debug, thiserror::Error)]
#[error("the queue did not take it: {reason}")]
pub struct PublishError {
    /// What the queue or the way to it says.
    pub reason: String,
}

/// When the queue failed last.
#[derive(Debug, Default)]
struct Outage(Mutex<Option<Instant>>);

impl Outage {
    fn begin(&self) {
        if let Ok(mut since) = self.0.lock() {
            *since = Some(Instant::now());
        }
    }

    fn lasts(&self) -> bool {
        self.0.lock().is_ok_and(|since| since.is_some_and(|since| since.elapsed() < PAUSE))
    }
}

/// A queue of SQS.
#[derive(Debug)]
pub struct SqsQueue {
    client: Client,
    url: String,
    outage: Outage,
}

impl SqsQueue {
    /// A client for functions that somebody waits for; it connects when it is used.
    pub async fn open(config: QueueConfig) -> Self {
        Self::with_patience(config, REQUESTS_PATIENCE).await
    }

    /// A client for the relay.
    pub async fn open_for_relay(config: QueueConfig) -> Self {
        Self::with_patience(config, RELAYS_PATIENCE).await
    }

    async fn with_patience(config: QueueConfig, patience: Patience) -> Self {
        let client = Client::new(&aws::config(patience).await);
        Self { client, url: config.url, outage: Outage::default() }
    }

    async fn publish_batch(
        &self,
        tasks: &[VerificationId],
    ) -> Result<Vec<VerificationId>, PublishError> {
        let entries: Result<Vec<_>, _> = tasks.iter().map(|id| entry(*id).build()).collect();
        let entries = entries.map_err(|error| PublishError { reason: chain(&error) })?;
        let request = self.client.send_message_batch().queue_url(&self.url);
        let answer = request.set_entries(Some(entries)).send().await;
        let answer = answer.map_err(|error| PublishError { reason: chain(&error) })?;
        for failed in answer.failed() {
            tracing::warn!(
                email_id = failed.id(),
                code = failed.code(),
                "the queue refuses a task"
            );
        }
        let is_taken = |id: &VerificationId| {
            answer.successful().iter().any(|taken| taken.id() == id.0.to_string())
        };
        Ok(tasks.iter().copied().filter(is_taken).collect())
    }
}

#[async_trait]
impl TaskQueue for SqsQueue {
    async fn publish(&self, tasks: &[VerificationId]) -> Result<Vec<VerificationId>, PublishError> {
        if self.outage.lasts() {
            return Err(PublishError { reason: "it failed a moment ago".to_owned() });
        }
        let mut taken = Vec::with_capacity(tasks.len());
        for batch in tasks.chunks(MAX_MESSAGES) {
            let published = self.publish_batch(batch).await;
            taken.extend(published.inspect_err(|_| self.outage.begin())?);
        }
        Ok(taken)
    }
}

fn entry(id: VerificationId) -> SendMessageBatchRequestEntryBuilder {
    SendMessageBatchRequestEntry::builder()
        .id(id.0.to_string())
        .message_body(TaskMessage { id }.text())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn after_a_failure_nobody_asks_for_a_while() {
        let outage = Outage::default();
        assert!(!outage.lasts());
        outage.begin();
        assert!(outage.lasts());
        tokio::time::advance(PAUSE).await;
        assert!(!outage.lasts());
    }

    #[test]
    fn a_message_is_read_as_it_was_written_and_nothing_else_is_one() {
        let message = TaskMessage { id: VerificationId(4711) };
        assert_eq!(message.text(), r#"{"email_id":4711}"#);
        assert_eq!(TaskMessage::parse(&message.text()), Some(message));
        for text in [
            "",
            "{",
            "4711",
            "[4711]",
            "{}",
            r#"{"email_id":0}"#,
            r#"{"email_id":-1}"#,
            r#"{"email_id":"4711"}"#,
            r#"{"email_id":4711.5}"#,
            r#"{"email_id":18446744073709551615}"#,
            r#"{"email_id":4711,"to":"mallory@example.com"}"#,
        ] {
            assert_eq!(TaskMessage::parse(text), None, "{text}");
        }
    }
}
