use std::time::Duration;

use serde_json::{Value, json};
use shared::{
    auth::{PasetoSigner, PasetoVerifier, PasswordHasher, TokenVerifier, generate_keys},
    bank::LogInTools,
    domain::{Password, Session},
    testing::{Event, MockStore, StoreFailure, clock, credentials, defect, send, unavailable},
};

use crate::handler::handle;

const PASSWORD: &str = "correct horse battery staple";

async fn hash() -> String {
    let passwords = PasswordHasher::new().unwrap();
    passwords.hash(Password::offer(PASSWORD).unwrap()).await.unwrap()
}

fn tools(store: MockStore) -> (LogInTools, PasetoVerifier) {
    let (secret, public) = generate_keys().unwrap();
    let tools = LogInTools {
        store: Box::new(store),
        passwords: PasswordHasher::new().unwrap(),
        signer: Box::new(PasetoSigner::new("dev", &secret).unwrap()),
        clock: Box::new(clock()),
        access_token_ttl: Duration::from_mins(10),
        refresh_token_ttl: Duration::from_hours(24),
    };
    (tools, PasetoVerifier::new("dev", &[public]).unwrap())
}

fn event(body: &Value) -> Event {
    Event::new("POST /users/login").json(body)
}

fn body() -> Value {
    json!({ "username": "alice", "password": PASSWORD })
}

#[tokio::test]
async fn the_right_password_begins_one_session() {
    let hash = hash().await;
    let mut store = MockStore::new();
    store
        .expect_find_credentials()
        .once()
        .withf(|username| username.as_str() == "alice")
        .returning(move |_| Ok(Some(credentials("alice", &hash))));
    store
        .expect_create_session()
        .once()
        .withf(|new| {
            new.username.as_str() == "alice"
                && new.client_ip == "192.0.2.1"
                && new.user_agent == "tests/1.0"
                && new.ttl == Duration::from_hours(24)
        })
        .returning(|new| Ok(Session { id: new.id, expires_at: clock().0 }));
    let (tools, verifier) = tools(store);

    let forwarded = event(&body()).header("x-forwarded-for", "203.0.113.9");
    let answer = send(tools, handle, forwarded.header("authorization", "none")).await;

    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.body["user"]["username"], "alice");
    assert_eq!(answer.body["access_token_expires_at"], "2027-01-15T08:10:00Z");
    assert_eq!(answer.body["refresh_token_expires_at"], "2027-01-15T08:00:00Z");
    assert!(!answer.body.to_string().contains("argon2"));

    let access_token = answer.body["access_token"].as_str().unwrap();
    let caller = verifier.verify(access_token).unwrap().caller(clock().0).unwrap();
    assert_eq!(caller.username.as_str(), "alice");
    assert_eq!(answer.body["session_id"], caller.session_id.0.to_string());

    let refresh_token = answer.body["refresh_token"].as_str().unwrap();
    assert_eq!(refresh_token.len(), 43, "256 bits in base64url");
    assert!(verifier.verify(refresh_token).is_err());
}

#[tokio::test]
async fn an_unknown_name_and_a_wrong_password_read_the_same() {
    let hash = hash().await;
    let mut known = MockStore::new();
    known.expect_find_credentials().returning(move |_| Ok(Some(credentials("alice", &hash))));
    let mut unknown = MockStore::new();
    unknown.expect_find_credentials().returning(|_| Ok(None));

    let wrong = json!({ "username": "alice", "password": "battery staple" });
    let first = send(tools(known).0, handle, event(&wrong)).await;
    let second = send(tools(unknown).0, handle, event(&wrong)).await;

    assert_eq!((first.status, first.code()), (401, "invalid_credentials"));
    assert_eq!(first.headers["www-authenticate"], "Bearer");
    assert_eq!((first.status, first.body), (second.status, second.body));
}

#[tokio::test]
async fn bad_fields_are_named() {
    for (body, violated) in [
        (json!({ "username": "invalid-user#1", "password": PASSWORD }), vec!["username"]),
        (json!({ "username": "alice", "password": "" }), vec!["password"]),
        (json!({ "username": "alice", "password": "x".repeat(129) }), vec!["password"]),
        (json!({ "username": "alice" }), vec!["password"]),
        (json!({}), vec!["username", "password"]),
        (json!({ "username": "alice", "password": PASSWORD, "otp": "1" }), vec!["otp"]),
    ] {
        let answer = send(tools(MockStore::new()).0, handle, event(&body)).await;
        assert_eq!((answer.status, answer.code()), (400, "invalid_argument"), "{body}");
        assert_eq!(answer.violated(), violated, "{body}");
    }
}

#[tokio::test]
async fn what_the_store_says_becomes_a_problem() {
    let cases: Vec<(StoreFailure, u16, &str)> =
        vec![(unavailable, 503, "unavailable"), (defect, 500, "internal")];
    for (error, status, code) in cases {
        let mut store = MockStore::new();
        store.expect_find_credentials().once().returning(move |_| Err(error()));
        let answer = send(tools(store).0, handle, event(&body())).await;
        assert_eq!((answer.status, answer.code()), (status, code));
    }
}
