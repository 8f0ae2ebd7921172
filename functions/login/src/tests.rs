use std::time::Duration;

use serde_json::{Value, json};
use shared::{
    auth::{Keyring, PasswordHasher, TokenFormat, TokenVerifier, VerificationKeys},
    bank::{AccessTokens, LogInTools, Prover},
    domain::{AttemptLimits, Password, Proof, Session, SessionLimits},
    store::StoreError,
    testing::{
        Event, MockStore, StoreFailure, clock, credentials, defect, outcome_unknown, send,
        unavailable,
    },
};

use crate::handler::{App, handle};

const PASSWORD: &str = "correct horse battery staple";
const ATTEMPTS: AttemptLimits = AttemptLimits { by_name: 5, by_address: 20 };
const SESSIONS: SessionLimits =
    SessionLimits { idle: Duration::from_hours(24), life: Duration::from_hours(720) };

async fn hash() -> String {
    let passwords = PasswordHasher::new().unwrap();
    passwords.hash(Password::offer(PASSWORD).unwrap()).await.unwrap()
}

fn app(store: MockStore) -> (App, TokenVerifier) {
    let keyring = Keyring::generate().unwrap();
    let public = VerificationKeys::parse(&keyring.public_keys().unwrap()).unwrap();
    let tools = LogInTools {
        prover: Prover { passwords: PasswordHasher::new().unwrap(), limits: ATTEMPTS },
        access_tokens: AccessTokens {
            signer: keyring.signer(TokenFormat::Paseto, "dev"),
            clock: Box::new(clock()),
            ttl: Duration::from_mins(10),
        },
        session_limits: SESSIONS,
    };
    let app = App { store: Box::new(store), tools };
    (app, TokenVerifier::new(TokenFormat::Paseto, "dev", public))
}

/// What the store knows of alice.
fn known(hash: &str) -> Proof {
    Proof { credentials: Some(credentials("alice", hash)), locked_for: None }
}

const UNKNOWN: Proof = Proof { credentials: None, locked_for: None };

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
        .expect_find_proof()
        .once()
        .withf(|attempt| attempt.username.as_str() == "alice" && attempt.address == "192.0.2.1")
        .returning(move |_| Ok(known(&hash)));
    store
        .expect_begin_session()
        .once()
        .withf(|attempt, new| {
            attempt.username == new.username
                && new.username.as_str() == "alice"
                && new.proven_changed_at == clock().0
                && new.stronger_hash.is_none()
                && new.client_ip == "192.0.2.1"
                && new.user_agent == "tests/1.0"
                && new.limits == SESSIONS
        })
        .returning(|_, new| Ok(Session { id: new.id, expires_at: clock().0 }));
    let (app, verifier) = app(store);

    let forwarded = event(&body()).header("x-forwarded-for", "203.0.113.9");
    let answer = send(app, handle, forwarded.header("authorization", "none")).await;

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
    let store = |proof: Proof| {
        let mut store = MockStore::new();
        store.expect_find_proof().once().returning(move |_| Ok(proof.clone()));
        store
            .expect_count_failure()
            .once()
            .withf(|attempt, limits| attempt.username.as_str() == "alice" && *limits == ATTEMPTS)
            .returning(|_, _| Ok(()));
        store
    };

    let wrong = json!({ "username": "alice", "password": "battery staple" });
    let first = send(app(store(known(&hash))).0, handle, event(&wrong)).await;
    let second = send(app(store(UNKNOWN)).0, handle, event(&wrong)).await;

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
        let answer = send(app(MockStore::new()).0, handle, event(&body)).await;
        assert_eq!((answer.status, answer.code()), (400, "invalid_argument"), "{body}");
        assert_eq!(answer.violated(), violated, "{body}");
    }
}

#[tokio::test]
async fn while_locked_no_password_is_looked_at() {
    let mut store = MockStore::new();
    store.expect_find_proof().once().returning(|_| {
        let locked_for = Some(Duration::from_secs(30));
        Ok(Proof { locked_for, ..known("not even a hash") })
    });
    let answer = send(app(store).0, handle, event(&body())).await;
    assert_eq!((answer.status, answer.code()), (429, "too_many_requests"));
    assert_eq!(answer.headers["retry-after"], "30");
}

/// Of guesses side by side, those that come to an end after the lock are told nothing.
#[tokio::test]
async fn a_lock_that_fell_meanwhile_covers_right_and_wrong() {
    let hash = hash().await;
    for password in [PASSWORD, "battery staple"] {
        let hash = hash.clone();
        let mut store = MockStore::new();
        store.expect_find_proof().once().returning(move |_| Ok(known(&hash)));
        let locked = || StoreError::Locked(Duration::from_secs(30));
        store.expect_count_failure().returning(move |_, _| Err(locked()));
        store.expect_begin_session().returning(move |_, _| Err(locked()));
        let body = json!({ "username": "alice", "password": password });
        let answer = send(app(store).0, handle, event(&body)).await;
        assert_eq!((answer.status, answer.code()), (429, "too_many_requests"));
    }
}

#[tokio::test]
async fn a_password_that_was_hashed_weakly_is_hashed_anew() {
    let weak = PasswordHasher::with_cost(1_024, 1).unwrap();
    let weak = weak.hash(Password::offer(PASSWORD).unwrap()).await.unwrap();
    let mut store = MockStore::new();
    store.expect_find_proof().once().returning(move |_| Ok(known(&weak)));
    store
        .expect_begin_session()
        .once()
        .withf(|_, new| {
            new.stronger_hash.as_ref().is_some_and(|hash| {
                hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$") && !hash.contains(PASSWORD)
            })
        })
        .returning(|_, new| Ok(Session { id: new.id, expires_at: clock().0 }));
    assert_eq!(send(app(store).0, handle, event(&body())).await.status, 200);
}

#[tokio::test]
async fn what_the_store_says_becomes_a_problem() {
    let cases: Vec<(StoreFailure, u16, &str)> =
        vec![(unavailable, 503, "unavailable"), (defect, 500, "internal")];
    for (error, status, code) in cases {
        let mut store = MockStore::new();
        store.expect_find_proof().once().returning(move |_| Err(error()));
        let answer = send(app(store).0, handle, event(&body())).await;
        assert_eq!((answer.status, answer.code()), (status, code));
    }

    let hash = hash().await;
    let cases: Vec<(StoreFailure, u16, &str)> = vec![
        (|| StoreError::ProofOutdated, 401, "invalid_credentials"),
        (unavailable, 503, "unavailable"),
        (outcome_unknown, 503, "outcome_unknown"),
        (defect, 500, "internal"),
    ];
    for (error, status, code) in cases {
        let hash = hash.clone();
        let mut store = MockStore::new();
        store.expect_find_proof().once().returning(move |_| Ok(known(&hash)));
        store.expect_begin_session().once().returning(move |_, _| Err(error()));
        let answer = send(app(store).0, handle, event(&body())).await;
        assert_eq!((answer.status, answer.code()), (status, code));
    }
}
