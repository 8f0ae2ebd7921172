//! Secrets, from a setting or from Secrets Manager.
//!
//! A function that cannot have a key does not start; without its database's password it does. Why is said by the secret's name, or the
//! setting's, and never by its value.

use std::{error::Error, time::Duration};

use aws_sdk_secretsmanager::Client;

use crate::{
    aws::{self, Patience},
    config::SecretSource,
    telemetry::chain,
};

/// In all half of what Lambda gives a function to start.
const PATIENCE: Patience = Patience {
    connect: Duration::from_secs(1),
    attempt: Duration::from_secs(2),
    in_all: Duration::from_secs(5),
    attempts: 3,
};

/// A secret that is not there or of no use: the function must not start.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// Secrets Manager does not give it out.
    #[error("the secret {name} cannot be read: {reason}")]
    Unreadable {
        /// The secret's name.
        name: String,
        /// What Secrets Manager or the way to it says.
        reason: String,
    },
    /// It is not what is needed.
    #[error("{place} is of no use")]
    Unusable {
        /// The secret's name, or the setting's.
        place: String,
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
}

/// Reads a secret and makes of it what it is needed for.
///
/// # Errors
/// When Secrets Manager does not give it out, or `parse` fails.
pub async fn load<T, E>(
    source: &SecretSource,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, SecretError>
where
    E: Into<Box<dyn Error + Send + Sync>>,
{
    let (place, parsed) = match source {
        SecretSource::Given { setting, text } => ((*setting).to_owned(), parse(text)),
        SecretSource::Named { name, version } => {
            // On the heap: whoever may have to read a secret would hold the SDK's call.
            let text = Box::pin(fetch(name, version.clone())).await?;
            (format!("the secret {name}"), parse(&text))
        }
    };
    parsed.map_err(|error| SecretError::Unusable { place, source: error.into() })
}

async fn fetch(name: &str, version: Option<String>) -> Result<String, SecretError> {
    let unreadable = |reason| SecretError::Unreadable { name: name.to_owned(), reason };
    let client = Client::new(&aws::config(PATIENCE).await);
    let request = client.get_secret_value().secret_id(name).set_version_id(version);
    let answer = request.send().await.map_err(|error| unreadable(chain(&error)))?;
    answer.secret_string.ok_or_else(|| unreadable("it is not a text".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::{KeyError, Keyring};

    fn given(text: &str) -> SecretSource {
        SecretSource::Given { setting: "SIGNING_KEYRING", text: text.to_owned() }
    }

    #[tokio::test]
    async fn a_given_secret_is_taken_as_it_is() {
        let text = Keyring::generate().unwrap().expose().unwrap();
        let keyring = load(&given(&text), Keyring::parse).await.unwrap();
        assert_eq!(keyring.expose().unwrap(), text);
    }

    #[tokio::test]
    async fn a_bad_secret_is_named_and_not_shown() {
        let source = given("k4.secret.hunter2");
        let error = load(&source, Keyring::parse).await.unwrap_err();
        assert_eq!(error.to_string(), "SIGNING_KEYRING is of no use");
        assert_eq!(error.source().unwrap().to_string(), KeyError::Keyring.to_string());
        assert!(!format!("{error:?} {source:?}").contains("hunter2"));
    }
}
