//! Mail, through SES.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sesv2::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    primitives::Blob,
    types::{Destination, EmailContent, RawMessage, builders::RawMessageBuilder},
};
use mail_builder::{MessageBuilder, headers::date::Date};

use super::Letter;
use crate::{
    aws::{self, Patience},
    clock::Clock,
    config::MailConfig,
    telemetry::chain,
};

/// One attempt: a second one within the call could be a second mail. The queue brings the task again.
const PATIENCE: Patience = Patience {
    connect: Duration::from_secs(2),
    attempt: Duration::from_secs(10),
    in_all: Duration::from_secs(10),
    attempts: 1,
};

/// The name before the sender's address.
const SENDER_NAME: &str = "SimpleBank";

/// Sends letters.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Mailer: Send + Sync {
    /// Hands a letter over to whoever delivers it.
    ///
    /// # Errors
    /// When it was not taken, as far as anybody knows.
    async fn send(&self, letter: &Letter) -> Result<(), MailError>;
}

/// A letter that was not taken. It says why, without any address.
#[derive(Debug, thiserror::Error)]
#[error("the mail was not taken: {reason}")]
pub struct MailError {
    /// The service's code, or what happened on the way to it.
    pub reason: String,
}

/// Mail through Amazon SES.
pub struct SesMailer {
    client: Client,
    sender: String,
    clock: Box<dyn Clock>,
}

impl SesMailer {
    /// A client; it connects when it is used.
    pub async fn open(config: &MailConfig, clock: Box<dyn Clock>) -> Self {
        let client = Client::new(&aws::config(PATIENCE).await);
        Self { client, sender: config.sender.clone(), clock }
    }

    /// One multipart/alternative message (RFC 2046, section 5.1.4). Its headers hold two addresses and
    /// words of our own, and who gets it does not depend on them.
    fn message(&self, letter: &Letter) -> Result<RawMessage, MailError> {
        let message = MessageBuilder::new()
            .from((SENDER_NAME, self.sender.as_str()))
            .to(letter.to.as_str())
            .subject(letter.subject)
            .date(Date::new(self.clock.now().unix_timestamp()))
            .text_body(letter.text.as_str())
            .html_body(letter.html.as_str());
        let unwritable = |error: &dyn std::error::Error| MailError { reason: chain(error) };
        let bytes = message.write_to_vec().map_err(|error| unwritable(&error))?;
        RawMessageBuilder::default()
            .data(Blob::new(bytes))
            .build()
            .map_err(|error| unwritable(&error))
    }
}

#[async_trait]
impl Mailer for SesMailer {
    async fn send(&self, letter: &Letter) -> Result<(), MailError> {
        let content = EmailContent::builder().raw(self.message(letter)?).build();
        let sent = self
            .client
            .send_email()
            .from_email_address(&self.sender)
            .destination(Destination::builder().to_addresses(&letter.to).build())
            .content(content)
            .send()
            .await;
        match sent {
            Ok(_) => Ok(()),
            // Its message would name addresses.
            Err(SdkError::ServiceError(refusal)) => Err(MailError {
                reason: refusal.err().code().unwrap_or("refused without a code").to_owned(),
            }),
            Err(error) => Err(MailError { reason: chain(&error) }),
        }
    }
}
