//! The ways into the bank. Messages are made and read by other libraries than the one under test.

use std::collections::HashMap;

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use prost::{Message, bytes::Buf};
use prost_reflect::{DynamicMessage, MessageDescriptor, MethodDescriptor, SerializeOptions};
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};
use tonic::{
    Code, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    metadata::MetadataValue,
    transport::Channel,
};
use tonic_types::StatusExt;

use super::{cases::Case, contract};

/// One way.
pub(super) enum Face {
    Http(String),
    ConnectJson(String),
    GrpcWeb(String),
    Native(Channel),
}

/// What came back, in words that all ways have.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// `ok`, or the bank's code.
    pub(super) code: String,
    /// HTTP's status, or gRPC's number.
    pub(super) number: i32,
    pub(super) is_replay: bool,
    /// The fields that are wrong.
    pub(super) fields: Vec<String>,
    /// Whether it is said when to come back.
    pub(super) has_retry: bool,
    /// As HTTP's JSON has it.
    pub(super) reply: Value,
}

impl Face {
    pub(super) async fn all(gateway: &str, native: &str) -> [Self; 4] {
        let channel = Channel::from_shared(format!("http://{native}")).unwrap();
        let gateway = gateway.to_owned();
        [
            Self::Http(gateway.clone()),
            Self::ConnectJson(gateway.clone()),
            Self::GrpcWeb(gateway),
            Self::Native(channel.connect().await.unwrap()),
        ]
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Http(_) => "HTTP",
            Self::ConnectJson(_) => "Connect",
            Self::GrpcWeb(_) => "gRPC-Web",
            Self::Native(_) => "gRPC",
        }
    }

    pub(super) fn is_http(&self) -> bool {
        matches!(self, Self::Http(_))
    }

    pub(super) async fn call(&self, case: &Case) -> Outcome {
        match self {
            Self::Http(url) => http(url, case).await,
            Self::ConnectJson(url) => connect_json(url, case).await,
            Self::GrpcWeb(url) => grpc_web(url, case).await,
            Self::Native(channel) => native(channel, case).await,
        }
    }
}

async fn post(url: &str, case: &Case, content_type: &str, body: Vec<u8>) -> Response {
    let url = format!("{url}/{}", path(case));
    let mut request = Client::new().post(url).header("content-type", content_type).body(body);
    for (name, value) in metadata(case) {
        request = request.header(name, value);
    }
    request.send().await.unwrap()
}

fn metadata(case: &Case) -> Vec<(&'static str, String)> {
    let token = case.token.iter().map(|token| ("authorization", format!("Bearer {token}")));
    token.chain(case.key.iter().map(|key| ("idempotency-key", key.clone()))).collect()
}

async fn http(url: &str, case: &Case) -> Outcome {
    let (method, path) = case.route.split_once(' ').unwrap();
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let mut request = Client::new().request(method, format!("{url}{path}"));
    for (name, value) in metadata(case) {
        request = request.header(name, value);
    }
    if let Some(body) = &case.body {
        request = request.json(body);
    }
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let bytes = response.bytes().await.unwrap();
    let body = if bytes.is_empty() { json!({}) } else { serde_json::from_slice(&bytes).unwrap() };
    let is_done = status.is_success();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_lowercase();
    let violations = body["violations"].as_array();
    Outcome {
        code: if is_done { "ok".to_owned() } else { text(&body["code"]) },
        number: status.as_u16().into(),
        is_replay: headers.contains_key("idempotent-replayed"),
        fields: violations.into_iter().flatten().map(|it| text(&it["field"])).collect(),
        has_retry: headers.contains_key("retry-after"),
        reply: if is_done { body } else { Value::Null },
    }
}

async fn connect_json(url: &str, case: &Case) -> Outcome {
    let body = case.message.to_string().into_bytes();
    let response = post(url, case, "application/json", body).await;
    let (status, headers) = (response.status(), response.headers().clone());
    let body: Value = response.json().await.unwrap();
    let is_replay = headers.contains_key("idempotent-replayed");
    if status.is_success() {
        let reply = DynamicMessage::deserialize(method(case).output(), body).unwrap();
        return done(case, &reply, is_replay);
    }
    let name = body["code"].as_str().unwrap();
    let code = (1..=16).map(Code::from).find(|code| snake_case(*code) == name).unwrap();
    let details: HashMap<&str, DynamicMessage> = body["details"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|detail| {
            let name = detail["type"].as_str().unwrap();
            let bytes = STANDARD_NO_PAD.decode(detail["value"].as_str().unwrap()).unwrap();
            let descriptor = contract().get_message_by_name(name).unwrap();
            (name, DynamicMessage::decode(descriptor, bytes.as_slice()).unwrap())
        })
        .collect();
    let reason = details.get("google.rpc.ErrorInfo").map(shown).unwrap_or_default();
    assert_eq!(reason["domain"], "simplebank.dev");
    let violations = details.get("google.rpc.BadRequest").map(shown).unwrap_or_default();
    let violations = violations["field_violations"].as_array();
    Outcome {
        code: reason["reason"].as_str().unwrap_or_default().to_lowercase(),
        number: code.into(),
        is_replay,
        fields: violations
            .into_iter()
            .flatten()
            .map(|it| it["field"].as_str().unwrap_or_default().to_lowercase())
            .collect(),
        has_retry: details.contains_key("google.rpc.RetryInfo"),
        reply: Value::Null,
    }
}

