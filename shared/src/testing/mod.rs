//! What tests of the functions are made with: events as the gateway sends them, and answers as it
//! gets them.
#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test may fail this way")]

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use lambda_http::{
    Body, Response,
    http::{HeaderMap, HeaderValue, StatusCode},
    request::LambdaRequest,
};
use serde_json::{Map, Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::Uuid;

use crate::{
    app::App,
    auth::{CursorSealer, generate_cursor_key},
    bank::BankError,
    clock::FixedClock,
    domain::{Caller, SessionId, Username, VerificationId},
    http::{Failure, Reply, Request, answer, answer_whole},
    store::StoreError,
    tasks::PublishError,
};

mod fixtures;
mod forgeries;
mod promise;

pub use self::fixtures::{account, amount, credentials, entry, posted, transfer, user};
pub use self::forgeries::{Forger, Forgery};
pub use self::promise::{assert_promised, validator};
pub use crate::{
    store::MockStore,
    tasks::{MockMailer, MockTaskQueue},
};

/// What a function for signed-in callers works with, over a mock store, [`clock`] and a new key for
/// cursors.
///
/// # Panics
/// Without random bytes.
#[must_use]
pub fn app(store: MockStore) -> App {
    let key = generate_cursor_key().expect("random bytes");
    let cursors = CursorSealer::new("dev", &key).expect("a key");
    App { store: Box::new(store), clock: Box::new(clock()), cursors }
}

/// A queue that takes this task, and no other.
#[must_use]
pub fn queue_for(id: VerificationId) -> MockTaskQueue {
    let mut queue = MockTaskQueue::new();
    queue.expect_publish().once().withf(move |ids| ids == [id]).returning(|ids| Ok(ids.to_vec()));
    queue
}

/// The error of a queue that cannot be reached.
#[must_use]
pub fn unpublished() -> PublishError {
    PublishError { reason: "connection refused".to_owned() }
}

/// Makes an error of the store; errors cannot be cloned.
pub type StoreFailure = fn() -> StoreError;

/// The error of a database that does not answer: 503.
#[must_use]
pub fn unavailable() -> StoreError {
    StoreError::Unavailable(sqlx::Error::WorkerCrashed)
}

/// The error of a connection that was lost while committing: 503.
#[must_use]
pub fn outcome_unknown() -> StoreError {
    StoreError::OutcomeUnknown(sqlx::Error::WorkerCrashed)
}

/// The error of a statement that is wrong: 500.
#[must_use]
pub fn defect() -> StoreError {
    StoreError::Defect(sqlx::Error::RowNotFound)
}

/// The present of every handler test.
///
/// # Panics
/// Never: the date exists.
#[must_use]
pub fn clock() -> FixedClock {
    FixedClock(OffsetDateTime::from_unix_timestamp(1_800_000_000).expect("a date of 2027"))
}

/// The caller that [`Event::signed_in`] makes.
///
/// # Panics
/// When the name is not a username.
#[must_use]
pub fn caller(username: &str) -> Caller {
    Caller {
        username: Username::parse(username).expect("a username"),
        session_id: SessionId(Uuid::from_u128(0x5e55_1011)),
    }
}

/// An event of payload version 1, in the making.
#[derive(Debug, Clone)]
pub struct Event {
    method: String,
    resource: String,
    path_parameters: Map<String, Value>,
    query: Map<String, Value>,
    headers: Map<String, Value>,
    authorizer: Map<String, Value>,
    body: Option<String>,
    is_base64: bool,
}

impl Event {
    /// An event of a route as template.yaml writes it, in capitals: `POST /accounts/{id}/deposits`.
    ///
    /// # Panics
    /// When there is no space between method and path.
    #[must_use]
    pub fn new(route: &str) -> Self {
        let (method, resource) = route.split_once(' ').expect("a method and a path");
        Self {
            method: method.to_owned(),
            resource: resource.to_owned(),
            path_parameters: Map::new(),
            query: Map::new(),
            headers: Map::from_iter([("user-agent".to_owned(), json!("tests/1.0"))]),
            authorizer: Map::new(),
            body: None,
            is_base64: false,
        }
    }

    /// The route.
    #[must_use]
    pub fn route(&self) -> String {
        format!("{} {}", self.method, self.resource)
    }

    /// With a caller whose token is good for ten minutes more.
    #[must_use]
    pub fn signed_in(self, username: &str) -> Self {
        self.signed_in_for(username, 600)
    }

    /// With a caller whose token ends in so many seconds.
    ///
    /// # Panics
    /// When the date does not exist.
    #[must_use]
    pub fn signed_in_for(mut self, username: &str, seconds: i64) -> Self {
        let caller = caller(username);
        let expires_at = clock().0.saturating_add(time::Duration::seconds(seconds));
        self.authorizer = Map::from_iter([
            ("username".to_owned(), json!(caller.username.as_str())),
            ("session_id".to_owned(), json!(caller.session_id.0.to_string())),
            ("expires_at".to_owned(), json!(expires_at.format(&Rfc3339).expect("a date"))),
        ]);
        self
    }

    /// Without a caller.
    #[must_use]
    pub fn signed_out(mut self) -> Self {
        self.authorizer.clear();
        self
    }

    /// With a path parameter.
    #[must_use]
    pub fn path(mut self, name: &str, value: &str) -> Self {
        self.path_parameters.insert(name.to_owned(), json!(value));
        self
    }

    /// With a query parameter.
    #[must_use]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.query.insert(name.to_owned(), json!([value]));
        self
    }

    /// With a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_owned(), json!(value));
        self
    }

    /// With an idempotency key.
    #[must_use]
    pub fn keyed(self) -> Self {
        self.header("idempotency-key", "0123456789abcdef")
    }

    /// With a JSON body.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        self.text(&body.to_string())
    }

    /// With the body of a form.
    #[must_use]
    pub fn form(mut self, body: &str) -> Self {
        self.body = Some(body.to_owned());
        self.header("content-type", "application/x-www-form-urlencoded")
    }

    /// With a body that calls itself JSON.
    #[must_use]
    pub fn text(mut self, body: &str) -> Self {
        self.body = Some(body.to_owned());
        self.header("content-type", "application/json")
    }

    /// With a body of bytes, as they arrive where every media type is binary.
    #[must_use]
    pub fn bytes(mut self, content_type: &str, body: &[u8]) -> Self {
        self.body = Some(STANDARD.encode(body));
        self.is_base64 = true;
        self.header("content-type", content_type)
    }

    fn into_request(self) -> lambda_http::Request {
        let event = json!({
            "resource": self.resource,
            "path": self.resource,
            "httpMethod": self.method,
            "headers": self.headers,
            "multiValueHeaders": {},
            "pathParameters": self.path_parameters,
            "queryStringParameters": {},
            "multiValueQueryStringParameters": self.query,
            "body": self.body,
            "isBase64Encoded": self.is_base64,
            "requestContext": {
                "resourcePath": self.resource,
                "httpMethod": self.method,
                "requestId": "request-1",
                "stage": "dev",
                "identity": { "sourceIp": "192.0.2.1" },
                "authorizer": self.authorizer,
            },
        });
        request(&event)
    }
}

