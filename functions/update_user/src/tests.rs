use std::time::Duration;

use serde_json::{Value, json};
use shared::{
    auth::PasswordHasher,
    bank::Prover,
    domain::{AttemptLimits, Password, Proof, User, VerificationId},
    store::{StoreError, Unique},
    testing::{
        Event, MockStore, MockTaskQueue, StoreFailure, caller, clock, credentials, defect,
        outcome_unknown, queue_for, send, unavailable, unpublished, user,
    },
};

use crate::handler::{App, route};

const PASSWORD: &str = "correct horse battery staple";
const LIMITS: AttemptLimits = AttemptLimits { by_name: 5, by_address: 20 };

const TASK: VerificationId = VerificationId(4711);

fn app(store: MockStore) -> App {
    with_queue(store, MockTaskQueue::new())
}

fn with_queue(store: MockStore, queue: MockTaskQueue) -> App {
    let prover = Prover { passwords: PasswordHasher::new().unwrap(), limits: LIMITS };
    App { store: Box::new(store), queue: Box::new(queue), clock: Box::new(clock()), prover }
}

fn get(username: &str) -> Event {
    Event::new("GET /users/{username}").path("username", username)
}

fn patch(username: &str, body: &Value) -> Event {
    Event::new("PATCH /users/{username}").path("username", username).json(body)
}

async fn own_proof() -> Proof {
    let passwords = PasswordHasher::new().unwrap();
    let hash = passwords.hash(Password::offer(PASSWORD).unwrap()).await.unwrap();
    Proof { credentials: Some(credentials("alice", &hash)), locked_for: None }
}

