//! Gives the emulator what the template has, and the secrets. It may have some of it already.

use std::{collections::HashMap, error::Error};

use aws_sdk_secretsmanager::operation::create_secret::CreateSecretError;
use aws_sdk_sesv2::operation::create_email_identity::CreateEmailIdentityError;
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::json;

use super::{Emulator, EmulatorError, reason};
use crate::template::{Queue, Redrive};

impl Emulator {
    /// Makes every queue, secret and identity that is not there, and has them all as they
    /// ought to be. Messages that are in a queue stay in it.
    pub(crate) async fn provision(&self) -> Result<(), EmulatorError> {
        // All of them first: one may be where another's messages end.
        for queue in &self.services.queues {
            let create = self.sqs.create_queue().queue_name(&queue.name).send();
            create.await.map_err(|error| self.failed("CreateQueue", &queue.name, &error))?;
        }
        for queue in &self.services.queues {
            self.set_attributes(queue).await?;
        }
        for (name, text) in &self.secrets {
            self.keep(name, text).await?;
        }
        for identity in &self.services.identities {
            let create = self.ses.create_email_identity().email_identity(identity).send().await;
            match create.map_err(aws_sdk_sesv2::error::SdkError::into_service_error) {
                Ok(_) | Err(CreateEmailIdentityError::AlreadyExistsException(_)) => {}
                Err(error) => return Err(self.failed("CreateEmailIdentity", identity, &error)),
            }
        }
        Ok(())
    }

    async fn set_attributes(&self, queue: &Queue) -> Result<(), EmulatorError> {
        let mut attributes: HashMap<QueueAttributeName, String> = queue
            .attributes
            .iter()
            .map(|(name, value)| (QueueAttributeName::from(name.as_str()), value.clone()))
            .collect();
        if let Some(Redrive { dead_letter_queue, max_receive_count }) = &queue.redrive {
            let policy = json!({
                "deadLetterTargetArn": self.queue_arn(dead_letter_queue).await?,
                "maxReceiveCount": max_receive_count,
            });
            attributes.insert(QueueAttributeName::RedrivePolicy, policy.to_string());
        }
        if attributes.is_empty() {
            return Ok(());
        }
        let request = self.sqs.set_queue_attributes().queue_url(self.queue_url(&queue.name));
        let set = request.set_attributes(Some(attributes)).send().await;
        set.map(drop).map_err(|error| self.failed("SetQueueAttributes", &queue.name, &error))
    }

    /// A queue's ARN as the emulator has it, whose account may be another than the template's.
    async fn queue_arn(&self, name: &str) -> Result<String, EmulatorError> {
        let request = self.sqs.get_queue_attributes().queue_url(self.queue_url(name));
        let answer = request.attribute_names(QueueAttributeName::QueueArn).send().await;
        let answer = answer.map_err(|error| self.failed("GetQueueAttributes", name, &error))?;
        let arn = answer.attributes.and_then(|mut all| all.remove(&QueueAttributeName::QueueArn));
        Ok(arn.unwrap_or_default())
    }

    /// Makes a secret, or gives the one of its name the text that it ought to have.
    async fn keep(&self, name: &str, text: &str) -> Result<(), EmulatorError> {
        let create =
            self.secrets_manager.create_secret().name(name).secret_string(text).send().await;
        match create.map_err(aws_sdk_secretsmanager::error::SdkError::into_service_error) {
            Ok(_) => return Ok(()),
            Err(CreateSecretError::ResourceExistsException(_)) => {}
            Err(error) => return Err(self.failed("CreateSecret", name, &error)),
        }
        let kept = self.secrets_manager.get_secret_value().secret_id(name).send().await;
        let kept = kept.map_err(|error| self.failed("GetSecretValue", name, &error))?;
        if kept.secret_string.as_deref() == Some(text) {
            return Ok(());
        }
        let put = self.secrets_manager.put_secret_value().secret_id(name).secret_string(text);
        let put = put.send().await;
        put.map(drop).map_err(|error| self.failed("PutSecretValue", name, &error))
    }

    fn failed(&self, action: &str, name: &str, error: &dyn Error) -> EmulatorError {
        EmulatorError {
            endpoint: self.endpoint.clone(),
            action: format!("{action} {name}"),
            reason: reason(error),
        }
    }
}
