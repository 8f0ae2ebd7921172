//! How the SDK is set up: one HTTP and one TLS stack, and nothing looked for outside the environment.

use std::{sync::OnceLock, time::Duration};

use aws_config::{
    BehaviorVersion, SdkConfig,
    environment::{EnvironmentVariableCredentialsProvider, EnvironmentVariableRegionProvider},
    retry::RetryConfig,
    timeout::TimeoutConfig,
};
use aws_smithy_http_client::{
    Builder, Connector,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::http::SharedHttpClient;

/// How long a call may take, and how often it is tried.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    pub(crate) connect: Duration,
    pub(crate) attempt: Duration,
    /// With all attempts.
    pub(crate) in_all: Duration,
    pub(crate) attempts: u32,
}

const TLS: Provider = Provider::Rustls(CryptoMode::Ring);

/// The same HTTP and TLS for what is no call of AWS's API.
#[must_use]
pub fn connector() -> Connector {
    Connector::builder().tls_provider(TLS).build()
}

/// One for all clients: each of its own would make the list of whom the system trusts anew when it starts.
fn http_client() -> SharedHttpClient {
    static HTTP_CLIENT: OnceLock<SharedHttpClient> = OnceLock::new();
    HTTP_CLIENT.get_or_init(|| Builder::new().tls_provider(TLS).build_https()).clone()
}

/// Lambda puts region and credentials into the environment, and where they are missing nobody should go
/// and ask the network for them.
pub(crate) async fn config(patience: Patience) -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(patience.connect)
        .operation_attempt_timeout(patience.attempt)
        .operation_timeout(patience.in_all)
        .build();
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(http_client())
        .region(EnvironmentVariableRegionProvider::new())
        .credentials_provider(EnvironmentVariableCredentialsProvider::new())
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(patience.attempts))
        .load()
        .await
}
