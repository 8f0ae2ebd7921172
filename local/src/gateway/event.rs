//! The event that a function gets for a request: API Gateway's payload format 1.0.
//!
//! It is written as JSON by hand: the struct in `aws_lambda_events` reads such events, but cannot
//! write a null for what is absent, nor the fields it does not know. A test reads it back.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, header::CONTENT_TYPE};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use super::call::{API_ID, Call};
use crate::{clock, template::ACCOUNT_ID};

/// What API Gateway takes a body for that does not say.
const DEFAULT_MEDIA_TYPE: &str = "application/json";

/// The event, as JSON.
pub(super) fn build(
    call: &Call,
    path_parameters: &BTreeMap<String, String>,
    body: &[u8],
    binary_media_types: &[String],
) -> String {
    let headers = multi_value_headers(&call.head.headers);
    let query = multi_value_query(call.head.uri.query().unwrap_or_default());
    let is_base64_encoded = !body.is_empty() && is_binary(call, binary_media_types);
    let body = match body {
        [] => None,
        body if is_base64_encoded => Some(STANDARD.encode(body)),
        body => Some(String::from_utf8_lossy(body).into_owned()),
    };
    json!({
        "resource": call.resource_path,
        "path": call.head.uri.path(),
        "httpMethod": call.head.method.as_str(),
        "headers": last_values(&headers),
        "multiValueHeaders": headers,
        "queryStringParameters": unless_empty(&last_values(&query)),
        "multiValueQueryStringParameters": unless_empty(&query),
        "pathParameters": unless_empty(path_parameters),
        "stageVariables": null,
        "requestContext": request_context(call),
        "body": body,
        "isBase64Encoded": is_base64_encoded,
    })
    .to_string()
}

fn request_context(call: &Call) -> Value {
    let domain_name = call.domain_name();
    let mut context = json!({
        "accountId": ACCOUNT_ID,
        "apiId": API_ID,
        "resourceId": API_ID,
        "resourcePath": call.resource_path,
        "httpMethod": call.head.method.as_str(),
        "path": format!("/{}{}", call.stage, call.head.uri.path()),
        "protocol": format!("{:?}", call.head.version),
        "requestId": call.request_id,
        "extendedRequestId": call.extended_request_id,
        "requestTime": clock::common_log_format(call.at_ms),
        "requestTimeEpoch": call.at_ms,
        "stage": call.stage,
        "domainName": domain_name,
        "domainPrefix": domain_name.split('.').next(),
        "identity": {
            "accessKey": null,
            "accountId": null,
            "caller": null,
            "cognitoAuthenticationProvider": null,
            "cognitoAuthenticationType": null,
            "cognitoIdentityId": null,
            "cognitoIdentityPoolId": null,
            "principalOrgId": null,
            "sourceIp": call.peer.to_string(),
            "user": null,
            "userAgent": call.header("user-agent"),
            "userArn": null,
        },
    });
    if let (Some(context), Some(authorizer)) = (context.as_object_mut(), &call.authorizer) {
        context.insert("authorizer".to_owned(), Value::Object(authorizer.clone()));
    }
    context
}

type MultiMap = BTreeMap<String, Vec<String>>;

fn multi_value_headers(headers: &HeaderMap) -> MultiMap {
    let mut map = MultiMap::new();
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        map.entry(name.as_str().to_owned()).or_default().push(value);
    }
    map
}

fn multi_value_query(query: &str) -> MultiMap {
    let mut map = MultiMap::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        map.entry(name.into_owned()).or_default().push(value.into_owned());
    }
    map
}

fn last_values(map: &MultiMap) -> BTreeMap<String, String> {
    let last =
        |(name, values): (&String, &Vec<String>)| Some((name.clone(), values.last()?.clone()));
    map.iter().filter_map(last).collect()
}

fn unless_empty<V: Clone + Into<Value>>(map: &BTreeMap<String, V>) -> Value {
    if map.is_empty() {
        return Value::Null;
    }
    let fields: Map<String, Value> =
        map.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
    Value::Object(fields)
}

fn is_binary(call: &Call, binary_media_types: &[String]) -> bool {
    let sent = call.header(CONTENT_TYPE.as_str()).unwrap_or_else(|| DEFAULT_MEDIA_TYPE.to_owned());
    let sent = sent.split(';').next().unwrap_or_default().trim();
    binary_media_types.iter().any(|one| one == "*/*" || one.eq_ignore_ascii_case(sent))
}

#[cfg(test)]
mod tests;
