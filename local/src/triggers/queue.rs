//! Lambda's event source mapping for a queue: reads messages, hands them to the function in batches,
//! and removes those that are done. What is not removed comes back by the queue's own doing.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use aws_sdk_sqs::{
    error::SdkError,
    operation::receive_message::ReceiveMessageError,
    types::{DeleteMessageBatchRequestEntry, Message, MessageSystemAttributeName},
};
use axum::body::Bytes;
use tokio::{
    select,
    sync::Semaphore,
    task::JoinSet,
    time::{Instant, sleep},
};

use super::batch;
use crate::{
    console,
    emulator::{Emulator, reason},
    lambda::{Invocation, Invoker},
    stop::StopSignal,
    template::QueueTrigger,
};

/// How long a read waits for a first message. Lambda waits for 20 s; here a stop waits for the read
/// under way, which could otherwise take a message with it.
const WAIT: Duration = Duration::from_secs(1);
/// The most messages that SQS gives out or removes at a time.
const MAX_MESSAGES: usize = 10;
/// How long a queue that cannot be read is left alone.
const BACK_OFF: Duration = Duration::from_millis(500);

type ReadError = SdkError<ReceiveMessageError>;

/// Reads one queue for one function.
pub(super) struct Poller {
    trigger: QueueTrigger,
    emulator: Arc<Emulator>,
    lambda: Arc<Invoker>,
}

impl Poller {
    pub(super) fn new(
        trigger: QueueTrigger,
        emulator: Arc<Emulator>,
        lambda: Arc<Invoker>,
    ) -> Self {
        Self { trigger, emulator, lambda }
    }

    /// Reads until the end is wanted, and then waits for the batches that were read.
    pub(super) async fn run(self, stop: StopSignal) {
        let places = Arc::new(Semaphore::new(self.trigger.concurrency));
        let poller = Arc::new(self);
        let mut batches = JoinSet::new();
        let mut is_out = false;
        // Nothing is read that would have to wait for its turn.
        while let Some(place) = or_stop(Arc::clone(&places).acquire_owned(), &stop).await {
            while batches.try_join_next().is_some() {}
            match poller.read().await {
                Ok(messages) => {
                    if std::mem::take(&mut is_out) {
                        poller.log("can be read again");
                    }
                    if !messages.is_empty() {
                        let poller = Arc::clone(&poller);
                        batches.spawn(async move {
                            poller.handle(messages).await;
                            drop(place);
                        });
                    }
                }
                Err(error) => {
                    // At the end the emulator may be the first to go.
                    if !std::mem::replace(&mut is_out, true) && !stop.is_received() {
                        poller.log(&format!("cannot be read: {}", reason(&error)));
                    }
                    poller.recover(&error).await;
                    or_stop(sleep(BACK_OFF), &stop).await;
                }
            }
        }
        batches.join_all().await;
    }

    /// As many messages as make a batch, or as came in time; none if none came.
    async fn read(&self) -> Result<Vec<Message>, ReadError> {
        let size = self.trigger.batch_size;
        let mut messages = self.receive(size, WAIT).await?;
        let end = Instant::now().checked_add(self.trigger.window);
        while let Some(end) = end
            && !messages.is_empty()
            && messages.len() < size
            && Instant::now() < end
        {
            let wait = end.saturating_duration_since(Instant::now()).min(WAIT);
            messages.extend(self.receive(size.saturating_sub(messages.len()), wait).await?);
        }
        Ok(messages)
    }

    async fn receive(&self, most: usize, wait: Duration) -> Result<Vec<Message>, ReadError> {
        // Rounded up: waiting for 0 s would be asking over and over.
        let wait_secs = wait.as_millis().div_ceil(1000);
        let request = self
            .emulator
            .sqs()
            .receive_message()
            .queue_url(self.emulator.queue_url(&self.trigger.queue))
            .max_number_of_messages(small(most.min(MAX_MESSAGES)))
            .wait_time_seconds(small(wait_secs))
            .message_attribute_names("All")
            .message_system_attribute_names(MessageSystemAttributeName::All);
        Ok(request.send().await?.messages.unwrap_or_default())
    }

    /// An emulator that keeps its queues in memory has none of them once it was started anew.
    async fn recover(&self, error: &ReadError) {
        let is_missing =
            matches!(error.as_service_error(), Some(ReceiveMessageError::QueueDoesNotExist(_)));
        if is_missing && let Err(error) = self.emulator.provision().await {
            self.log(&error.to_string());
        }
    }

    async fn handle(&self, messages: Vec<Message>) {
        let failed = self.invoke(&messages).await;
        let all = messages.len();
        let is_done =
            |message: &Message| !failed.contains(message.message_id().unwrap_or_default());
        let done: Vec<Message> = messages.iter().filter(|one| is_done(one)).cloned().collect();
        if done.len() < all {
            self.log(&format!("{} of {all} messages have failed", all.saturating_sub(done.len())));
        }
        self.delete(&done).await;
    }

    /// The ids of the messages that have failed.
    async fn invoke<'m>(&self, messages: &'m [Message]) -> BTreeSet<&'m str> {
        let QueueTrigger { function, patience, queue_arn, .. } = &self.trigger;
        let payload = Bytes::from(batch::event(messages, queue_arn).to_string());
        let invocation = Invocation { payload, trace_id: Invocation::new_trace_id() };
        let answer = self.lambda.invoke(function, invocation, *patience).await;
        let failed = match answer {
            Ok(answer) if self.trigger.reports_failures => batch::failures(&answer, messages)
                .map_err(|problem| format!("the answer of {function} is malformed: {problem}")),
            Ok(_) => Ok(BTreeSet::new()),
            Err(error) => Err(format!("{function}: {error}")),
        };
        failed.unwrap_or_else(|problem| {
            self.log(&problem);
            messages.iter().filter_map(Message::message_id).collect()
        })
    }

    /// What cannot be removed comes back, and is done twice.
    async fn delete(&self, messages: &[Message]) {
        let entry = |(index, message): (usize, &Message)| {
            let entry = DeleteMessageBatchRequestEntry::builder().id(index.to_string());
            entry.set_receipt_handle(message.receipt_handle.clone()).build().ok()
        };
        for some in messages.chunks(MAX_MESSAGES) {
            let request = self
                .emulator
                .sqs()
                .delete_message_batch()
                .queue_url(self.emulator.queue_url(&self.trigger.queue))
                .set_entries(Some(some.iter().enumerate().filter_map(entry).collect()));
            match request.send().await {
                Ok(answer) if answer.failed.is_empty() => {}
                Ok(answer) => self.log(&format!("{} cannot be removed", answer.failed.len())),
                Err(error) => self.log(&format!("nothing can be removed: {}", reason(&error))),
            }
        }
    }

    fn log(&self, line: &str) {
        console::log(&format!("[{}] {line}", self.trigger.queue));
    }
}

/// What the future comes to, unless the end is wanted before.
async fn or_stop<T>(future: impl Future<Output = T>, stop: &StopSignal) -> Option<T> {
    select! {
        biased;
        () = stop.clone().received() => None,
        value = future => Some(value),
    }
}

/// A number for the SDK, which has them signed.
fn small<N: TryInto<i32>>(number: N) -> i32 {
    number.try_into().unwrap_or(i32::MAX)
}
