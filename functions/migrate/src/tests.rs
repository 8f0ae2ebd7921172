use std::{future::pending, time::Duration};

use serde_json::{Value, json};
use shared::{
    config::{DatabaseConfig, MigrationConfig},
    store::postgres::migrations::{Direction, schemas},
};

use crate::{
    event::Event,
    handler::{Command, handle},
    resource::{Answer, RequestType, ResourceRequest, bounded, direction, work},
};

const CREATE: &str = include_str!("../events/create.json");
const UPDATE: &str = include_str!("../events/update.json");
const DELETE: &str = include_str!("../events/delete.json");

/// A database that nobody listens at.
fn nowhere() -> MigrationConfig {
    let url = "postgres://nobody@localhost:1/none".to_owned();
    let owner =
        DatabaseConfig { url, secret: None, ca_file: None, allow_unsafe: false, connections: None };
    MigrationConfig { owner, application_secret: None }
}

fn request(event: &str) -> ResourceRequest {
    serde_json::from_str(event).unwrap()
}

#[test]
fn only_four_actions_are_known() {
    for event in [
        json!({ "action": "up" }),
        json!({ "action": "down" }),
        json!({ "action": "status" }),
        json!({ "action": "grant_role", "username": "alice", "role": "banker", "operator": "o" }),
    ] {
        assert!(serde_json::from_value::<Command>(event.clone()).is_ok(), "{event}");
        let event = serde_json::from_value(event).unwrap();
        assert!(matches!(event, Event::Command(_)), "{event:?}");
    }
    for event in [
        json!({}),
        json!({ "action": "UP" }),
        json!({ "action": "drop" }),
        json!({ "action": "up", "force": true }),
        json!("up"),
        json!({ "action": "grant_role", "username": "alice", "role": "banker" }),
        json!({ "action": "grant_role", "username": "alice", "role": "b", "operator": "o", "x": 1 }),
    ] {
        assert!(serde_json::from_value::<Command>(event.clone()).is_err(), "{event}");
        assert!(serde_json::from_value::<Event>(event.clone()).is_err(), "{event}");
    }
}

#[tokio::test]
async fn a_grant_that_is_none_reaches_no_database() {
    for (username, role, operator, refused) in [
        ("Alice", "banker", "olga", "username"),
        ("alice", "root", "olga", "role"),
        ("alice", "banker", " ", "operator"),
        ("alice", "banker", "ol\nga", "operator"),
    ] {
        let event = json!({
            "action": "grant_role", "username": username, "role": role, "operator": operator,
        });
        let command = serde_json::from_value(event).unwrap();
        let error = handle(&nowhere(), command).await.unwrap_err().to_string();
        assert!(error.starts_with(refused), "{error}");
    }
}

#[test]
fn what_has_a_request_type_comes_from_cloudformation() {
    let rollback = CREATE.replace(r#""Create""#, r#""Rollback""#);
    for (event, expected) in [
        (CREATE, RequestType::Create),
        (UPDATE, RequestType::Update),
        (DELETE, RequestType::Delete),
        (&rollback, RequestType::Unknown),
    ] {
        let Event::Resource(request) = serde_json::from_str(event).unwrap() else {
            panic!("{event}")
        };
        assert_eq!(request.request_type, expected);
        let shown = format!("{request:?}");
        assert!(!shown.contains("X-Amz"), "{shown}");
    }
}

#[tokio::test]
async fn what_asks_for_nothing_reaches_no_database() {
    work(&nowhere(), &request(DELETE)).await.unwrap();
    let mut event: Value = serde_json::from_str(CREATE).unwrap();
    for (properties, refused) in [
        (Value::Null, "the property Schema"),
        (json!([]), "the property Schema"),
        (json!({}), "the property Schema"),
        (json!({ "Schema": 1 }), "the property Schema"),
        (json!({ "Schema": "" }), "the template and this function"),
        (json!({ "Schema": "0".repeat(64) }), "the template and this function"),
    ] {
        event["ResourceProperties"] = properties;
        let error = work(&nowhere(), &request(&event.to_string())).await.unwrap_err().to_string();
        assert!(error.starts_with(refused), "{error}");
    }
    event.as_object_mut().unwrap().remove("ResourceProperties");
    let error = work(&nowhere(), &request(&event.to_string())).await.unwrap_err().to_string();
    assert_eq!(error, "the property Schema is missing");
    let unknown = request(&CREATE.replace(r#""Create""#, r#""Rollback""#));
    assert!(work(&nowhere(), &unknown).await.is_err());
    assert!(work(&nowhere(), &request(CREATE)).await.is_err(), "this one needs a database");
}

#[test]
fn only_the_newest_schema_moves_anything() {
    let mut known: Vec<String> = schemas().collect();
    assert_eq!(direction(&known.pop().unwrap()).unwrap(), Direction::Deploy);
    assert!(!known.is_empty());
    for earlier in known {
        assert_eq!(direction(&earlier).unwrap(), Direction::Stay);
        assert!(direction(&earlier.to_uppercase()).is_err());
    }
}

#[tokio::test(start_paused = true)]
async fn work_that_panics_or_never_ends_is_answered_for() {
    let second = Duration::from_secs(1);
    assert_eq!(bounded(second, async { Ok(1) }).await.unwrap(), 1);
    let panicked = bounded::<()>(second, async { panic!("on purpose") }).await.unwrap_err();
    assert!(panicked.to_string().starts_with("it panicked"), "{panicked}");
    let late = bounded::<()>(second, pending()).await.unwrap_err();
    assert!(late.to_string().starts_with("it took too long"), "{late}");
    let without_time = bounded::<()>(Duration::ZERO, pending()).await.unwrap_err();
    assert!(without_time.to_string().starts_with("it took too long"), "{without_time}");
}

#[test]
fn an_answer_says_whom_it_is_for_and_is_never_too_long() {
    let request = request(UPDATE);
    let answer = |error: Option<&str>| {
        let error = error.map(Into::into);
        serde_json::to_value(Answer::new(&request, error.as_ref())).unwrap()
    };
    let mut expected = json!({
        "Status": "SUCCESS",
        "PhysicalResourceId": "schema",
        "StackId": "arn:aws:cloudformation:eu-central-1:123456789012:\
                    stack/simplebank-dev/5f8a1b60-6a4f-11f1-9d5e-0a1b2c3d4e5f",
        "RequestId": "7b1c2f0e-9f0a-4c0e-8a4e-3f6f1f0b9c11",
        "LogicalResourceId": "Migrations",
    });
    assert_eq!(answer(None), expected);
    expected["Status"] = "FAILED".into();
    expected["Reason"] = "one line".into();
    assert_eq!(answer(Some("one\nline")), expected);
    for sign in ["a", "\"", "\\", "\u{1}", "é", "€", "🏦"] {
        let text = answer(Some(&sign.repeat(5_000))).to_string();
        assert!((900..3_000).contains(&text.len()), "{sign}: {}", text.len());
    }
}
