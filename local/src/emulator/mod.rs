//! What plays AWS for the functions: an emulator that somebody else runs, such as moto. Spoken to by
//! the same SDK as the functions use, and never the real one.

mod mail;
mod provision;

use std::{collections::BTreeMap, error::Error, time::Duration};

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_sqs::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use thiserror::Error;

pub(crate) use self::mail::{Mail, MailError};
use crate::{
    lambda::DUMMY_KEY,
    template::{REGION, Services, queue_url},
};

/// The endpoint of functions where there is no emulator. Nobody listens at this port.
pub(crate) const NOWHERE: &str = "http://127.0.0.1:1";

const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Far more than a long poll, which is the slowest there is.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The emulator does not do what is asked.
#[derive(Debug, Error)]
#[error("the emulator of AWS at {endpoint}: {action} failed: {reason}")]
pub(crate) struct EmulatorError {
    endpoint: String,
    action: String,
    reason: String,
}

/// Texts by the names of their secrets.
pub(crate) type Secrets = BTreeMap<String, String>;

/// An emulator, and what it has to have.
pub(crate) struct Emulator {
    endpoint: String,
    services: Services,
    secrets: Secrets,
    sqs: aws_sdk_sqs::Client,
    secrets_manager: aws_sdk_secretsmanager::Client,
    ses: aws_sdk_sesv2::Client,
}

impl Emulator {
    /// The emulator at an address such as `http://127.0.0.1:5000`, which is not asked anything yet.
    pub(crate) fn new(endpoint: &str, services: Services, secrets: Secrets) -> Self {
        let config = config(endpoint);
        Self {
            endpoint: endpoint.to_owned(),
            services,
            secrets,
            sqs: aws_sdk_sqs::Client::new(&config),
            secrets_manager: aws_sdk_secretsmanager::Client::new(&config),
            ses: aws_sdk_sesv2::Client::new(&config),
        }
    }

    /// The client for its queues.
    pub(crate) fn sqs(&self) -> &aws_sdk_sqs::Client {
        &self.sqs
    }

    /// The address of one of its queues.
    pub(crate) fn queue_url(&self, name: &str) -> String {
        queue_url(&self.endpoint, name)
    }
}

/// Made by hand rather than loaded, so that nothing of the user's own AWS gets into it. A call that
/// fails is not repeated: whoever made it knows better when to.
fn config(endpoint: &str) -> SdkConfig {
    let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let credentials = Credentials::new(DUMMY_KEY, DUMMY_KEY, None, None, "bank-local");
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_timeout(TIMEOUT)
        .build();
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .http_client(http)
        .endpoint_url(endpoint)
        .region(Region::new(REGION))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .timeout_config(timeouts)
        .retry_config(RetryConfig::disabled())
        .build()
}

/// An error with all its causes, as the SDK's own text is only the first of them.
pub(crate) fn reason(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
