//! The service behind API Gateway: a whole request in, a whole response out.

use std::sync::Arc;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD},
};
use connectrpc::ConnectRpcService;
use http::{HeaderMap, HeaderValue, Request, Response, header};
use http_body_util::{BodyExt, Full};
use tower::ServiceExt;

use crate::{app::App, interceptors::logged, v1, wiring::service};

/// gRPC-Web for those who can read nothing but text.
const WEB_TEXT: &str = "application/grpc-web-text";
const WEB: &str = "application/grpc-web";

/// What requests are answered with.
pub(crate) struct Edge {
    service: ConnectRpcService,
}

impl Edge {
    pub(crate) fn new(app: App) -> Self {
        Self { service: service(app) }
    }
}

/// Answers one request.
pub(crate) async fn answer(edge: Arc<Edge>, request: Request<Vec<u8>>) -> Response<Vec<u8>> {
    logged(request, async |request| {
        let is_v1 = request.uri().path().starts_with("/v1/");
        if is_v1 {
            v1::answer(&edge.service, request).await
        } else {
            call(edge.service.clone(), request).await
        }
    })
    .await
}

async fn call(service: ConnectRpcService, mut request: Request<Vec<u8>>) -> Response<Vec<u8>> {
    let is_text = is_web_text(request.headers());
    if is_text {
        // What is no base64 is no message either: half a frame.
        *request.body_mut() = decoded(request.body()).unwrap_or_else(|| vec![0]);
        set_type(request.headers_mut(), WEB_TEXT, WEB);
    }
    let answered = service.oneshot(request.map(|bytes| Full::new(bytes.into()))).await;
    let (mut head, body) = match answered {
        Ok(response) => response.into_parts(),
        Err(never) => match never {},
    };
    let (mut bytes, trailers) = match body.collect().await {
        Ok(collected) => {
            let trailers = collected.trailers().cloned().unwrap_or_default();
            (collected.to_bytes().to_vec(), trailers)
        }
        Err(_) => Default::default(),
    };
    // Lambda knows no trailers. Nothing that gRPC-Web or Connect says is in them.
    head.headers.extend(trailers);
    if is_text {
        bytes = STANDARD.encode(bytes).into_bytes();
        set_type(&mut head.headers, WEB, WEB_TEXT);
    }
    Response::from_parts(head, bytes)
}

/// Base64 in one piece or in several, each of which may be padded.
fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    let pieces =
        text.trim_ascii_end().split(|byte| *byte == b'=').filter(|piece| !piece.is_empty());
    let pieces: Result<Vec<_>, _> = pieces.map(|piece| STANDARD_NO_PAD.decode(piece)).collect();
    pieces.ok().map(|pieces| pieces.concat())
}

fn is_web_text(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.is_some_and(|it| it.starts_with(WEB_TEXT))
}

/// Puts one media type in the place of another, and leaves what follows it.
fn set_type(headers: &mut HeaderMap, from: &str, to: &str) {
    let present = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let changed = present.map(|it| it.replacen(from, to, 1));
    if let Some(Ok(value)) = changed.map(|text| HeaderValue::from_str(&text)) {
        headers.insert(header::CONTENT_TYPE, value);
    }
}
