//! The responses that API Gateway gives in a function's place, as the template words them.

use std::collections::BTreeMap;

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode},
    response::Response,
};
use serde_json::json;

use super::{answer::stamp, call::Call, response_type::ResponseType};
use crate::template::{HeaderSource, ResponseRule};

const CONTEXT: &str = "$context.";

/// The template's gateway responses.
pub(super) struct ResponseRules(BTreeMap<String, ResponseRule>);

impl ResponseRules {
    pub(super) fn new(rules: BTreeMap<String, ResponseRule>) -> Self {
        Self(rules)
    }

    /// The response of one type: by its own rule, by its class's, or as API Gateway would have it.
    pub(super) fn render(&self, kind: ResponseType, call: &Call) -> Response {
        let (name, own_status, message) = kind.own();
        let class = if own_status.is_client_error() { "DEFAULT_4XX" } else { "DEFAULT_5XX" };
        let rule = self.0.get(name).or_else(|| self.0.get(class));
        let status = rule.and_then(|rule| rule.status);
        let body = match rule.and_then(|rule| rule.body.as_deref()) {
            Some(template) => substitute(template, kind, call),
            None => json!({"message": message}).to_string(),
        };

        let mut response = Response::new(Body::from(body));
        *response.status_mut() =
            status.and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(own_status);
        let headers = response.headers_mut();
        for (name, source) in rule.iter().flat_map(|rule| &rule.headers) {
            let value = match source {
                HeaderSource::Static(text) => Some(text.clone()),
                HeaderSource::Context(variable) => context(variable, kind, call),
                HeaderSource::RequestHeader(header) => call.header(header),
            };
            let header =
                (HeaderName::try_from(name), HeaderValue::try_from(value.unwrap_or_default()));
            if let (Ok(name), Ok(value)) = header {
                headers.insert(name, value);
            }
        }
        stamp(headers, call);
        response
    }
}

/// Puts the values of `$context` into a template; what is not known becomes nothing.
fn substitute(template: &str, kind: ResponseType, call: &Call) -> String {
    let mut result = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once(CONTEXT) {
        let end = after.find(|next: char| !(next.is_ascii_alphanumeric() || "_.".contains(next)));
        let (variable, _) = after.split_at_checked(end.unwrap_or(after.len())).unwrap_or_default();
        // A dot at the end belongs to the sentence, not to the name.
        let variable = variable.trim_end_matches('.');
        result.push_str(before);
        result.push_str(&context(variable, kind, call).unwrap_or_default());
        rest = after.strip_prefix(variable).unwrap_or_default();
    }
    result.push_str(rest);
    result
}

fn context(variable: &str, kind: ResponseType, call: &Call) -> Option<String> {
    if let Some(key) = variable.strip_prefix("authorizer.") {
        let value = call.authorizer.as_ref()?.get(key)?;
        return Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    }
    let (name, _, message) = kind.own();
    match variable {
        "requestId" => Some(call.request_id.clone()),
        "extendedRequestId" => Some(call.extended_request_id.clone()),
        "stage" => Some(call.stage.clone()),
        "resourcePath" => call.resource_path.clone(),
        "httpMethod" => Some(call.head.method.to_string()),
        "path" => Some(format!("/{}{}", call.stage, call.head.uri.path())),
        "identity.sourceIp" => Some(call.peer.to_string()),
        "error.message" => message.map(str::to_owned),
        "error.messageString" => Some(json!(message).to_string()),
        "error.responseType" => Some(name.to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::call::sample;
    use super::*;

    fn call() -> Call {
        let mut call = sample("GET", "/accounts/7", &[("origin", "https://bank.test")]);
        call.request_id = "r1".to_owned();
        call.resource_path = Some("/accounts/{id}".to_owned());
        let context = json!({"code": "expired_token", "integrationLatency": 3});
        call.authorizer = context.as_object().cloned();
        call
    }

    #[test]
    fn variables_are_put_into_the_body() {
        let cases = [
            (r#"{"instance":"$context.requestId"}"#, r#"{"instance":"r1"}"#),
            (r#"{"message":$context.error.messageString}"#, r#"{"message":"Unauthorized"}"#),
            ("$context.error.message.", "Unauthorized."),
            ("$context.error.responseType|$context.stage", "UNAUTHORIZED|dev"),
            ("$context.authorizer.code$context.authorizer.none!", "expired_token!"),
            ("$context.authorizer.integrationLatency", "3"),
            ("$context.httpMethod $context.resourcePath", "GET /accounts/{id}"),
            ("$context.", ""),
            ("costs $5", "costs $5"),
        ];
        for (template, expected) in cases {
            assert_eq!(substitute(template, ResponseType::Unauthorized, &call()), expected);
        }
    }

    #[test]
    fn the_type_s_own_rule_comes_before_the_class_s_and_api_gateway_s() {
        let with_status = |status| ResponseRule { status, ..ResponseRule::default() };
        let rules = ResponseRules::new(BTreeMap::from([
            ("UNAUTHORIZED".to_owned(), with_status(Some(418))),
            ("DEFAULT_4XX".to_owned(), with_status(None)),
            ("DEFAULT_5XX".to_owned(), with_status(Some(500))),
        ]));
        let cases = [
            (ResponseType::Unauthorized, 418, 401),
            (ResponseType::RequestTooLarge, 413, 413),
            (ResponseType::Default5xx, 500, 502),
            (ResponseType::IntegrationTimeout, 500, 504),
        ];
        for (kind, by_rule, by_default) in cases {
            assert_eq!(rules.render(kind, &call()).status(), by_rule, "{kind:?}");
            let none = ResponseRules::new(BTreeMap::new());
            assert_eq!(none.render(kind, &call()).status(), by_default, "{kind:?}");
        }
    }

    #[test]
    fn headers_are_set_from_their_sources() {
        let source = |name: &str, source| (name.to_owned(), source);
        let rule = ResponseRule {
            headers: vec![
                source("content-type", HeaderSource::Static("text/plain".to_owned())),
                source("x-request", HeaderSource::Context("requestId".to_owned())),
                source("x-origin", HeaderSource::RequestHeader("Origin".to_owned())),
            ],
            ..ResponseRule::default()
        };
        let rules = ResponseRules::new(BTreeMap::from([("REQUEST_TOO_LARGE".to_owned(), rule)]));
        let response = rules.render(ResponseType::RequestTooLarge, &call());
        assert_eq!(response.headers()["content-type"], "text/plain");
        assert_eq!(response.headers()["x-request"], "r1");
        assert_eq!(response.headers()["x-origin"], "https://bank.test");
        assert_eq!(response.headers()["x-amzn-requestid"], "r1");
    }
}
