//! The life of an environment: its start, and what becomes of it when a call goes wrong.

use std::{fs, net::TcpListener};

use serde_json::{Value, json};

use super::rie::Emulated;
use crate::{
    bank::people::{ROOT, arguments},
    support::until,
};

/// A call of this path, made of one that was recorded.
fn get(path: &str) -> Value {
    let event = format!("{ROOT}/functions/docs/events/health.json");
    let mut event: Value = serde_json::from_str(&fs::read_to_string(event).unwrap()).unwrap();
    for place in ["/resource", "/path", "/requestContext/resourcePath"] {
        *event.pointer_mut(place).unwrap() = json!(path);
    }
    event
}

/// The function that does what the path says.
async fn careless(timeout_secs: u64) -> Emulated {
    let template = format!("--template={ROOT}/local/tests/careless.yaml");
    Emulated::start_with(&[template], "careless", timeout_secs).await
}

async fn assert_works(function: &mut Emulated) {
    let answer = function.invoke(&get("/fine")).await.json();
    assert_eq!((&answer["statusCode"], &answer["body"]), (&json!(200), &json!("{}")));
}

#[tokio::test]
async fn a_function_starts_with_its_first_call_and_stays() {
    let mut docs = Emulated::start(&arguments("postgres://bank@127.0.0.1:1/nowhere"), "docs").await;
    assert_eq!(docs.function_pid(), None);
    let mut pids = Vec::new();
    for _ in 0..2 {
        assert_eq!(docs.invoke(&get("/healthz")).await.json()["statusCode"], 200);
        pids.push(docs.function_pid().unwrap());
    }
    assert_eq!(pids[0], pids[1]);
    until(|| docs.log().matches("REPORT RequestId: ").count() == 2).await;
    let log = docs.log();
    assert_eq!(log.matches("INIT REPORT(").count(), 1, "{log}");
    assert!(log.contains(r#""cold_start":true"#) && log.contains(r#""cold_start":false"#), "{log}");
}

/// A function does not wait for its database to be started, nor to be answered.
#[tokio::test]
async fn a_database_that_says_nothing_does_not_use_a_call_up() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://bank@{}/silent", silent.local_addr().unwrap());
    let mut login = Emulated::start(&arguments(&url), "login").await;
    let event = format!("{ROOT}/functions/login/events/log_in.json");
    let event = serde_json::from_str(&fs::read_to_string(event).unwrap()).unwrap();
    let answer = login.invoke(&event).await.json();
    assert_eq!(answer["statusCode"], 503, "{answer}");
    let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["code"], "unavailable");
}

#[tokio::test]
async fn a_call_that_takes_too_long_costs_the_process_and_no_other_call() {
    let mut careless = careless(1).await;
    assert_works(&mut careless).await;
    let first = careless.function_pid().unwrap();
    let answer = careless.invoke(&get("/hang")).await;
    assert!(answer.body.contains("Task timed out after 1.00 seconds"), "{answer:?}");
    assert_works(&mut careless).await;
    assert_ne!(careless.function_pid().unwrap(), first);
}

/// It is an answer of the function's own: a release that aborts would end the process.
#[tokio::test]
async fn a_panic_costs_neither_the_process_nor_another_call() {
    let mut careless = careless(5).await;
    assert_works(&mut careless).await;
    let first = careless.function_pid().unwrap();
    let answer = careless.invoke(&get("/panic")).await.json();
    assert_eq!(answer["statusCode"], 500, "{answer}");
    let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["code"], "internal");
    assert_works(&mut careless).await;
    assert_eq!(careless.function_pid().unwrap(), first);
}

#[tokio::test]
async fn a_process_that_ends_is_replaced() {
    let mut careless = careless(5).await;
    assert_works(&mut careless).await;
    let first = careless.function_pid().unwrap();
    let answer = careless.invoke(&get("/exit")).await;
    assert_eq!(answer.status, 502, "{answer:?}");
    assert!(answer.body.contains("Runtime.ExitError"), "{answer:?}");
    assert_works(&mut careless).await;
    assert_ne!(careless.function_pid().unwrap(), first);
}
