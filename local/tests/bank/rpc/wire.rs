//! Messages and frames, byte by byte, and what comes back for them.

use std::time::Duration;

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, Request, StatusCode, Version},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use reqwest::Method;
use serde_json::Value;
use tokio::time::timeout;

use crate::{bank::people::Bank, support::Native};

pub(super) const WEB: &str = "application/grpc-web+proto";
pub(super) const WEB_JSON: &str = "application/grpc-web+json";
pub(super) const WEB_TEXT: &str = "application/grpc-web-text+proto";
pub(super) const CONNECT: &str = "application/proto";
pub(super) const CONNECT_JSON: &str = "application/json";
pub(super) const GRPC: &str = "application/grpc+proto";

/// The largest message.
pub(super) const MAX_BYTES: usize = 16_384;

/// A field of a message: a number.
pub(super) fn number(field: u8, value: i64) -> Vec<u8> {
    let mut bytes = vec![field << 3];
    varint(&mut bytes, value.cast_unsigned());
    bytes
}

/// A field of a message: bytes, or a text, or another message.
pub(super) fn bytes(field: u8, value: &[u8]) -> Vec<u8> {
    let mut bytes = vec![field << 3 | 2];
    varint(&mut bytes, value.len() as u64);
    bytes.extend(value);
    bytes
}

fn varint(bytes: &mut Vec<u8>, mut value: u64) {
    loop {
        let last = u8::try_from(value & 0x7f).unwrap();
        value >>= 7;
        if value == 0 {
            return bytes.push(last);
        }
        bytes.push(last | 0x80);
    }
}

/// A message with a field that nobody knows, of so many bytes in all.
pub(super) fn padded(message: &[u8], size: usize) -> Vec<u8> {
    // A tag of one byte, and a length of one, two or three.
    let padding = (0..size).rev().map(|length| bytes(15, &vec![0xff; length]));
    let fits = |padding: &Vec<u8>| message.len() + padding.len() <= size;
    let mut padded = message.to_vec();
    padded.extend(padding.into_iter().find(fits).unwrap());
    assert_eq!(padded.len(), size, "no length of a length fits");
    padded
}

/// A frame with these flags.
pub(super) fn flagged(flags: u8, message: &[u8]) -> Vec<u8> {
    let mut frame = vec![flags];
    frame.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
    frame.extend(message);
    frame
}

/// A frame.
pub(super) fn frame(message: &[u8]) -> Vec<u8> {
    flagged(0, message)
}

/// What came back.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) trailers: HeaderMap,
}

/// What a call came to, whatever the protocol.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(super) enum Outcome {
    /// gRPC's code, in whichever place its protocols have it.
    Grpc(u8),
    /// Connect's code and the status with it.
    Connect(u16, &'static str),
    /// A status, of somebody who does not speak the protocol.
    Http(u16),
    /// An answer of Connect's.
    Ok,
}

const CODES: [&str; 17] = [
    "ok",
    "canceled",
    "unknown",
    "invalid_argument",
    "deadline_exceeded",
    "not_found",
    "already_exists",
    "permission_denied",
    "resource_exhausted",
    "failed_precondition",
    "aborted",
    "out_of_range",
    "unimplemented",
    "internal",
    "unavailable",
    "data_loss",
    "unauthenticated",
];

impl Reply {
    /// The frames of a body, which has to end with one.
    pub(super) fn frames(&self) -> Vec<(u8, &[u8])> {
        let mut frames = Vec::new();
        let mut rest = &self.body[..];
        while let Some((head, after)) = rest.split_at_checked(5) {
            let length = u32::from_be_bytes(head[1..].try_into().unwrap()) as usize;
            assert!(length <= after.len(), "a frame is cut: {self:?}");
            let (message, after) = after.split_at(length);
            frames.push((head[0], message));
            rest = after;
        }
        assert!(rest.is_empty(), "something follows the frames: {self:?}");
        frames
    }

    /// What it is, in the words of its protocol.
    pub(super) fn outcome(&self) -> Outcome {
        let content_type = self.headers.get("content-type").map(|it| it.to_str().unwrap());
        match content_type.unwrap_or_default() {
            it if it.starts_with("application/grpc") => {
                assert_eq!(self.status, StatusCode::OK, "{self:?}");
                Outcome::Grpc(self.grpc_status().unwrap_or_else(|| panic!("no status: {self:?}")))
            }
            _ if self.status == StatusCode::OK => Outcome::Ok,
            CONNECT_JSON => {
                let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
                let code = CODES.iter().find(|it| body["code"] == **it);
                code.map_or(Outcome::Http(self.status.as_u16()), |code| {
                    assert!(body["message"].is_string() || body["details"].is_array(), "{self:?}");
                    Outcome::Connect(self.status.as_u16(), code)
                })
            }
            _ => Outcome::Http(self.status.as_u16()),
        }
    }

