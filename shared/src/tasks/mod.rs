//! What happens after an answer: tasks go to a queue, and a worker sends mail.
//!
//! The outbox itself is a table of the store: a task is written with what gives rise to it, so that
//! neither is there without the other.

mod letter;
mod mailer;
mod queue;

pub use letter::{Letter, Unwritable, verification_letter};
#[cfg(feature = "testing")]
pub use mailer::MockMailer;
pub use mailer::{MailError, Mailer, SesMailer};
#[cfg(feature = "testing")]
pub use queue::MockTaskQueue;
pub use queue::{PublishError, SqsQueue, TaskMessage, TaskQueue};