#[tokio::test]
async fn a_user_is_shown_without_secrets() {
    let mut store = MockStore::new();
    store
        .expect_get_user()
        .once()
        .withf(|who, name| *who == caller("alice") && name.as_str() == "alice")
        .returning(|_, _| Ok(user("alice")));
    let answer = send(app(store), route, get("alice").signed_in("alice")).await;
    assert_eq!(answer.status, 200);
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
async fn a_name_is_changed_without_the_password_by_its_owner_or_a_banker() {
    for who in ["alice", "banker"] {
        let mut store = MockStore::new();
        store
            .expect_change_user()
            .once()
            .withf(move |by, name, changes| {
                by.username.as_str() == who
                    && name.as_str() == "alice"
                    && changes.full_name.as_ref().is_some_and(|name| name.as_str() == "Alice L.")
                    && changes.email.is_none()
                    && changes.hashed_password.is_none()
                    && changes.proven_changed_at.is_none()
            })
            .returning(|_, _, _| Ok((user("alice"), None)));
        let event = patch("alice", &json!({ "full_name": "Alice L." })).signed_in(who);
        assert_eq!(send(app(store), route, event).await.status, 200);
    }
}

#[tokio::test]
async fn address_and_password_are_changed_by_whoever_has_the_present_password() {
    let proof = own_proof().await;
    let mut store = MockStore::new();
    store
        .expect_find_own_proof()
        .once()
        .withf(|who, attempt| *who == caller("alice") && attempt.address == "192.0.2.1")
        .returning(move |_, _| Ok(proof.clone()));
    store
        .expect_change_user()
        .once()
        .withf(|_, _, changes| {
            changes.email.as_ref().is_some_and(|email| email.as_str() == "new@example.com")
                && changes
                    .hashed_password
                    .as_ref()
                    .is_some_and(|hash| hash.starts_with("$argon2id$"))
                && changes.proven_changed_at == Some(clock().0)
        })
        .returning(|_, _, _| Ok((user("alice"), Some(TASK))));
    store.expect_mark_published().once().withf(|ids| ids == [TASK]).returning(|_| Ok(()));
    let body = json!({
        "email": "new@example.com",
        "password": "another horse, another staple",
        "current_password": PASSWORD,
    });
    let event = patch("alice", &body).signed_in("alice");
    let answer = send(with_queue(store, queue_for(TASK)), route, event).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[tokio::test]
async fn a_new_address_stands_though_the_queue_fails() {
    let proof = own_proof().await;
    let mut store = MockStore::new();
    store.expect_find_own_proof().once().returning(move |_, _| Ok(proof.clone()));
    store.expect_change_user().once().returning(|_, _, _| Ok((user("alice"), Some(TASK))));
    let mut queue = MockTaskQueue::new();
    queue.expect_publish().once().returning(|_| Err(unpublished()));
    let body = json!({ "email": "new@example.com", "current_password": PASSWORD });
    let event = patch("alice", &body).signed_in("alice");
    assert_eq!(send(with_queue(store, queue), route, event).await.status, 200);
}

#[tokio::test]
async fn a_wrong_present_password_is_counted() {
    let proof = own_proof().await;
    let mut store = MockStore::new();
    store.expect_find_own_proof().once().returning(move |_, _| Ok(proof.clone()));
    store
        .expect_count_failure()
        .once()
        .withf(|attempt, limits| attempt.username.as_str() == "alice" && *limits == LIMITS)
        .returning(|_, _| Ok(()));
    let body = json!({ "email": "new@example.com", "current_password": "battery staple" });
    let answer = send(app(store), route, patch("alice", &body).signed_in("alice")).await;
    assert_eq!((answer.status, answer.code()), (401, "invalid_credentials"));
}

#[tokio::test]
async fn while_the_name_is_locked_no_password_is_looked_at() {
    let mut store = MockStore::new();
    store.expect_find_own_proof().once().returning(|_, _| {
        let locked_for = Some(Duration::from_secs(17));
        Ok(Proof { credentials: Some(credentials("alice", "not even a hash")), locked_for })
    });
    let body = json!({ "password": "another horse", "current_password": PASSWORD });
    let answer = send(app(store), route, patch("alice", &body).signed_in("alice")).await;
    assert_eq!((answer.status, answer.code()), (429, "too_many_requests"));
    assert_eq!(answer.headers["retry-after"], "17");
}

#[tokio::test]
async fn what_needs_the_present_password_says_so() {
    for body in [json!({ "email": "new@example.com" }), json!({ "password": "another horse" })] {
        let event = patch("alice", &body).signed_in("alice");
        let answer = send(app(MockStore::new()), route, event).await;
        assert_eq!((answer.status, answer.code()), (400, "invalid_argument"));
        assert_eq!(answer.violated(), ["current_password"]);
    }
}

#[tokio::test]
async fn a_new_password_is_not_the_address_that_stays() {
    let proof = own_proof().await;
    let mut store = MockStore::new();
    store.expect_find_own_proof().once().returning(move |_, _| Ok(proof.clone()));
    let body = json!({ "password": "Alice@Example.com", "current_password": PASSWORD });
    let answer = send(app(store), route, patch("alice", &body).signed_in("alice")).await;
    assert_eq!((answer.status, answer.violated()), (400, vec!["password"]));
}

#[tokio::test]
async fn a_banker_changes_names_only_and_others_know_of_nobody() {
    type Found = fn() -> Result<User, StoreError>;
    let cases: Vec<(Found, u16, &str)> = vec![
        (|| Ok(user("alice")), 403, "permission_denied"),
        (|| Err(StoreError::NotFound), 404, "not_found"),
        (|| Err(StoreError::SessionEnded), 401, "session_ended"),
    ];
    for (found, status, code) in cases {
        for body in [json!({ "email": "new@example.com" }), json!({ "password": "another horse" })]
        {
            let mut store = MockStore::new();
            store.expect_get_user().once().returning(move |_, _| found());
            let answer = send(app(store), route, patch("alice", &body).signed_in("somebody")).await;
            assert_eq!((answer.status, answer.code()), (status, code));
        }
    }
}

#[tokio::test]
async fn bad_fields_are_all_named() {
    for (body, violated) in [
        (json!({ "full_name": "A\r\nBcc: x@y.co" }), vec!["full_name"]),
        (json!({ "full_name": null }), vec!["full_name"]),
        (json!({ "email": "invalid-email" }), vec!["email"]),
        (json!({ "password": "password" }), vec!["password"]),
        (json!({ "password": "alice" }), vec!["password"]),
        (json!({ "email": "abc@de.org", "password": "ABC@de.org" }), vec!["password"]),
        (json!({ "role": "banker", "username": "bob" }), vec!["role", "username"]),
        (json!({ "is_email_verified": true }), vec!["is_email_verified"]),
    ] {
        let event = patch("alice", &body).signed_in("alice");
        let answer = send(app(MockStore::new()), route, event).await;
        assert_eq!((answer.status, answer.violated()), (400, violated), "{body}");
    }
}

#[tokio::test]
async fn what_is_no_username_is_not_found() {
    for name in ["", "ab", "Alice", "a'--", "%00"] {
        for event in [get(name), patch(name, &json!({}))] {
            let answer = send(app(MockStore::new()), route, event.signed_in("alice")).await;
            assert_eq!((answer.status, answer.code()), (404, "not_found"), "{name}");
        }
    }
}

#[tokio::test]
async fn nobody_gets_in_without_a_token() {
    for event in [get("alice"), patch("alice", &json!({}))] {
        let answer = send(app(MockStore::new()), route, event.clone()).await;
        assert_eq!((answer.status, answer.code()), (401, "unauthenticated"));
        let answer = send(app(MockStore::new()), route, event.signed_in_for("alice", 0)).await;
        assert_eq!((answer.status, answer.code()), (401, "token_expired"));
    }
}

#[tokio::test]
async fn what_the_store_says_becomes_a_problem() {
    // The first so many of the routes can be told so: only one of them changes anything.
    let cases: Vec<(StoreFailure, u16, &str, usize)> = vec![
        (|| StoreError::SessionEnded, 401, "session_ended", 2),
        (|| StoreError::NotFound, 404, "not_found", 2),
        (|| StoreError::Taken(Unique::Email), 409, "email_taken", 1),
        (|| StoreError::ProofOutdated, 401, "invalid_credentials", 1),
        (|| StoreError::TooManyMails(Duration::from_secs(9)), 429, "too_many_requests", 1),
        (unavailable, 503, "unavailable", 2),
        (outcome_unknown, 503, "outcome_unknown", 2),
        (defect, 500, "internal", 2),
    ];
    for (error, status, code, routes) in cases {
        let events = [patch("alice", &json!({ "full_name": "A" })), get("alice")];
        for event in events.into_iter().take(routes) {
            let mut store = MockStore::new();
            store.expect_get_user().returning(move |_, _| Err(error()));
            store.expect_change_user().returning(move |_, _, _| Err(error()));
            let answer = send(app(store), route, event.signed_in("alice")).await;
            assert_eq!((answer.status, answer.code()), (status, code));
        }
    }
}
