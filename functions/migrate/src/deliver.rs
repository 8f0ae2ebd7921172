//! How an answer gets to the address that `CloudFormation` signed for it.

use std::time::Duration;

use aws_smithy_runtime_api::client::{http::HttpConnector, orchestrator::HttpRequest};
use lambda_runtime::Error;
use shared::{aws::connector, telemetry::chain};
use tokio::time::{sleep, timeout};

const ATTEMPT: Duration = Duration::from_millis(2_500);
/// The waits before the second and the third attempt.
const PAUSES: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(1)];

/// Puts a text there, at the third attempt if need be.
///
/// # Errors
/// Why the last attempt failed; never with the address, which is a secret.
pub(crate) async fn deliver(url: &str, text: &str) -> Result<(), Error> {
    for pause in PAUSES {
        match put(url, text).await {
            Ok(()) => return Ok(()),
            Err(error) => {
                tracing::warn!(cause = chain(error.as_ref()), "the answer is sent once more");
            }
        }
        sleep(pause).await;
    }
    put(url, text).await
}

async fn put(url: &str, text: &str) -> Result<(), Error> {
    let mut request = HttpRequest::new(text.into());
    request.set_method("PUT")?;
    request.set_uri(url)?;
    // A type of its own would not be what was signed.
    request.headers_mut().insert("content-type", "");
    let answer = timeout(ATTEMPT, connector().call(request)).await;
    let status = answer.map_err(|_| "no answer in time")??.status();
    if status.is_success() { Ok(()) } else { Err(format!("the answer is {status}").into()) }
}