async fn grpc_web(url: &str, case: &Case) -> Outcome {
    let message = message(case).encode_to_vec();
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    let body = [&[0], length.as_slice(), &message].concat();
    let response = post(url, case, "application/grpc-web+proto", body).await;
    let mut headers = response.headers().clone();
    assert_eq!(response.status(), 200);
    let mut bytes = response.bytes().await.unwrap();
    let mut reply = None;
    while bytes.has_remaining() {
        let (flag, length) = (bytes.get_u8(), bytes.get_u32());
        let frame = bytes.copy_to_bytes(usize::try_from(length).unwrap());
        if flag == 0 {
            reply = Some(DynamicMessage::decode(method(case).output(), frame).unwrap());
            continue;
        }
        assert_eq!(flag, 0x80);
        for line in std::str::from_utf8(&frame).unwrap().lines() {
            let (name, value) = line.split_once(':').unwrap();
            let name: reqwest::header::HeaderName = name.parse().unwrap();
            headers.insert(name, value.trim().parse().unwrap());
        }
    }
    let status = Status::from_header_map(&headers).unwrap();
    let is_replay = headers.contains_key("idempotent-replayed");
    match reply {
        Some(reply) if status.code() == Code::Ok => done(case, &reply, is_replay),
        Some(_) | None => refused(&status, is_replay),
    }
}

async fn native(channel: &Channel, case: &Case) -> Outcome {
    let mut request = tonic::Request::new(message(case));
    for (name, value) in metadata(case) {
        let value: MetadataValue<_> = value.parse().unwrap();
        request.metadata_mut().insert(name, value);
    }
    let mut client = Grpc::new(channel.clone());
    client.ready().await.unwrap();
    let path = format!("/{}", path(case)).parse().unwrap();
    match client.unary(request, path, Dynamic(method(case).output())).await {
        Ok(response) => {
            let is_replay = response.metadata().contains_key("idempotent-replayed");
            done(case, response.get_ref(), is_replay)
        }
        Err(status) => refused(&status, status.metadata().contains_key("idempotent-replayed")),
    }
}

fn done(case: &Case, reply: &DynamicMessage, is_replay: bool) -> Outcome {
    let mut reply = shown(reply);
    if let Some(member) = case.member {
        reply = reply[member].take();
    }
    Outcome { code: "ok".to_owned(), is_replay, reply, ..Outcome::default() }
}

fn refused(status: &Status, is_replay: bool) -> Outcome {
    let details = status.get_error_details();
    assert_eq!(details.error_info().map(|it| it.domain.as_str()), Some("simplebank.dev"));
    let violations = details.bad_request().map(|it| it.field_violations.clone());
    Outcome {
        code: details.error_info().map(|it| it.reason.to_lowercase()).unwrap_or_default(),
        number: status.code().into(),
        is_replay,
        fields: violations.into_iter().flatten().map(|it| it.field.to_lowercase()).collect(),
        has_retry: details.retry_info().is_some(),
        reply: Value::Null,
    }
}

fn method(case: &Case) -> MethodDescriptor {
    let service = contract().get_service_by_name("simplebank.v1.SimpleBank").unwrap();
    service.methods().find(|method| method.name() == case.method).unwrap()
}

fn path(case: &Case) -> String {
    format!("simplebank.v1.SimpleBank/{}", case.method)
}

fn message(case: &Case) -> DynamicMessage {
    DynamicMessage::deserialize(method(case).input(), case.message.clone()).unwrap()
}

/// A message in the shape of HTTP's JSON.
fn shown(message: &DynamicMessage) -> Value {
    let options = SerializeOptions::new()
        .use_proto_field_name(true)
        .stringify_64_bit_integers(false)
        .skip_default_fields(false);
    message.serialize_with_options(serde_json::value::Serializer, &options).unwrap()
}

fn snake_case(code: Code) -> String {
    let mut name = String::new();
    for letter in format!("{code:?}").chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.extend(letter.to_lowercase());
    }
    name
}

/// Messages that are known by their description alone.
#[derive(Clone)]
struct Dynamic(MessageDescriptor);

impl Codec for Dynamic {
    type Encode = DynamicMessage;
    type Decode = DynamicMessage;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        self.clone()
    }

    fn decoder(&mut self) -> Self {
        self.clone()
    }
}

impl Encoder for Dynamic {
    type Item = DynamicMessage;
    type Error = Status;

    fn encode(
        &mut self,
        message: DynamicMessage,
        buffer: &mut EncodeBuf<'_>,
    ) -> Result<(), Status> {
        message.encode(buffer).map_err(|error| Status::internal(error.to_string()))
    }
}

impl Decoder for Dynamic {
    type Item = DynamicMessage;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<DynamicMessage>, Status> {
        let message = DynamicMessage::decode(self.0.clone(), buffer);
        message.map(Some).map_err(|error| Status::internal(error.to_string()))
    }
}
