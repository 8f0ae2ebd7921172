//! What leaves.

use lambda_http::{
    Body, Response,
    http::{HeaderMap, HeaderValue, StatusCode, header},
};
use serde::Serialize;

use super::{Page, Problem, whole::stamp};
use crate::{bank::BankError, domain::Keyed};

/// A successful answer.
#[derive(Debug)]
pub struct Reply {
    status: StatusCode,
    content: Content,
    is_replay: bool,
}

#[derive(Debug)]
enum Content {
    Nothing,
    Json(Vec<u8>),
    Page(Page),
    File { media_type: &'static str, text: &'static str },
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

    /// 202.
    #[must_use]
    pub fn accepted() -> Self {
        Self { status: StatusCode::ACCEPTED, content: Content::Nothing, is_replay: false }
    }

    /// 204.
    #[must_use]
    pub fn no_content() -> Self {
        Self { status: StatusCode::NO_CONTENT, content: Content::Nothing, is_replay: false }
    }

    /// 200 with a page.
    #[must_use]
    pub fn page(page: Page) -> Self {
        Self { status: StatusCode::OK, content: Content::Page(page), is_replay: false }
    }

    /// 200 with a text that is part of the program, and its media type.
    #[must_use]
    pub fn file(media_type: &'static str, text: &'static str) -> Self {
        let content = Content::File { media_type, text };
        Self { status: StatusCode::OK, content, is_replay: false }
    }

    /// 201 with a JSON body, or the refusal, for the first time or again.
    ///
    /// # Errors
    /// [`BankError::Refused`]; and when the body cannot be written as JSON, which is a defect.
    pub fn keyed<Body: Serialize>(keyed: Keyed<Body>) -> Result<Self, BankError> {
        let is_replay = keyed.is_replay;
        match keyed.outcome {
            Ok(body) => Ok(Self { is_replay, ..Self::created(&body)? }),
            Err(refusal) => Err(BankError::Refused { refusal, is_replay }),
        }
    }

    fn json(status: StatusCode, body: &impl Serialize) -> Result<Self, BankError> {
        let body = serde_json::to_vec(body).map_err(|error| BankError::Internal(error.into()))?;
        Ok(Self { status, content: Content::Json(body), is_replay: false })
    }

    /// The answer's status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }
}

/// A request that was not done, and how that is shown: as problem+json, unless a person is waiting for
/// a page.
#[derive(Debug)]
pub struct Failure {
    /// Why.
    pub error: BankError,
    /// The page that tells it, if it is to be one.
    pub page: Option<fn(&Problem) -> Page>,
}

impl From<BankError> for Failure {
    fn from(error: BankError) -> Self {
        Self { error, page: None }
    }
}

/// A failure in words for the client.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) problem: Problem,
    pub(super) page: Option<fn(&Problem) -> Page>,
}

/// The response for either outcome. The headers that every response carries are set here.
pub(super) fn response(outcome: Result<Reply, Told>, request_id: &str) -> Response<Body> {
    let mut headers = HeaderMap::new();
    let (status, content, json, is_replay) = match outcome {
        Ok(reply) => (reply.status, reply.content, "application/json", reply.is_replay),
        Err(Told { problem, page }) => {
            if let Some(seconds) = problem.retry_after_secs() {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
            if let Some(challenge) = problem.challenge() {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
            }
            let content = match page {
                Some(page) => Content::Page(page(&problem)),
                None => Content::Json(problem.body(request_id)),
            };
            (problem.status(), content, "application/problem+json", problem.is_replay())
        }
    };
    let body = match content {
        Content::Nothing => Body::Empty,
        Content::Json(bytes) => {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(json));
            text(bytes)
        }
        Content::Page(page) => Body::Text(page.into_html(&mut headers)),
        Content::File { media_type, text } => {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
            Body::Text(text.to_owned())
        }
    };
    stamp(&mut headers, request_id);
    if is_replay {
        headers.insert("idempotent-replayed", HeaderValue::from_static("true"));
    }
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// JSON leaves as text, so that the gateway need not decode it.
fn text(body: Vec<u8>) -> Body {
    String::from_utf8(body).map_or_else(|error| Body::Binary(error.into_bytes()), Body::Text)
}
