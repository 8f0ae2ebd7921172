//! Every event in `functions/*/events/` is sent to its function, in the order of a customer's life.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use shared::store::postgres::migrations::schemas;
use sqlx::{Connection, Executor, PgConnection};

use super::{functions, rie::Emulated};
use crate::bank::{
    migrations::{Address, SIGNED},
    people::{ROOT, SECRETS, arguments, empty_database, key},
};

/// The password of the recorded events.
const PASSWORD: &str = "seven tall cranes";

/// An event, the status of its answer if the function speaks HTTP, and what has to be in the answer: these
/// members, or this text.
struct Case(&'static str, Option<u16>, Value);

/// A task with the recorded number.
const ONE_TASK: &str = "INSERT INTO verify_emails (id, username, email, reason)
    SELECT 4711, username, email, 'resend' FROM users";
/// Her address is verified, and there is another account.
const SOMEBODY_TO_PAY: &[&str] = &[
    "UPDATE users SET is_email_verified = true",
    "INSERT INTO users (username, hashed_password, full_name, email)
     SELECT 'bob', hashed_password, 'Bob', 'bob@example.com' FROM users",
    "INSERT INTO accounts (owner, currency) VALUES ('bob', 'USD')",
];

/// Alice's life. Each act begins with what is done to the database, for want of others who do it.
fn acts() -> [(&'static [&'static str], Vec<Case>); 3] {
    let alice = json!({ "username": "alice" });
    let logged_in = json!({ "user": alice });
    let not_found = json!({ "code": "not_found" });
    let first = vec![
        Case("migrate/status", None, json!({ "version": 0 })),
        Case("migrate/create", None, json!({ "status": "SUCCESS" })),
        Case("migrate/up", None, json!({ "pending": [] })),
        Case("docs/page", Some(200), json!("<html")),
        Case("docs/asset", Some(200), json!("SwaggerUIBundle")),
        Case("docs/document", Some(200), json!({ "openapi": "3.1.0" })),
        Case("docs/health", Some(200), json!({ "status": "ok" })),
        Case("docs/health_v2", Some(200), json!({ "status": "ok" })),
        Case("create_user/sign_up", Some(201), alice.clone()),
        Case("create_user/sign_up_v2", Some(409), json!({ "code": "username_taken" })),
        Case("login/log_in_v2", Some(200), logged_in.clone()),
        Case("login/log_in", Some(200), logged_in.clone()),
        Case("authorizer/token", None, json!({ "principalId": "alice", "context": alice })),
        Case("renew_token/renew", Some(200), json!({})),
        Case("update_user/get", Some(200), alice),
        Case("update_user/patch", Some(200), json!({ "full_name": "Alice L." })),
        Case("migrate/grant_role", None, json!({ "role": "banker" })),
        Case("accounts/open", Some(201), json!({ "id": 1, "balance": 0 })),
        Case("accounts/deposit", Some(201), json!({ "entry": { "amount": 100 } })),
        Case("relay_outbox/every_minute", None, json!({ "published": 0, "pruned": 0 })),
    ];
    // Nobody plays SES.
    let failed = json!({ "itemIdentifier": "059f36b4-87a3-44ab-83d2-661975830a7d" });
    let second = vec![
        Case("send_verify_email/tasks", None, json!({ "batchItemFailures": [failed] })),
        Case("verify_email/show", Some(200), json!("<form")),
        Case("verify_email/verify", Some(404), not_found.clone()),
        Case("verify_email/verify_form", Some(404), json!("<html")),
    ];
    let (hers, other) = (json!({ "current": true }), json!({ "current": false }));
    let third = vec![
        Case("verify_email/resend", Some(202), json!("")),
        Case("accounts/withdraw", Some(201), json!({ "entry": { "amount": -100 } })),
        Case("accounts/deposit", Some(201), json!({ "entry": { "amount": 100 } })),
        Case("transfer/transfer", Some(201), json!({ "transfer": { "amount": 10 } })),
        Case("accounts/get", Some(200), json!({ "balance": 90 })),
        Case("accounts/list", Some(200), json!([{ "id": 1, "currency": "USD" }])),
        Case("accounts/entries", Some(200), json!({ "next_cursor": null })),
        Case("transfer/list", Some(200), json!({ "next_cursor": null })),
        // The deposit has this number.
        Case("transfer/get", Some(404), not_found.clone()),
        Case("verify/verify", None, json!({ "books_are_right": true, "breaches": {} })),
        Case("rpc/connect", Some(200), logged_in.clone()),
        Case("rpc/grpc_web", Some(200), json!("grpc-status: 0")),
        Case("rpc/v1_create_user", Some(409), json!({ "code": 6 })),
        Case("rpc/v1_login_user", Some(200), logged_in.clone()),
        Case("rpc/v1_update_user", Some(200), logged_in),
        Case("rpc/v1_verify_email", Some(404), json!({ "code": 5 })),
        // One for each log-in, the newest first; the second of them is hers.
        Case("sessions/list", Some(200), json!([other, other, other, hers, other])),
        Case("sessions/end", Some(404), not_found),
        Case("sessions/log_out", Some(204), json!("")),
        Case("migrate/update", None, json!({ "status": "SUCCESS" })),
        Case("migrate/delete", None, json!({ "status": "SUCCESS" })),
    ];
    [(&[], first), (&[ONE_TASK], second), (SOMEBODY_TO_PAY, third)]
}

