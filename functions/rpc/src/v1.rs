//! The JSON paths of the original's gateway, `/v1/*`, for its clients: a translation in front of the
//! service, as the original's was. snake_case, nothing that is zero, and what is not known is passed over.

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use buffa::Message;
use buffa_types::google::protobuf::Timestamp;
use connectrpc::{
    ConnectError, ConnectRpcService, ErrorDetail,
    client::{CallOptions, ClientBody, ClientConfig, ServiceTransport},
};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Uri, header};
use proto::{
    google::rpc::{BadRequest, RetryInfo},
    simplebank::v1::{LoginUserResponse, SimpleBankClient, User, VerifyEmailResponse},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use shared::{bank::BankError, http::MAX_BODY_BYTES};
use tower::ServiceExt;

use crate::refused::Refused;

/// Answers one request.
pub(crate) async fn answer(
    service: &ConnectRpcService,
    request: Request<Vec<u8>>,
) -> Response<Vec<u8>> {
    let (status, headers, body) = match forward(service, &request).await {
        Ok(reply) => (StatusCode::OK, HeaderMap::new(), reply),
        Err(error) => (status(&error), kept(error.response_headers()), error_body(&error)),
    };
    let mut response = Response::new(body.to_string().into_bytes());
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

async fn forward(
    service: &ConnectRpcService,
    request: &Request<Vec<u8>>,
) -> Result<Value, ConnectError> {
    let extensions = request.extensions().clone();
    let service = service.clone().map_request(move |mut request: Request<ClientBody>| {
        request.extensions_mut().extend(extensions.clone());
        request
    });
    let config = ClientConfig::new(Uri::from_static("http://bank"));
    let client = SimpleBankClient::new(ServiceTransport::new(service), config);
    let mut options = CallOptions::default();
    if let Some(token) = request.headers().get(header::AUTHORIZATION) {
        options = options.with_header(header::AUTHORIZATION, token);
    }
    let body = request.body();
    match (request.method().as_str(), request.uri().path()) {
        ("POST", "/v1/create_user") => {
            let reply = client.create_user_with_options(message(body)?, options).await?;
            Ok(json!({ "user": user(reply.into_owned().user.into_option()) }))
        }
        ("PATCH", "/v1/update_user") => {
            let reply = client.update_user_with_options(message(body)?, options).await?;
            Ok(json!({ "user": user(reply.into_owned().user.into_option()) }))
        }
        ("POST", "/v1/login_user") => {
            let reply = client.login_user_with_options(message(body)?, options).await?;
            Ok(logged_in(reply.into_owned()))
        }
        ("POST", "/v1/verify_email") => {
            let reply = client.verify_email_with_options(message(body)?, options).await?;
            Ok(verified(&reply.into_owned()))
        }
        _ => Err(ConnectError::not_found("Not Found")),
    }
}

/// Reads a message as the original's gateway did: nothing at all is an empty one.
fn message<T: DeserializeOwned + Default>(body: &[u8]) -> Result<T, ConnectError> {
    if body.len() > MAX_BODY_BYTES {
        let refused = ConnectError::from(Refused::from(BankError::PayloadTooLarge));
        return Err(refused.with_http_status(StatusCode::PAYLOAD_TOO_LARGE));
    }
    let body = body.trim_ascii();
    if body.is_empty() {
        return Ok(T::default());
    }
    let malformed = |detail| ConnectError::from(Refused::from(BankError::Malformed(detail)));
    // A derived decoder would take an array for a message, member by member.
    if !body.starts_with(b"{") {
        return Err(malformed("The body must be a JSON object."));
    }
    serde_json::from_slice(body)
        .map_err(|_| malformed("The body is not valid JSON of this message."))
}

/// The user as the original showed them.
#[derive(Serialize)]
struct UserBody {
    username: String,
    full_name: String,
    email: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    password_changed_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<Timestamp>,
}

fn user(user: Option<User>) -> UserBody {
    let user = user.unwrap_or_default();
    UserBody {
        username: user.username,
        full_name: user.full_name,
        email: user.email,
        password_changed_at: user.password_changed_at.into_option(),
        created_at: user.created_at.into_option(),
    }
}

fn logged_in(reply: LoginUserResponse) -> Value {
    json!({
        "user": user(reply.user.into_option()),
        "session_id": reply.session_id,
        "access_token": reply.access_token,
        "refresh_token": reply.refresh_token,
        "access_token_expires_at": reply.access_token_expires_at,
        "refresh_token_expires_at": reply.refresh_token_expires_at,
    })
}

fn verified(reply: &VerifyEmailResponse) -> Value {
    json!({ "is_verified": reply.is_verified })
}

/// A gateway's status for a code is Connect's.
fn status(error: &ConnectError) -> StatusCode {
    error.http_status()
}

/// What of the headers means anything outside the service.
fn kept(headers: &HeaderMap) -> HeaderMap {
    let names = [header::WWW_AUTHENTICATE, header::RETRY_AFTER];
    names
        .into_iter()
        .filter_map(|name| headers.get(&name).cloned().map(|value| (name, value)))
        .collect()
}

fn error_body(error: &ConnectError) -> Value {
    let mut body = json!({
        "code": error.code.grpc_code(),
        "message": error.message.as_deref().unwrap_or_default(),
    });
    let details: Vec<Value> = error.details.iter().filter_map(detail).collect();
    if !details.is_empty() {
        body["details"] = details.into();
    }
    body
}

/// The details that the original had, and when to come back.
fn detail(detail: &ErrorDetail) -> Option<Value> {
    let bytes = STANDARD_NO_PAD.decode(detail.value.as_deref()?).ok()?;
    let name = detail.type_url.as_str();
    let mut body = match name {
        "google.rpc.BadRequest" => {
            let violations = BadRequest::decode_from_slice(&bytes).ok()?.field_violations;
            let violations: Vec<Value> = violations
                .into_iter()
                .map(|it| json!({ "field": it.field, "description": it.description }))
                .collect();
            json!({ "field_violations": violations })
        }
        "google.rpc.RetryInfo" => {
            json!({ "retry_delay": RetryInfo::decode_from_slice(&bytes).ok()?.retry_delay })
        }
        _ => return None,
    };
    body["@type"] = format!("type.googleapis.com/{name}").into();
    Some(body)
}
