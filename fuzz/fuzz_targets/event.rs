//! From an event to an answer, as on Lambda, by a handler that reads whatever handlers read: no event is
//! answered by a 500, and every answer is in the API's words.
#![no_main]

use std::sync::Arc;

use base64::{Engine, prelude::BASE64_STANDARD as BASE64};
use fuzz::block_on;
use lambda_http::{
    Body, Response,
    http::{HeaderValue, Uri, header},
    request::LambdaRequest,
};
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value, json};
use shared::{
    bank::BankError,
    domain::{Amount, Email, Limit},
    http::{Reply, Request, answer},
    testing::clock,
};

/// What reading a request may end in.
const REFUSALS: [(u16, &str); 8] = [
    (400, "idempotency_key_missing"),
    (400, "invalid_argument"),
    (400, "malformed_request"),
    (401, "token_expired"),
    (401, "unauthenticated"),
    (404, "not_found"),
    (413, "payload_too_large"),
    (415, "unsupported_media_type"),
];

/// Reads what the route's handler would.
async fn read(_: Arc<()>, request: Request) -> Result<Reply, BankError> {
    let route = request.route().to_owned();
    let has = |part: &str| route.contains(part);
    let session = if has("/sessions/{id}") { Some(request.path_session()?.0) } else { None };
    let id = if has("{id}") && session.is_none() { Some(request.path_id()?) } else { None };
    let name = if has("{username}") { Some(request.path_username()?) } else { None };
    let key = if has("transfer") { Some(request.idempotency_key()?) } else { None };
    let mut fields =
        if has("POST") { request.form_or_body_fields()? } else { request.query_fields() };
    let limit = fields.optional_integer("limit", Limit::new);
    let amount = fields.optional_integer("amount", Amount::new);
    let email = fields.optional_text("email", Email::parse);
    let (limit, amount, email) = fields.finish(|| Some((limit?, amount?, email?)))?;
    // Last, so that an event whose time has passed is read as well.
    let caller = request.caller(&clock())?;
    Reply::ok(&json!({
        "caller": caller.username.to_string(),
        "session": session,
        "id": id,
        "name": name.map(|name| name.to_string()),
        "key": key.map(|key| key.as_str().to_owned()),
        "limit": limit.map(Limit::rows),
        "amount": amount.map(Amount::minor_units),
        "email": email.map(|email| email.as_str().to_owned()),
        "client": [&request.client().ip, &request.client().user_agent],
        "page": request.wants_page(),
    }))
}

fn check(answer: &Response<Body>) {
    let body: Value = serde_json::from_slice(answer.body()).expect("a JSON body");
    let content_type = &answer.headers()["content-type"];
    let status = answer.status().as_u16();
    if status == 200 {
        assert_eq!(content_type, "application/json");
    } else {
        let code = body["code"].as_str().expect("a code");
        assert!(REFUSALS.contains(&(status, code)), "{status} {code}");
        assert_eq!(content_type, "application/problem+json");
        assert_eq!(body["status"], status);
        assert_eq!(body["type"], format!("https://simplebank.dev/problems/{code}"));
    }
    assert_eq!(answer.headers()["cache-control"], "no-store");
    assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
}

/// The event, if a gateway could have sent it: `lambda_http` panics over a host that is none, a path that does not
/// begin, a query that cannot be a part of an address, and a body that is not encoded though it says so. Gateways
/// take none of these from a client, and the runtime would catch the panic.
fn of_a_gateway(mut event: LambdaRequest) -> Option<LambdaRequest> {
    let (headers, path, query, body, is_encoded) = match &mut event {
        LambdaRequest::ApiGatewayV1(event) => {
            (&mut event.headers, &event.path, &None, &event.body, event.is_base64_encoded)
        }
        LambdaRequest::ApiGatewayV2(event) => (
            &mut event.headers,
            &event.raw_path,
            &event.raw_query_string,
            &event.body,
            event.is_base64_encoded,
        ),
        _ => return None,
    };
    headers.insert(header::HOST, HeaderValue::from_static("api.example.com"));
    headers.insert("x-forwarded-proto", HeaderValue::from_static("https"));
    let is_path = path.as_deref().is_some_and(|path| path.starts_with('/'));
    let is_query = format!("/?{}", query.as_deref().unwrap_or_default()).parse::<Uri>().is_ok();
    let is_body = !is_encoded || BASE64.decode(body.as_deref().unwrap_or_default()).is_ok();
    (is_path && is_query && is_body).then_some(event)
}

/// Whether a parameter has a list of values with none in it, over which the library panics as well. What a client
/// names has a value, be it an empty one.
fn has_empty_list(event: &Value) -> bool {
    let lists = ["multiValueQueryStringParameters", "queryStringParameters"];
    let parameters = lists.iter().filter_map(|name| event[name].as_object());
    parameters.flat_map(Map::values).any(|value| value.as_array().is_some_and(Vec::is_empty))
}

fuzz_target!(|data: &[u8]| {
    if serde_json::from_slice(data).is_ok_and(|event| has_empty_list(&event)) {
        return;
    }
    let event: Option<LambdaRequest> = serde_json::from_slice(data).ok();
    if let Some(event) = event.and_then(of_a_gateway) {
        check(&block_on(answer(Arc::new(()), read, event.into())));
    }
});
