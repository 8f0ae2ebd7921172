//! Requests and responses.

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::start;

#[tokio::test]
async fn a_function_is_told_everything_about_the_request() {
    let gateway = start(&[]).await;
    let request = gateway
        .request(Method::POST, "/files/a%20b/c?x=1&x=2&y=%C3%A4")
        .header("x-many", "first")
        .header("x-many", "second")
        .header("x-forwarded-for", "198.51.100.1")
        .header("user-agent", "tests")
        .body("hello");
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "application/json");
    let request_id = response.headers()["x-amzn-requestid"].clone();
    assert!(response.headers().contains_key("x-amz-apigw-id"));

    let echo: Value = response.json().await.unwrap();
    let event = &echo["event"];
    for (pointer, expected) in [
        ("/resource", json!("/files/{path+}")),
        ("/path", json!("/files/a%20b/c")),
        ("/httpMethod", json!("POST")),
        ("/headers/x-many", json!("second")),
        ("/multiValueHeaders/x-many", json!(["first", "second"])),
        ("/headers/x-forwarded-for", json!("198.51.100.1, 127.0.0.1")),
        ("/headers/x-forwarded-proto", json!("http")),
        ("/queryStringParameters", json!({"x": "2", "y": "ä"})),
        ("/multiValueQueryStringParameters", json!({"x": ["1", "2"], "y": ["ä"]})),
        ("/pathParameters", json!({"path": "a%20b/c"})),
        ("/stageVariables", Value::Null),
        ("/body", json!(STANDARD.encode("hello"))),
        ("/isBase64Encoded", json!(true)),
        ("/requestContext/accountId", json!("000000000000")),
        ("/requestContext/apiId", json!("local")),
        ("/requestContext/resourcePath", json!("/files/{path+}")),
        ("/requestContext/httpMethod", json!("POST")),
        ("/requestContext/path", json!("/test/files/a%20b/c")),
        ("/requestContext/protocol", json!("HTTP/1.1")),
        ("/requestContext/requestId", json!(request_id.to_str().unwrap())),
        ("/requestContext/stage", json!("test")),
        ("/requestContext/identity/sourceIp", json!("127.0.0.1")),
        ("/requestContext/identity/userAgent", json!("tests")),
        ("/requestContext/identity/user", Value::Null),
    ] {
        assert_eq!(event.pointer(pointer), Some(&expected), "{pointer}");
    }
    let port = gateway.url.rsplit(':').next().unwrap();
    assert_eq!(event["headers"]["x-forwarded-port"], port);
    assert!(event["headers"]["x-amzn-trace-id"].as_str().unwrap().starts_with("Root=1-"));
    let at_ms = event["requestContext"]["requestTimeEpoch"].as_u64().unwrap();
    let deadline_ms = echo["deadlineMs"].as_u64().unwrap();
    assert!(deadline_ms > at_ms && deadline_ms < at_ms + 60_000, "{at_ms} {deadline_ms}");
    assert_eq!(echo["arn"], "arn:aws:lambda:us-east-1:000000000000:function:fault");
}

#[tokio::test]
async fn a_process_sees_its_own_settings_and_nothing_else() {
    let gateway = start(&["--env", "EXTRA=more", "--env", "TZ=CET"]).await;
    let echo: Value = gateway.get("/open/echo").send().await.unwrap().json().await.unwrap();
    let environment = echo["env"].as_object().unwrap();
    for (name, expected) in [
        ("STAGE", "test"),
        ("SECRET", "s3!"),
        ("AWS_LAMBDA_FUNCTION_NAME", "fault"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"),
        ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
        ("AWS_REGION", "us-east-1"),
        ("TZ", "CET"),
        ("EXTRA", "more"),
    ] {
        assert_eq!(environment[name], expected, "{name}");
    }
    // Cargo sets these for every test.
    assert!(!environment.contains_key("CARGO_MANIFEST_DIR") && !environment.contains_key("HOME"));
}

#[tokio::test]
async fn every_byte_passes_both_ways() {
    let gateway = start(&[]).await;
    let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let request = gateway.request(Method::POST, "/open/bytes").body(bytes.clone());
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/octet-stream");
    assert_eq!(response.bytes().await.unwrap(), bytes);
}

#[tokio::test]
async fn a_body_has_a_limit() {
    let gateway = start(&[]).await;
    // More than API Gateway takes, and more than Lambda takes once it is written as base64.
    for bytes in [10 * 1024 * 1024 + 1, 5 * 1024 * 1024] {
        let request = gateway.request(Method::POST, "/open/bytes").body(vec![b'x'; bytes]);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(response.text().await.unwrap(), r#"{"refused":"Request Too Long"}"#);
    }
    let small = gateway.request(Method::POST, "/open/bytes").body(vec![b'x'; 4 * 1024 * 1024]);
    assert_eq!(small.send().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn what_has_no_route_is_refused() {
    let gateway = start(&[]).await;
    let cases = [
        (Method::GET, "/"),
        (Method::GET, "/nothing"),
        (Method::GET, "/open/echo/"),
        (Method::GET, "/open//echo"),
        (Method::GET, "/files/a"),
        (Method::HEAD, "/guarded/echo"),
        (Method::POST, "/guarded/echo"),
    ];
    for (method, path) in cases {
        let response = gateway.request(method.clone(), path).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::FORBIDDEN, "{method} {path}");
        if method != Method::HEAD {
            let body = response.text().await.unwrap();
            assert_eq!(body, r#"{"refused":"Missing Authentication Token"}"#);
        }
    }
}

#[tokio::test]
async fn a_failing_function_is_a_bad_gateway() {
    let gateway = start(&[]).await;
    for path in ["/open/fail", "/open/exit", "/open/malformed", "/open/flood", "/broken"] {
        let response = gateway.get(path).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::BAD_GATEWAY, "{path}");
        assert_eq!(response.text().await.unwrap(), r#"{"message":"Internal server error"}"#);
    }
    gateway.logged("Runtime exited with error: exit status: 3").await;
    gateway.logged("Runtime exited with error: exit status: 7").await;
    gateway.logged("Function.ResponseSizeTooLarge").await;
    let next = gateway.get("/open/echo").send().await.unwrap();
    assert_eq!(next.status(), StatusCode::OK);
}
