//! For a function that speaks protocols of its own: whole requests come in, whole responses leave.

use std::{
    future::{Future, ready},
    pin::Pin,
    sync::Arc,
};

use lambda_http::{
    Body, Error, IntoResponse, Request as Event, Response,
    http::{self, HeaderMap, HeaderValue, Uri, header},
    service_fn,
};

use super::Request;
use crate::{domain::Client, telemetry::metrics};

/// Where a request comes from, as whoever took it saw it: an extension of a whole request.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The request's number.
    pub request_id: String,
    /// The number of its trace; empty where nobody traces.
    pub trace_id: String,
    /// The client.
    pub client: Client,
}

/// Runs a function: each event's request goes through `handler` as it was sent, with its [`Origin`] as
/// an extension. Its path is the route's, and has no query. Returns when the runtime shuts down.
///
/// # Errors
/// When the Lambda runtime cannot be reached any more.
pub async fn serve_whole<App, Handler, Outcome>(app: App, handler: Handler) -> Result<(), Error>
where
    App: Send + Sync + 'static,
    Handler: Fn(Arc<App>, http::Request<Vec<u8>>) -> Outcome + Copy + Send + Sync + 'static,
    Outcome: Future<Output = Response<Vec<u8>>> + Send,
{
    let app = Arc::new(app);
    lambda_http::run(service_fn(move |event: Event| {
        let app = Arc::clone(&app);
        async move { Ok::<_, Error>(Whole(answer_whole(app, handler, event).await)) }
    }))
    .await
}

/// Answers one event.
pub async fn answer_whole<App, Handler, Outcome>(
    app: Arc<App>,
    handler: Handler,
    event: Event,
) -> Response<Body>
where
    Handler: Fn(Arc<App>, http::Request<Vec<u8>>) -> Outcome,
    Outcome: Future<Output = Response<Vec<u8>>>,
{
    let request = whole(Request::new(event));
    let id = request.extensions().get::<Origin>().map(|origin| origin.request_id.clone());
    let (mut head, body) = handler(app, request).await.into_parts();
    metrics::flush();
    stamp(&mut head.headers, &id.unwrap_or_default());
    Response::from_parts(head, Body::Binary(body))
}

fn whole(request: Request) -> http::Request<Vec<u8>> {
    let origin = Origin {
        request_id: request.id.clone(),
        trace_id: request.trace_id.clone(),
        client: request.client().clone(),
    };
    let (method, path) = request.address();
    let mut whole = http::Request::new(request.body.to_vec());
    // What is no method or no path is nobody's.
    *whole.method_mut() = method.parse().unwrap_or_default();
    *whole.uri_mut() = Uri::try_from(path).unwrap_or_default();
    *whole.headers_mut() = request.headers;
    whole.extensions_mut().insert(origin);
    whole
}

/// Adds the headers that every response carries.
pub fn stamp(headers: &mut HeaderMap, request_id: &str) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert("x-request-id", id);
    }
}

/// A response whose body leaves byte for byte. By its media type alone, the runtime would take a framed
/// `+json` for text.
struct Whole(Response<Body>);

impl IntoResponse for Whole {
    fn into_response(self) -> Pin<Box<dyn Future<Output = Response<Body>> + Send>> {
        Box::pin(ready(self.0))
    }
}