/// Functions under emulators, started as they are called, and what one of them told that others are told.
struct Stage {
    arguments: Vec<String>,
    functions: BTreeMap<String, Emulated>,
    session: Value,
    /// Where `CloudFormation` is answered.
    address: Address,
}

impl Stage {
    async fn play(&mut self, Case(name, status, expected): Case) {
        let mut event = recorded(name);
        self.make_real(&mut event);
        let (function, _) = name.split_once('/').unwrap();
        let answer = self.function(function).await.invoke(&event).await.json();
        let body = match status {
            None => answer,
            Some(status) => {
                assert_eq!(answer["statusCode"], status, "{name}: {answer}");
                body(&answer)
            }
        };
        assert!(holds(&body, &expected), "{name}: {body} lacks {expected}");
        if name == "login/log_in" {
            self.session = body;
        }
    }

    async fn function(&mut self, name: &str) -> &mut Emulated {
        if !self.functions.contains_key(name) {
            let emulated = Emulated::start(&self.arguments, name).await;
            for secret in SECRETS.into_iter().chain([PASSWORD]) {
                emulated.keep_secret(secret);
            }
            self.functions.insert(name.to_owned(), emulated);
        }
        self.functions.get_mut(name).unwrap()
    }

    /// Puts what can be of use once only in place of what was recorded: session, tokens, keys, addresses.
    fn make_real(&self, event: &mut Value) {
        let bearer =
            format!("Bearer {}", self.session["access_token"].as_str().unwrap_or_default());
        let key = key();
        for (pointer, value) in [
            ("/requestContext/authorizer/session_id", &self.session["session_id"]),
            ("/authorizationToken", &json!(bearer)),
            ("/headers/authorization", &json!(bearer)),
            ("/multiValueHeaders/authorization/0", &json!(bearer)),
            ("/headers/idempotency-key", &json!(key)),
            ("/multiValueHeaders/idempotency-key/0", &json!(key)),
            ("/ResponseURL", &json!(format!("{}{SIGNED}", self.address.url))),
            ("/ResourceProperties/Schema", &json!(schemas().last())),
        ] {
            if let Some(place) = event.pointer_mut(pointer) {
                *place = value.clone();
            }
        }
        if event["resource"] == "/tokens/renew_access" {
            let body = json!({ "refresh_token": self.session["refresh_token"] });
            event["body"] = json!(body.to_string());
        }
    }
}

fn recorded(name: &str) -> Value {
    let (function, event) = name.split_once('/').unwrap();
    let path = format!("{ROOT}/functions/{function}/events/{event}.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The body of an answer over HTTP: JSON if it is, else its text.
fn body(answer: &Value) -> Value {
    let body = answer["body"].as_str().unwrap_or_default();
    let bytes = if answer["isBase64Encoded"] == true {
        STANDARD.decode(body).unwrap()
    } else {
        body.as_bytes().to_vec()
    };
    let text = String::from_utf8_lossy(&bytes).into_owned();
    serde_json::from_str(&text).unwrap_or(json!(text))
}

/// Whether everything that is expected is there.
fn holds(actual: &Value, expected: &Value) -> bool {
    match (actual, expected) {
        (Value::Object(actual), Value::Object(expected)) => expected
            .iter()
            .all(|(name, value)| actual.get(name).is_some_and(|actual| holds(actual, value))),
        (Value::Array(actual), Value::Array(expected)) => {
            actual.len() == expected.len()
                && actual.iter().zip(expected).all(|(actual, expected)| holds(actual, expected))
        }
        (Value::String(actual), Value::String(expected)) => actual.contains(expected.as_str()),
        (actual, expected) => actual == expected,
    }
}

#[tokio::test]
async fn every_recorded_event_is_answered_as_it_should_be() {
    let database_url = empty_database().await;
    let mut stage = Stage {
        arguments: arguments(&database_url),
        functions: BTreeMap::new(),
        session: Value::Null,
        address: Address::start(&[]).await,
    };
    for (statements, cases) in acts() {
        let mut database = PgConnection::connect(&database_url).await.unwrap();
        for statement in statements {
            database.execute(*statement).await.unwrap();
        }
        for case in cases {
            stage.play(case).await;
        }
    }
}

/// A new function, or a new event of an old one, has to be tried as well.
#[test]
fn every_recorded_event_has_a_case() {
    let mut recorded = BTreeSet::new();
    for function in functions() {
        let folder = Path::new(ROOT).join("functions").join(&function).join("events");
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            recorded.insert(format!("{function}/{}", path.file_stem().unwrap().to_str().unwrap()));
        }
    }
    let cases = acts().into_iter().flat_map(|(_, cases)| cases);
    assert_eq!(recorded, cases.map(|case| case.0.to_owned()).collect());
}
