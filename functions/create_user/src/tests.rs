use serde_json::{Value, json};
use shared::{
    auth::PasswordHasher,
    domain::Password,
    store::{StoreError, Unique},
    testing::{Event, MockStore, StoreFailure, defect, send, unavailable, user},
};

use crate::handler::{App, handle};

const PASSWORD: &str = "correct horse battery staple";

fn app(store: MockStore) -> App {
    App { store: Box::new(store), passwords: PasswordHasher::new().unwrap() }
}

fn body() -> Value {
    json!({
        "username": "alice",
        "password": PASSWORD,
        "full_name": "Alice Liddell",
        "email": "alice@example.com",
    })
}

fn event(body: &Value) -> Event {
    Event::new("POST /users").json(body)
}

#[tokio::test]
async fn a_user_is_created_with_a_hash_of_the_password() {
    let mut store = MockStore::new();
    store
        .expect_create_user()
        .once()
        .withf(|new| {
            new.username.as_str() == "alice"
                && new.full_name.as_str() == "Alice Liddell"
                && new.email.as_str() == "alice@example.com"
                && new.hashed_password.starts_with("$argon2id$")
        })
        .returning(|new| {
            // Salts differ, so that the hash is checked by what it is for.
            assert!(!new.hashed_password.contains(PASSWORD));
            Ok(user(new.username.as_str()))
        });

    let answer = send(app(store), handle, event(&body()).header("authorization", "none")).await;

    assert_eq!(answer.status, 201);
    assert_eq!(
        answer.body,
        json!({
            "username": "alice",
            "full_name": "Alice Liddell",
            "email": "alice@example.com",
            "is_email_verified": false,
            "role": "depositor",
            "password_changed_at": "2027-01-15T08:00:00Z",
            "created_at": "2027-01-15T08:00:00Z",
        })
    );
}

#[tokio::test]
async fn the_stored_hash_verifies() {
    let (sender, receiver) = std::sync::mpsc::channel();
    let mut store = MockStore::new();
    store.expect_create_user().once().returning(move |new| {
        sender.send(new.hashed_password).unwrap();
        Ok(user("alice"))
    });
    let answer = send(app(store), handle, event(&body())).await;
    assert_eq!(answer.status, 201);
    let hash = receiver.recv().unwrap();
    let passwords = PasswordHasher::new().unwrap();
    assert!(passwords.verify(Password::offer(PASSWORD).unwrap(), Some(&hash)).await.unwrap());
}

#[tokio::test]
async fn bad_fields_are_all_named_and_nothing_is_stored() {
    for (field, value) in [
        ("username", json!("invalid-user#1")),
        ("username", json!("ab")),
        ("username", json!("Alice")),
        ("username", json!("al\u{0}ice")),
        ("username", json!(7)),
        ("email", json!("invalid-email")),
        ("email", json!("Alice <alice@example.com>")),
        ("email", json!("alice@example.com\r\nBcc: x@example.com")),
        ("full_name", json!("")),
        ("full_name", json!("Alice\r\nBcc: x@example.com")),
        ("full_name", json!("<a href=//evil.example>")),
        ("full_name", json!(null)),
        ("password", json!("123")),
        ("password", json!("password")),
        ("password", json!("alice@example.com")),
        ("password", json!("x".repeat(129))),
        ("role", json!("banker")),
        ("is_email_verified", json!(true)),
    ] {
        let mut body = body();
        body[field] = value;
        let answer = send(app(MockStore::new()), handle, event(&body)).await;
        assert_eq!((answer.status, answer.code()), (400, "invalid_argument"), "{body}");
        assert_eq!(answer.violated(), [field], "{body}");
    }

    let answer = send(app(MockStore::new()), handle, event(&json!({ "role": "banker" }))).await;
    assert_eq!(answer.violated(), ["username", "password", "full_name", "email", "role"]);
}

#[tokio::test]
async fn what_the_store_says_becomes_a_problem() {
    let cases: Vec<(StoreFailure, u16, &str)> = vec![
        (|| StoreError::Taken(Unique::Username), 409, "username_taken"),
        (|| StoreError::Taken(Unique::Email), 409, "email_taken"),
        (unavailable, 503, "unavailable"),
        (defect, 500, "internal"),
    ];
    for (error, status, code) in cases {
        let mut store = MockStore::new();
        store.expect_create_user().once().returning(move |_| Err(error()));
        let answer = send(app(store), handle, event(&body())).await;
        assert_eq!((answer.status, answer.code()), (status, code));
    }
}
