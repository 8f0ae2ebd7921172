//! Functions that somebody else runs, behind an invoke endpoint: `cargo lambda watch` with its hot
//! reload, or Lambda itself behind a proxy that signs.

use axum::{
    body::Bytes,
    http::{Request, Uri, header::CONTENT_TYPE},
};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};

use super::{Invocation, InvokeError, MAX_PAYLOAD_BYTES, process::parse};

/// The header that marks an answer as a failure of the function.
const FUNCTION_ERROR: &str = "x-amz-function-error";

/// An invoke endpoint.
pub(crate) struct Endpoint {
    base: String,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Endpoint {
    /// An endpoint at a plain HTTP address such as `http://127.0.0.1:9000`.
    pub(crate) fn new(base: &Uri) -> Self {
        let base = base.to_string().trim_end_matches('/').to_owned();
        Self { base, client: Client::builder(TokioExecutor::new()).build_http() }
    }

    pub(super) async fn invoke(
        &self,
        function: &str,
        invocation: Invocation,
    ) -> Result<Bytes, InvokeError> {
        let url = format!("{}/2015-03-31/functions/{function}/invocations", self.base);
        let unreachable = |error: &dyn std::error::Error| {
            InvokeError::Unreachable(format!("{url} cannot be reached: {error}"))
        };
        let request = Request::post(&url)
            .header(CONTENT_TYPE, "application/json")
            .header("x-amzn-trace-id", invocation.trace_id)
            .body(Full::new(invocation.payload))
            .map_err(|error| unreachable(&error))?;
        let response = self.client.request(request).await.map_err(|error| unreachable(&error))?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, MAX_PAYLOAD_BYTES)
            .collect()
            .await
            .map_err(|error| unreachable(error.as_ref()))?
            .to_bytes();
        if head.status.is_success() && !head.headers.contains_key(FUNCTION_ERROR) {
            Ok(body)
        } else {
            Err(InvokeError::Function(parse(&body)))
        }
    }
}
