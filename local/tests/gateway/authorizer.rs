//! Who is let through, and who is asked about it.

use reqwest::StatusCode;
use serde_json::Value;

use super::start;
use crate::support::Gateway;

async fn get(gateway: &Gateway, path: &str, token: &str) -> (StatusCode, Value) {
    let request = gateway.get(path).header("authorization", format!("Bearer {token}"));
    let response = request.send().await.unwrap();
    (response.status(), response.json().await.unwrap())
}

#[tokio::test]
async fn the_authorizer_decides_and_its_context_is_passed_on() {
    let gateway = start(&[]).await;
    let (status, echo) = get(&gateway, "/guarded/echo", "everything").await;
    assert_eq!(status, StatusCode::OK);
    let authorizer = &echo["event"]["requestContext"]["authorizer"];
    assert_eq!(authorizer["principalId"], "tester");
    assert_eq!(authorizer["asked"], "0");
    assert!(authorizer["integrationLatency"].is_u64());

    let (status, body) = get(&gateway, "/guarded/echo", "nothing").await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(body["reason"], "not today");
    assert_eq!(body["type"], "ACCESS_DENIED");
}

#[tokio::test]
async fn an_answer_is_remembered_and_its_policy_evaluated_anew() {
    let gateway = start(&[]).await;
    for _ in 0..2 {
        let (_, echo) = get(&gateway, "/guarded/echo", "this").await;
        assert_eq!(echo["event"]["requestContext"]["authorizer"]["asked"], "0");
    }
    // The remembered policy allows the first path only.
    let (status, _) = get(&gateway, "/guarded/other", "this").await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let (_, echo) = get(&gateway, "/guarded/echo", "everything").await;
    assert_eq!(echo["event"]["requestContext"]["authorizer"]["asked"], "1");
}

#[tokio::test]
async fn a_failing_authorizer_lets_nobody_through() {
    let gateway = start(&[]).await;
    let cases = [
        ("unknown", StatusCode::UNAUTHORIZED, Value::from("Unauthorized")),
        ("crash", StatusCode::INTERNAL_SERVER_ERROR, Value::Null),
        ("malformed", StatusCode::INTERNAL_SERVER_ERROR, Value::Null),
    ];
    for (token, expected, message) in cases {
        let (status, body) = get(&gateway, "/guarded/echo", token).await;
        assert_eq!(status, expected, "{token}");
        let shown = if status.is_client_error() { &body["refused"] } else { &body["message"] };
        assert_eq!(shown, &message, "{token}");
    }
}

#[tokio::test]
async fn what_is_no_token_is_refused_unasked() {
    let gateway = start(&[]).await;
    let requests = [
        gateway.get("/guarded/echo"),
        gateway.get("/guarded/echo").header("authorization", "Bearer EVERYTHING"),
        gateway.get("/guarded/echo").header("authorization", "Bearer everything!"),
        gateway
            .get("/guarded/echo")
            .header("authorization", "Bearer everything")
            .header("authorization", "Bearer everything"),
    ];
    for request in requests {
        assert_eq!(request.send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    }
    // The first that asks is the first that the authorizer hears of.
    let (_, echo) = get(&gateway, "/guarded/echo", "everything").await;
    assert_eq!(echo["event"]["requestContext"]["authorizer"]["asked"], "0");
}
