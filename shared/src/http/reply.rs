//! What leaves.

use lambda_http::{
    Body, Response,
    http::{HeaderValue, StatusCode, header},
};
use serde::Serialize;

use super::Problem;
use crate::bank::BankError;

/// A successful answer.
#[derive(Debug)]
pub struct Reply {
    status: StatusCode,
    body: Vec<u8>,
}

impl Reply {
    /// 200 with a JSON body.
    ///
    /// # Errors
    /// When the body cannot be written as JSON, which is a defect.
    pub fn ok(body: &impl Serialize) -> Result<Self, BankError> {
        Self::json(StatusCode::OK, body)
    }

    /// 201 with a JSON body.
    ///
    /// # Errors
    /// When the body cannot be written as JSON, which is a defect.
    pub fn created(body: &impl Serialize) -> Result<Self, BankError> {
        Self::json(StatusCode::CREATED, body)
    }

    fn json(status: StatusCode, body: &impl Serialize) -> Result<Self, BankError> {
        let body = serde_json::to_vec(body).map_err(|error| BankError::Internal(error.into()))?;
        Ok(Self { status, body })
    }

    /// The answer's status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }
}

/// The response for either outcome. The headers that every response carries are set here.
pub(super) fn response(outcome: Result<Reply, Problem>, request_id: &str) -> Response<Body> {
    let (status, content_type, body, retry_after, is_challenge) = match outcome {
        Ok(reply) => (reply.status, "application/json", reply.body, None, None),
        Err(problem) => (
            problem.status(),
            "application/problem+json",
            problem.body(request_id),
            problem.retry_after_secs(),
            problem.challenge(),
        ),
    };
    let mut response = Response::new(text(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert("x-request-id", id);
    }
    if let Some(seconds) = retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if let Some(challenge) = is_challenge {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    response
}

/// JSON leaves as text, so that the gateway need not decode it.
fn text(body: Vec<u8>) -> Body {
    String::from_utf8(body).map_or_else(|error| Body::Binary(error.into_bytes()), Body::Text)
}
