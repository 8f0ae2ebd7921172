use serde_json::{Value, json};
use shared::{
    auth::PasswordHasher,
    domain::{Password, VerificationId},
    store::{StoreError, Unique},
    testing::{
        Event, MockStore, MockTaskQueue, StoreFailure, defect, queue_for, send, unavailable,
        unpublished, user,
    },
};

use crate::handler::{App, handle};

const PASSWORD: &str = "correct horse battery staple";

const TASK: VerificationId = VerificationId(4711);

fn app(store: MockStore) -> App {
    with_queue(store, MockTaskQueue::new())
}

fn with_queue(store: MockStore, queue: MockTaskQueue) -> App {
    let passwords = PasswordHasher::new().unwrap();
    App { store: Box::new(store), queue: Box::new(queue), passwords }
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
            Ok((user(new.username.as_str()), TASK))
        });
    store.expect_mark_published().once().withf(|ids| ids == [TASK]).returning(|_| Ok(()));

    let event = event(&body()).header("authorization", "none");
    let answer = send(with_queue(store, queue_for(TASK)), handle, event).await;

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
        Ok((user("alice"), TASK))
    });
    store.expect_mark_published().once().returning(|_| Ok(()));
    let answer = send(with_queue(store, queue_for(TASK)), handle, event(&body())).await;
    assert_eq!(answer.status, 201);
    let hash = receiver.recv().unwrap();
    let passwords = PasswordHasher::new().unwrap();
    assert!(passwords.verify(Password::offer(PASSWORD).unwrap(), Some(&hash)).await.unwrap());
}

/// The user is there, and so is the task: the relay will publish it.
#[tokio::test]
async fn a_queue_that_fails_is_no_reason_to_fail() {
    let created = || {
        let mut store = MockStore::new();
        store.expect_create_user().once().returning(|_| Ok((user("alice"), TASK)));
        store
    };
    let mut queue = MockTaskQueue::new();
    queue.expect_publish().once().returning(|_| Err(unpublished()));
    let answer = send(with_queue(created(), queue), handle, event(&body())).await;
    assert_eq!(answer.status, 201, "the queue is away");

    let mut queue = MockTaskQueue::new();
    queue.expect_publish().once().returning(|_| Ok(vec![]));
    let answer = send(with_queue(created(), queue), handle, event(&body())).await;
    assert_eq!(answer.status, 201, "the queue refuses the task");

    let mut store = created();
    store.expect_mark_published().once().returning(|_| Err(unavailable()));
    let answer = send(with_queue(store, queue_for(TASK)), handle, event(&body())).await;
    assert_eq!(answer.status, 201, "the database is away after the commit");
}

#[tokio::test]
async fn bad_fields_are_all_named_and_nothing_is_stored() {
    for (field, value) in [
        ("username", json!("invalid-user#1")),
        ("username", json!("ab")),
        ("username", json!("Alice")),
        ("username", json!("al\u{0}ice")),
        ("username", json!(7)),
        // serde_json's own mark, by which its `Value` would be what the text says.
        ("username", json!({ "$serde_json::private::RawValue": "\"alice\"" })),
        ("full_name", json!({ "$serde_json::private::RawValue": "broken" })),
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

    let thrice = event(&json!({})).text(r#"{"role":1,"role":2,"role":3}"#);
    let answer = send(app(MockStore::new()), handle, thrice).await;
    let once_for_each_reason = ["role", "username", "password", "full_name", "email", "role"];
    assert_eq!(answer.violated(), once_for_each_reason);

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
