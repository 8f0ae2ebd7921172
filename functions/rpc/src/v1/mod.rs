//! The JSON paths of the original's gateway, `/v1/*`, for its clients: a translation in front of the
//! service, as the original's was. Names are in `snake_case`, nothing is shown that is zero, and what is not
//! known is passed over.

pub(crate) mod reply;
pub(crate) mod status;

use connectrpc::{
    ConnectError, ConnectRpcService,
    client::{CallOptions, ClientBody, ClientConfig, ServiceTransport},
};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Uri, header};
use proto::simplebank::v1::SimpleBankClient;
use serde::{Serialize, de::DeserializeOwned};
use shared::{bank::BankError, http::MAX_BODY_BYTES};
use tower::ServiceExt;

use self::{reply::Reply, status::Status};
use crate::refused::Refused;

/// Answers one request.
pub(crate) async fn answer(
    service: &ConnectRpcService,
    request: Request<Vec<u8>>,
) -> Response<Vec<u8>> {
    match forward(service, &request).await {
        Ok(reply) => response(StatusCode::OK, HeaderMap::new(), &reply),
        Err(error) => {
            // A gateway's status for a code is Connect's.
            response(error.http_status(), kept(error.response_headers()), &Status::from(&error))
        }
    }
}

async fn forward(
    service: &ConnectRpcService,
    request: &Request<Vec<u8>>,
) -> Result<Reply, ConnectError> {
    let extensions = request.extensions().clone();
    let service = service.clone().map_request(move |mut request: Request<ClientBody>| {
        request.extensions_mut().extend(extensions.clone());
        request
    });
    let config = ClientConfig::new(Uri::from_static("http://bank"));
    let client = SimpleBankClient::new(ServiceTransport::new(service), config);
    let token = request.headers().get(header::AUTHORIZATION);
    let token = token.map(|token| (header::AUTHORIZATION, token.clone()));
    let options = CallOptions::default().with_headers(token);
    let body = request.body();
    match (request.method().as_str(), request.uri().path()) {
        ("POST", "/v1/create_user") => {
            let reply = client.create_user_with_options(message(body)?, options).await?;
            Ok(reply.into_owned().user.into_option().into())
        }
        ("PATCH", "/v1/update_user") => {
            let reply = client.update_user_with_options(message(body)?, options).await?;
            Ok(reply.into_owned().user.into_option().into())
        }
        ("POST", "/v1/login_user") => {
            let reply = client.login_user_with_options(message(body)?, options).await?;
            Ok(reply.into_owned().into())
        }
        ("POST", "/v1/verify_email") => {
            let reply = client.verify_email_with_options(message(body)?, options).await?;
            Ok(reply.into_owned().into())
        }
        _ => Err(ConnectError::not_found("Not Found")),
    }
}

/// Reads a message as the original's gateway did: nothing at all is an empty one.
fn message<T: DeserializeOwned + Default>(body: &[u8]) -> Result<T, ConnectError> {
    let refused = |error| ConnectError::from(Refused::from(error));
    if body.len() > MAX_BODY_BYTES {
        let error = refused(BankError::PayloadTooLarge);
        return Err(error.with_http_status(StatusCode::PAYLOAD_TOO_LARGE));
    }
    let body = body.trim_ascii();
    if body.is_empty() {
        return Ok(T::default());
    }
    let malformed = || refused(BankError::Malformed("The body is not valid JSON of this message."));
    // A derived decoder would take an array for a message, member by member.
    let object = Some(body).filter(|body| body.starts_with(b"{")).ok_or_else(malformed)?;
    serde_json::from_slice(object).map_err(|_| malformed())
}

/// What of the headers means anything outside the service.
fn kept(headers: &HeaderMap) -> HeaderMap {
    let names = [header::WWW_AUTHENTICATE, header::RETRY_AFTER].into_iter();
    names.filter_map(|name| headers.get(&name).map(|value| (name, value.clone()))).collect()
}

fn response(status: StatusCode, headers: HeaderMap, body: &impl Serialize) -> Response<Vec<u8>> {
    let mut response = Response::new(serde_json::to_vec(body).unwrap_or_default());
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}
