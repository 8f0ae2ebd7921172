//! Events as functions will read them.

use aws_lambda_events::apigw::ApiGatewayProxyRequest;

use super::super::call::sample;
use super::*;

fn event(call: &Call, body: &[u8], binary: &[&str]) -> Value {
    let binary: Vec<String> = binary.iter().map(|one| (*one).to_owned()).collect();
    serde_json::from_str(&build(call, &BTreeMap::new(), body, &binary)).unwrap()
}

#[test]
fn what_is_absent_is_null() {
    let event = event(&sample("GET", "/healthz", &[]), b"", &["*/*"]);
    for field in [
        "queryStringParameters",
        "multiValueQueryStringParameters",
        "pathParameters",
        "stageVariables",
        "body",
    ] {
        assert_eq!(event[field], Value::Null, "{field}");
    }
    assert_eq!(event["isBase64Encoded"], false);
    assert_eq!(event["requestContext"]["identity"]["userAgent"], Value::Null);
    assert_eq!(event["requestContext"].get("authorizer"), None);
}

#[test]
fn repeated_headers_and_parameters_are_all_there_and_the_last_stands_alone() {
    let headers = [("x-one", "a"), ("x-one", "b")];
    let event = event(&sample("GET", "/x?a=1&b=%C3%A4+%26&a=2&c", &headers), b"", &[]);
    assert_eq!(event["headers"]["x-one"], "b");
    assert_eq!(event["multiValueHeaders"]["x-one"], json!(["a", "b"]));
    assert_eq!(event["queryStringParameters"], json!({"a": "2", "b": "ä &", "c": ""}));
    assert_eq!(
        event["multiValueQueryStringParameters"],
        json!({"a": ["1", "2"], "b": ["ä &"], "c": [""]})
    );
}

#[test]
fn only_binary_media_types_are_encoded() {
    let cases = [
        (None, vec!["*/*"], true),
        (None, vec![], false),
        (Some("image/png"), vec!["image/png"], true),
        (Some("IMAGE/PNG; q=1"), vec!["image/png"], true),
        (Some("text/plain"), vec!["image/png"], false),
    ];
    for (sent, binary, encoded) in cases {
        let headers: Vec<_> = sent.map(|sent| ("content-type", sent)).into_iter().collect();
        let event = event(&sample("POST", "/x", &headers), b"hi", &binary);
        assert_eq!(event["isBase64Encoded"], encoded, "{sent:?} {binary:?}");
        assert_eq!(event["body"], if encoded { "aGk=" } else { "hi" });
    }
}

#[test]
fn the_types_for_functions_can_read_it() {
    let mut call = sample("POST", "/x?a=1", &[("host", "bank.test:8080")]);
    call.authorizer = Some(Map::from_iter([("principalId".to_owned(), json!("me"))]));
    let parameters = BTreeMap::from([("id".to_owned(), "7".to_owned())]);
    let event = build(&call, &parameters, b"\xff", &["*/*".to_owned()]);
    let event: ApiGatewayProxyRequest = serde_json::from_str(&event).unwrap();
    assert_eq!(event.path_parameters["id"], "7");
    assert_eq!(event.body.as_deref(), Some("/w=="));
    let context = event.request_context;
    assert_eq!(context.path.as_deref(), Some("/dev/x"));
    assert_eq!(context.domain_name.as_deref(), Some("bank.test"));
    assert_eq!(context.identity.source_ip.as_deref(), Some("192.0.2.7"));
    assert_eq!(context.authorizer.fields["principalId"], "me");
}