    fn grpc_status(&self) -> Option<u8> {
        let status =
            |headers: &HeaderMap| Some(headers.get("grpc-status")?.to_str().unwrap().parse());
        let in_body = || {
            let frames = self.frames();
            let (_, trailers) = frames.into_iter().find(|(flags, _)| *flags == 0x80)?;
            let trailers = std::str::from_utf8(trailers).unwrap();
            Some(
                trailers.lines().find_map(|line| line.strip_prefix("grpc-status:"))?.trim().parse(),
            )
        };
        let is_web = self.headers["content-type"].to_str().unwrap().contains("grpc-web");
        let found = status(&self.trailers).or_else(|| status(&self.headers));
        let found = found.or_else(|| if is_web { in_body() } else { None });
        Some(found?.unwrap())
    }
}

/// Whoever can be sent a request.
pub(super) trait Door {
    async fn deliver(&self, request: Request<Full<Bytes>>) -> Reply;
}

impl Door for Bank {
    async fn deliver(&self, request: Request<Full<Bytes>>) -> Reply {
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let path = head.uri.path();
        let request = self.gateway.request(head.method, path).headers(head.headers).body(body);
        let response = request.timeout(Duration::from_mins(1)).send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = response.bytes().await.unwrap();
        let content_type = headers.get("content-type").map(|it| it.to_str().unwrap());
        if content_type.is_some_and(|it| it.starts_with("application/grpc-web-text")) {
            body = STANDARD.decode(body).unwrap().into();
        }
        Reply { status, headers, body, trailers: HeaderMap::new() }
    }
}

impl Door for Native {
    /// On a connection of its own.
    async fn deliver(&self, request: Request<Full<Bytes>>) -> Reply {
        Line::to(self).send(request).await.unwrap()
    }
}

/// A connection to the native server, made when it is used first: HTTP/2 from the first byte.
pub(super) struct Line {
    client: Client<HttpConnector, Body>,
    address: String,
}

impl Line {
    pub(super) fn to(native: &Native) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).http2_only(true).build(connector);
        Self { client, address: native.address.clone() }
    }

    /// Sends a request; what came back, or why nothing did.
    pub(super) async fn send(&self, request: Request<Full<Bytes>>) -> Result<Reply, String> {
        self.stream(request.map(Body::new)).await
    }

    /// The same with a body that may come in pieces.
    pub(super) async fn stream(&self, request: Request<Body>) -> Result<Reply, String> {
        let (mut head, body) = request.into_parts();
        head.uri = format!("http://{}{}", self.address, head.uri.path()).parse().unwrap();
        head.version = Version::HTTP_2;
        let answer = async {
            let response = self.client.request(Request::from_parts(head, body)).await;
            let (head, body) = response.map_err(|error| format!("{error:?}"))?.into_parts();
            let body = body.collect().await.map_err(|error| format!("{error:?}"))?;
            let trailers = body.trailers().cloned().unwrap_or_default();
            Ok(Reply {
                status: head.status,
                headers: head.headers,
                body: body.to_bytes(),
                trailers,
            })
        };
        timeout(Duration::from_mins(1), answer).await.expect("no answer")
    }
}

/// A POST to a method of the service.
pub(super) fn post(method: &str, content_type: &str, body: Vec<u8>) -> Request<Full<Bytes>> {
    request(Method::POST, method, content_type, body)
}

/// Any request to a method of the service.
pub(super) fn request(
    verb: Method,
    method: &str,
    content_type: &str,
    body: Vec<u8>,
) -> Request<Full<Bytes>> {
    let path = if method.starts_with('/') {
        method.to_owned()
    } else {
        format!("/simplebank.v1.SimpleBank/{method}")
    };
    Request::builder()
        .method(verb)
        .uri(path)
        .header("content-type", content_type)
        .header("te", "trailers")
        .body(Full::new(Bytes::from(body)))
        .unwrap()
}

/// The same with one more header.
pub(super) fn with(
    mut request: Request<Full<Bytes>>,
    name: &'static str,
    value: &str,
) -> Request<Full<Bytes>> {
    request.headers_mut().insert(name, value.parse().unwrap());
    request
}

/// The same for somebody who is logged in.
pub(super) fn by(token: &str, request: Request<Full<Bytes>>) -> Request<Full<Bytes>> {
    with(request, "authorization", &format!("Bearer {token}"))
}
