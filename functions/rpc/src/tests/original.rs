//! The original's tables for its four methods, over Connect and by its gateway's paths, with this
//! contract's codes.

use std::sync::{OnceLock, mpsc::channel};

use serde_json::{Value, json};
use shared::{
    domain::{Password, Proof, Session, UserChanges, VerificationId},
    store::{StoreError, Unique},
    testing::{
        Event, MockStore, MockTaskQueue, clock, credentials, defect, queue_for, unavailable, user,
    },
};

use super::{Bank, PASSWORD, passwords, sign_up};

const TASK: VerificationId = VerificationId(7);
/// By what the paths of the original's gateway are called, and the methods behind them.
const CREATE: (&str, &str) = ("POST /v1/create_user", "CreateUser");
const UPDATE: (&str, &str) = ("PATCH /v1/update_user", "UpdateUser");
const LOG_IN: (&str, &str) = ("POST /v1/login_user", "LoginUser");
const VERIFY: (&str, &str) = ("POST /v1/verify_email", "VerifyEmail");

/// One call and how it ends: Connect's code, and the number of the code with the gateway's status.
struct Case {
    name: &'static str,
    method: (&'static str, &'static str),
    message: Value,
    /// Whose token comes along, and for how many seconds it is good.
    caller: Option<(&'static str, i64)>,
    store: fn() -> MockStore,
    queue: fn() -> MockTaskQueue,
    code: &'static str,
    number: u64,
    status: u16,
}

async fn run(cases: Vec<Case>) {
    for case in cases {
        let (path, method) = case.method;
        for event in [super::connect(method), Event::new(path)] {
            let bank = Bank::with_queue((case.store)(), (case.queue)());
            let event = match case.caller {
                Some((name, secs)) => event.header("authorization", &bank.bearer(name, secs)),
                None => event,
            };
            let is_v1 = !format!("{event:?}").contains("SimpleBank");
            let answer = bank.send(event.json(&case.message), None).await;
            let text = format!("{}: {}", case.name, answer.body);
            if case.code == "ok" {
                assert_eq!(answer.status, 200, "{text}");
            } else if is_v1 {
                assert_eq!(answer.body["code"], case.number, "{text}");
                assert_eq!(answer.status, case.status, "{text}");
            } else {
                assert_eq!(answer.code(), case.code, "{text}");
            }
        }
    }
}

/// A case whose store and queue are not asked for anything.
fn untouched(
    name: &'static str,
    method: (&'static str, &'static str),
    message: Value,
    code: &'static str,
    number: u64,
    status: u16,
) -> Case {
    let (store, queue) = (MockStore::new, MockTaskQueue::new);
    Case { name, method, message, caller: None, store, queue, code, number, status }
}

fn with(mut message: Value, field: &str, value: impl Into<Value>) -> Value {
    message[field] = value.into();
    message
}

fn created() -> MockStore {
    let mut store = MockStore::new();
    store
        .expect_create_user()
        .once()
        .withf(|new| {
            new.username.as_str() == "alice"
                && new.full_name.as_str() == "Alice Liddell"
                && new.email.as_str() == "alice@example.com"
        })
        .returning(|_| Ok((user("alice"), TASK)));
    store.expect_mark_published().once().returning(|_| Ok(()));
    store
}

fn not_created(error: fn() -> StoreError) -> MockStore {
    let mut store = MockStore::new();
    store.expect_create_user().once().returning(move |_| Err(error()));
    store
}

#[tokio::test]
async fn create_user() {
    let case = |name, store, queue, code, number, status| Case {
        store,
        queue,
        ..untouched(name, CREATE, sign_up(), code, number, status)
    };
    run(vec![
        case("OK", created, || queue_for(TASK), "ok", 0, 200),
        case("a defect", || not_created(defect), MockTaskQueue::new, "internal", 13, 500),
        case(
            "no database",
            || not_created(unavailable),
            MockTaskQueue::new,
            "unavailable",
            14,
            503,
        ),
        case(
            "a name that is taken",
            || not_created(|| StoreError::Taken(Unique::Username)),
            MockTaskQueue::new,
            "already_exists",
            6,
            409,
        ),
        untouched(
            "a bad address",
            CREATE,
            with(sign_up(), "email", "invalid-email"),
            "invalid_argument",
            3,
            400,
        ),
    ])
    .await;
}

#[tokio::test]
async fn the_stored_hash_verifies() {
    let (sender, receiver) = channel();
    let mut store = MockStore::new();
    store.expect_create_user().once().returning(move |new| {
        sender.send(new.hashed_password).unwrap();
        Ok((user("alice"), TASK))
    });
    store.expect_mark_published().once().returning(|_| Ok(()));
    let answer =
        Bank::with_queue(store, queue_for(TASK)).call("CreateUser", &sign_up(), None).await;
    let hash = receiver.recv().unwrap();
    assert!(!answer.body.to_string().contains(&hash));
    let password = Password::offer(PASSWORD).unwrap();
    assert!(passwords().verify(password, Some(&hash)).await.unwrap());
}

fn renamed(by: &'static str) -> MockStore {
    let mut store = MockStore::new();
    store
        .expect_change_user()
        .once()
        .withf(move |caller, name, changes| {
            let UserChanges { full_name, email, hashed_password, .. } = changes;
            caller.username.as_str() == by
                && name.as_str() == "alice"
                && full_name.as_ref().is_some_and(|name| name.as_str() == "Alice L.")
                && email.is_none()
                && hashed_password.is_none()
        })
        .returning(|_, _, _| Ok((user("alice"), None)));
    store
}

fn not_renamed(error: fn() -> StoreError) -> MockStore {
    let mut store = MockStore::new();
    store.expect_change_user().once().returning(move |_, _, _| Err(error()));
    store
}

#[tokio::test]
async fn update_user() {
    let message = || json!({ "username": "alice", "full_name": "Alice L." });
    let case = |name, caller, store, code, number, status| Case {
        caller: Some((caller, 600)),
        store,
        ..untouched(name, UPDATE, message(), code, number, status)
    };
    run(vec![
        case("oneself", "alice", || renamed("alice"), "ok", 0, 200),
        case("a banker", "banker", || renamed("banker"), "ok", 0, 200),
        // Whoever is not the caller's to see is not there.
        case("another", "bob", || not_renamed(|| StoreError::NotFound), "not_found", 5, 404),
        case("nobody", "alice", || not_renamed(|| StoreError::NotFound), "not_found", 5, 404),
        case("a defect", "alice", || not_renamed(defect), "internal", 13, 500),
        case(
            "an ended session",
            "alice",
            || not_renamed(|| StoreError::SessionEnded),
            "unauthenticated",
            16,
            401,
        ),
        Case {
            caller: Some(("alice", 600)),
            ..untouched(
                "a bad address",
                UPDATE,
                with(message(), "email", "invalid-email"),
                "invalid_argument",
                3,
                400,
            )
        },
        Case {
            caller: Some(("alice", -60)),
            ..untouched("an expired token", UPDATE, message(), "unauthenticated", 16, 401)
        },
        untouched("no metadata", UPDATE, message(), "unauthenticated", 16, 401),
    ])
    .await;
}

/// Of alice's password.
static HASH: OnceLock<String> = OnceLock::new();

/// A log-in of alice; whether her password is what she offers is the message's business.
fn proven(begins: bool) -> MockStore {
    let mut store = MockStore::new();
    store.expect_find_proof().once().returning(|_| {
        let hash = HASH.get().unwrap();
        Ok(Proof { credentials: Some(credentials("alice", hash)), locked_for: None })
    });
    if begins {
        store
            .expect_begin_session()
            .once()
            .withf(|_, new| new.client_ip == "192.0.2.1" && new.user_agent == "tests/1.0")
            .returning(|_, new| Ok(Session { id: new.id, expires_at: clock().0 }));
    } else {
        store.expect_count_failure().once().returning(|_, _| Ok(()));
    }
    store
}

fn unknown() -> MockStore {
    let mut store = MockStore::new();
    let nobody = Proof { credentials: None, locked_for: None };
    store.expect_find_proof().once().returning(move |_| Ok(nobody.clone()));
    store.expect_count_failure().once().returning(|_, _| Ok(()));
    store
}

fn locked() -> MockStore {
    let mut store = MockStore::new();
    let locked_for = Some(std::time::Duration::from_secs(30));
    let locked = Proof { credentials: None, locked_for };
    store.expect_find_proof().once().returning(move |_| Ok(locked.clone()));
    store
}

#[tokio::test]
async fn login_user() {
    let hash = passwords().hash(Password::offer(PASSWORD).unwrap()).await.unwrap();
    HASH.set(hash).unwrap();
    let message = || json!({ "username": "alice", "password": PASSWORD });
    let wrong = || with(message(), "password", "not the password");
    let case = |name, message, store, code, number, status| Case {
        store,
        ..untouched(name, LOG_IN, message, code, number, status)
    };
    run(vec![
        case("OK", message(), || proven(true), "ok", 0, 200),
        case("a wrong password", wrong(), || proven(false), "unauthenticated", 16, 401),
        case("nobody", message(), unknown, "unauthenticated", 16, 401),
        case("too many failures", message(), locked, "resource_exhausted", 8, 429),
        untouched(
            "a bad name",
            LOG_IN,
            with(message(), "username", "A"),
            "invalid_argument",
            3,
            400,
        ),
    ])
    .await;
}

fn spent(result: fn() -> Result<(), StoreError>) -> MockStore {
    let mut store = MockStore::new();
    store
        .expect_spend_verification()
        .once()
        .withf(|id, _| *id == TASK)
        .returning(move |_, _| result());
    store
}

#[tokio::test]
async fn verify_email() {
    let message = || json!({ "email_id": 7, "secret_code": "0123456789abcdef".repeat(2) });
    let case = |name, message, store, code, number, status| Case {
        store,
        ..untouched(name, VERIFY, message, code, number, status)
    };
    run(vec![
        case("OK", message(), || spent(|| Ok(())), "ok", 0, 200),
        case(
            "a number as text",
            with(message(), "email_id", "7"),
            || spent(|| Ok(())),
            "ok",
            0,
            200,
        ),
        case(
            "a wrong code",
            message(),
            || spent(|| Err(StoreError::NotFound)),
            "not_found",
            5,
            404,
        ),
        case(
            "a spent code",
            message(),
            || spent(|| Err(StoreError::CodeSpent)),
            "failed_precondition",
            9,
            400,
        ),
        untouched(
            "no number",
            VERIFY,
            with(message(), "email_id", "seven"),
            "invalid_argument",
            3,
            400,
        ),
        untouched("nothing", VERIFY, json!({}), "invalid_argument", 3, 400),
    ])
    .await;
}

/// To the byte what the original's gateway said: which names, in which order, and what is left out.
#[tokio::test]
async fn the_gateways_json() {
    let bank = Bank::with_queue(created(), queue_for(TASK));
    let body = r#"{"username":"alice","fullName":"Alice Liddell","email":"alice@example.com",
        "password":"correct horse battery staple","unknown":[1,{}]}"#;
    let answer = bank
        .send(Event::new("POST /v1/create_user").bytes("text/plain", body.as_bytes()), None)
        .await;
    assert_eq!(
        String::from_utf8(answer.bytes).unwrap(),
        r#"{"user":{"username":"alice","full_name":"Alice Liddell","email":"alice@example.com","password_changed_at":"2027-01-15T08:00:00Z","created_at":"2027-01-15T08:00:00Z"}}"#
    );
    assert_eq!(answer.headers["content-type"], "application/json");

    let bank = Bank::new(MockStore::new());
    let answer = bank.send(Event::new("POST /v1/verify_email"), None).await;
    assert_eq!(
        String::from_utf8(answer.bytes).unwrap(),
        r#"{"code":3,"message":"invalid parameters","details":[{"@type":"type.googleapis.com/google.rpc.BadRequest","field_violations":[{"field":"email_id","description":"must be the number in the mail"},{"field":"secret_code","description":"must be the code in the mail, 32 of 0-9 and a-f"}]}]}"#
    );

    let answer = Bank::new(locked())
        .send(
            Event::new("POST /v1/login_user")
                .json(&json!({ "username": "alice", "password": PASSWORD })),
            None,
        )
        .await;
    assert_eq!(answer.headers["retry-after"], "30");
    assert_eq!(
        answer.body["details"],
        json!([{ "@type": "type.googleapis.com/google.rpc.RetryInfo", "retry_delay": "30s" }])
    );

    let answer = Bank::new(MockStore::new()).send(Event::new("PATCH /v1/update_user"), None).await;
    assert_eq!(answer.headers["www-authenticate"], "Bearer");
    assert_eq!(answer.body["code"], 16);
    assert_eq!(answer.body["details"], Value::Null);
}