/// Sends an event through a handler of whole requests: the response with the body as it leaves.
///
/// # Panics
/// When the answer lacks a header that every answer has.
pub async fn send_whole<App, Handler, Outcome>(
    app: Arc<App>,
    handler: Handler,
    event: Event,
) -> Response<Vec<u8>>
where
    Handler: Fn(Arc<App>, lambda_http::http::Request<Vec<u8>>) -> Outcome,
    Outcome: Future<Output = Response<Vec<u8>>>,
{
    let response = answer_whole(app, handler, event.into_request()).await;
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert_eq!(response.headers()["x-content-type-options"], "nosniff");
    assert_eq!(response.headers()["x-request-id"], "request-1");
    response.map(|body| body.to_vec())
}

/// Reads a recorded event of either payload version.
///
/// # Panics
/// When it is not one.
#[must_use]
pub fn request(event: &Value) -> lambda_http::Request {
    serde_json::from_value::<LambdaRequest>(event.clone()).expect("an API Gateway event").into()
}

/// An answer, taken apart.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The JSON body; null when it is empty, a page or another text.
    pub body: Value,
    /// The page, or the other text; empty when there is none.
    pub page: String,
}

impl Answer {
    /// The problem's code; empty when it is none.
    #[must_use]
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// The refused fields in the order in which they are listed.
    #[must_use]
    pub fn violated(&self) -> Vec<&str> {
        let violations = self.body["violations"].as_array();
        violations.into_iter().flatten().filter_map(|each| each["field"].as_str()).collect()
    }
}

/// Sends an event through a handler, by the way that events take on Lambda.
///
/// # Panics
/// When the answer is neither JSON nor text, lacks a header that every answer has, or is not what the
/// document promises.
pub async fn send<App, Handler, Outcome, Failed>(app: App, handler: Handler, event: Event) -> Answer
where
    Handler: Fn(Arc<App>, Request) -> Outcome,
    Outcome: Future<Output = Result<Reply, Failed>>,
    Failed: Into<Failure> + From<BankError>,
{
    send_to(Arc::new(app), handler, event).await
}

/// Like [`send`], to an app that gets several events.
///
/// # Panics
/// As [`send`].
pub async fn send_to<App, Handler, Outcome, Failed>(
    app: Arc<App>,
    handler: Handler,
    event: Event,
) -> Answer
where
    Handler: Fn(Arc<App>, Request) -> Outcome,
    Outcome: Future<Output = Result<Reply, Failed>>,
    Failed: Into<Failure> + From<BankError>,
{
    let (method, path) = (event.method.clone(), event.resource.clone());
    let response: Response<Body> = Box::pin(answer(app, handler, event.into_request())).await;
    let (parts, body) = response.into_parts();
    assert_promised(&method, &path, parts.status.as_u16(), &parts.headers, body.as_ref());
    assert_eq!(parts.headers["cache-control"], "no-store");
    assert_eq!(parts.headers["x-content-type-options"], "nosniff");
    assert_eq!(parts.headers["x-request-id"], "request-1");
    let (status, bytes): (_, &[u8]) = (parts.status.as_u16(), body.as_ref());
    let content_type = parts.headers.get("content-type").map(HeaderValue::as_bytes);
    if content_type.is_some_and(|it| it.starts_with(b"text/")) {
        let page = String::from_utf8(bytes.to_vec()).expect("UTF-8");
        return Answer { status, headers: parts.headers, body: Value::Null, page };
    }
    let body = if bytes.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(bytes).expect("a JSON body")
    };
    let expected: Option<&[u8]> = match parts.status {
        StatusCode::ACCEPTED | StatusCode::NO_CONTENT => None,
        status if status.is_success() => Some(b"application/json"),
        _ => Some(b"application/problem+json"),
    };
    assert_eq!(content_type, expected);
    if !parts.status.is_success() {
        assert_eq!(body["status"], status);
        assert_eq!(body["instance"], "request-1");
        let code = body["code"].as_str().expect("a code");
        assert_eq!(body["type"], format!("https://simplebank.dev/problems/{code}"));
    }
    Answer { status, headers: parts.headers, body, page: String::new() }
}
