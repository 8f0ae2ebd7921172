//! Turns a function's answer into the response, and refuses what API Gateway would call malformed.

use aws_lambda_events::{apigw::ApiGatewayProxyResponse, encodings::Body as Answered};
use axum::{
    body::Body,
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, DATE, HOST, SERVER, TRANSFER_ENCODING},
    },
    response::Response,
};
use base64::{Engine, engine::general_purpose::STANDARD};

use super::{call::Call, response_type::ResponseType};
use crate::console;

/// Headers that API Gateway does not let a function set: they arrive under another name.
///
/// It renames `WWW-Authenticate` as well, which is left alone here on purpose: a 401 without it is
/// against RFC 9110, and whoever puts the functions behind anything else gets it.
const REMAPPED: [HeaderName; 4] = [CONNECTION, DATE, HOST, SERVER];

/// The response that the function asked for.
pub(super) fn to_response(answer: &[u8], call: &Call) -> Result<Response, ResponseType> {
    response(answer, call).map_err(|problem| {
        console::log(&format!("[gateway] {call}: malformed answer of the function: {problem}"));
        ResponseType::Default5xx
    })
}

fn response(answer: &[u8], call: &Call) -> Result<Response, String> {
    let answer: ApiGatewayProxyResponse =
        serde_json::from_slice(answer).map_err(|error| error.to_string())?;
    let status = u16::try_from(answer.status_code).unwrap_or_default();
    let status = StatusCode::from_u16(status).map_err(|error| error.to_string())?;
    let body = match answer.body {
        None | Some(Answered::Empty) => Vec::new(),
        Some(Answered::Binary(bytes)) => bytes,
        Some(Answered::Text(text)) if answer.is_base64_encoded => {
            STANDARD.decode(text).map_err(|error| error.to_string())?
        }
        Some(Answered::Text(text)) => text.into_bytes(),
        Some(_) => return Err("its body is neither text nor bytes".to_owned()),
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers(answer.headers, &answer.multi_value_headers);
    stamp(response.headers_mut(), call);
    Ok(response)
}

/// Both maps together; a header that is in both is taken from the one with several values.
fn headers(mut single: HeaderMap, multiple: &HeaderMap) -> HeaderMap {
    for name in multiple.keys() {
        single.remove(name);
    }
    let mut merged = HeaderMap::new();
    for (name, value) in single.iter().chain(multiple) {
        if *name == CONTENT_LENGTH || *name == TRANSFER_ENCODING {
            continue;
        }
        merged.append(remapped(name), value.clone());
    }
    merged
}

fn remapped(name: &HeaderName) -> HeaderName {
    if !REMAPPED.contains(name) {
        return name.clone();
    }
    HeaderName::try_from(format!("x-amzn-remapped-{name}")).unwrap_or_else(|_| name.clone())
}

/// Adds what every response of API Gateway carries.
pub(super) fn stamp(headers: &mut HeaderMap, call: &Call) {
    for (name, value) in [
        ("x-amzn-requestid", &call.request_id),
        ("x-amz-apigw-id", &call.extended_request_id),
        ("x-amzn-trace-id", &call.trace_id),
    ] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    let json = HeaderValue::from_static("application/json");
    headers.entry(CONTENT_TYPE).or_insert(json);
}

#[cfg(test)]
mod tests {
    use super::super::call::sample;
    use super::*;

    fn response_to(answer: &str) -> Result<Response, String> {
        response(answer.as_bytes(), &sample("GET", "/", &[]))
    }

    #[test]
    fn headers_of_both_kinds_are_merged() {
        let response = response_to(
            r#"{"statusCode": 201,
                "headers": {"x-a": "1", "x-b": "1", "content-length": "99", "date": "today"},
                "multiValueHeaders": {"x-b": ["2", "3"], "www-authenticate": ["Bearer"]},
                "body": "hi"}"#,
        )
        .unwrap();
        assert_eq!(response.status(), StatusCode::CREATED);
        let headers = response.headers();
        assert_eq!(headers["x-a"], "1");
        assert_eq!(headers.get_all("x-b").iter().collect::<Vec<_>>(), ["2", "3"]);
        assert_eq!(headers["x-amzn-remapped-date"], "today");
        assert_eq!(headers["www-authenticate"], "Bearer");
        assert_eq!(headers["content-type"], "application/json");
        assert!(!headers.contains_key("content-length"));
        assert!(headers.contains_key("x-amzn-requestid") && headers.contains_key("x-amz-apigw-id"));
    }

    #[test]
    fn what_is_not_a_proxy_answer_is_malformed() {
        let cases = [
            "null",
            "[]",
            r#""hello""#,
            r#"{"body": "no status"}"#,
            r#"{"statusCode": "200"}"#,
            r#"{"statusCode": 99}"#,
            r#"{"statusCode": 200, "body": {"not": "text"}}"#,
            r#"{"statusCode": 200, "body": "*", "isBase64Encoded": true}"#,
            r#"{"statusCode": 200, "headers": {"x y": "1"}}"#,
        ];
        for answer in cases {
            assert!(response_to(answer).is_err(), "{answer}");
        }
        assert!(response_to(r#"{"statusCode": 204, "body": null, "headers": null}"#).is_ok());
    }
}
