use std::time::Duration;

use serde_json::{Value, json};
use shared::{
    auth::{Keyring, RefreshToken, RenewalKeys, TokenFormat, TokenVerifier, VerificationKeys},
    bank::{AccessTokens, RenewalTools},
    domain::{Renewed, Session, SessionId},
    store::StoreError,
    testing::{
        Event, MockStore, StoreFailure, caller, clock, defect, outcome_unknown, send, unavailable,
    },
};
use uuid::Uuid;

use crate::handler::{App, handle};

const IDLE: Duration = Duration::from_hours(24);

fn renewal_keys() -> RenewalKeys {
    RenewalKeys::new([1; 32], Some([2; 32]))
}

fn app(store: MockStore) -> (App, TokenVerifier) {
    let keyring = Keyring::generate().unwrap();
    let public = VerificationKeys::parse(&keyring.public_keys().unwrap()).unwrap();
    let tools = RenewalTools {
        renewal_keys: renewal_keys(),
        access_tokens: AccessTokens {
            signer: keyring.signer(TokenFormat::Paseto, "dev"),
            clock: Box::new(clock()),
            ttl: Duration::from_mins(10),
        },
        idle: IDLE,
    };
    let app = App { store: Box::new(store), tools };
    (app, TokenVerifier::new(TokenFormat::Paseto, "dev", public))
}

fn event(body: &Value) -> Event {
    Event::new("POST /tokens/renew_access").json(body)
}

fn renewed(successor_hash: [u8; 32]) -> Renewed {
    let alice = caller("alice");
    let session = Session { id: alice.session_id, expires_at: clock().0 };
    Renewed { session, username: alice.username, successor_hash }
}

#[tokio::test]
async fn a_refresh_token_is_spent_for_its_successor() {
    let presented = RefreshToken::generate().unwrap();
    let (hash, successor) = (presented.hash(), renewal_keys().successor(&presented));
    let next = successor.hash();
    let mut store = MockStore::new();
    store
        .expect_renew_session()
        .once()
        .withf(move |spent, new, idle| *spent == hash && *new == next && *idle == IDLE)
        .returning(|_, new, _| Ok(renewed(new)));
    let (app, verifier) = app(store);

    let body = json!({ "refresh_token": presented.expose() });
    let answer = send(app, handle, event(&body).header("authorization", "none")).await;

    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.body["refresh_token"], successor.expose());
    assert_eq!(answer.body["access_token_expires_at"], "2027-01-15T08:10:00Z");
    assert_eq!(answer.body["refresh_token_expires_at"], "2027-01-15T08:00:00Z");
    assert_eq!(answer.body.as_object().unwrap().len(), 5);
    let token = answer.body["access_token"].as_str().unwrap();
    let holder = verifier.verify(token).unwrap().caller(clock().0).unwrap();
    assert_eq!(holder, caller("alice"));
    assert_eq!(answer.body["session_id"], holder.session_id.0.to_string());
}

/// A retry that comes just after the keys were rotated.
#[tokio::test]
async fn a_successor_of_the_key_before_is_given_again() {
    let presented = RefreshToken::generate().unwrap();
    let first = RenewalKeys::new([2; 32], None).successor(&presented);
    let hash = first.hash();
    let mut store = MockStore::new();
    store.expect_renew_session().once().returning(move |_, _, _| Ok(renewed(hash)));
    let body = json!({ "refresh_token": presented.expose() });
    let answer = send(app(store).0, handle, event(&body)).await;
    assert_eq!(answer.body["refresh_token"], first.expose());
}

/// Another environment has newer keys than this one.
#[tokio::test]
async fn a_successor_of_an_unknown_key_is_to_be_asked_for_again() {
    let presented = RefreshToken::generate().unwrap();
    let mut store = MockStore::new();
    store.expect_renew_session().once().returning(|_, _, _| Ok(renewed([9; 32])));
    let body = json!({ "refresh_token": presented.expose() });
    let answer = send(app(store).0, handle, event(&body)).await;
    assert_eq!((answer.status, answer.code()), (503, "unavailable"));
    assert_eq!(answer.headers["retry-after"], "1");
}

#[tokio::test]
async fn what_was_never_a_refresh_token_reaches_no_store() {
    for token in ["", "x", "v4.public.AAAA.BBBB", "eyJhbGciOiJub25lIn0.e30.", &"A".repeat(10_000)] {
        let body = json!({ "refresh_token": token });
        let answer = send(app(MockStore::new()).0, handle, event(&body)).await;
        assert_eq!((answer.status, answer.code()), (401, "invalid_token"), "{token}");
        assert_eq!(answer.headers["www-authenticate"], "Bearer error=\"invalid_token\"");
    }
}

#[tokio::test]
async fn bad_fields_are_named() {
    for (body, violated) in [
        (json!({}), vec!["refresh_token"]),
        (json!({ "refresh_token": null }), vec!["refresh_token"]),
        (json!({ "refresh_token": "x", "role": "banker" }), vec!["role"]),
    ] {
        let answer = send(app(MockStore::new()).0, handle, event(&body)).await;
        assert_eq!((answer.status, answer.code()), (400, "invalid_argument"), "{body}");
        assert_eq!(answer.violated(), violated, "{body}");
    }
}

#[tokio::test]
async fn what_the_store_says_becomes_a_problem() {
    let cases: Vec<(StoreFailure, u16, &str)> = vec![
        (|| StoreError::NotFound, 401, "invalid_token"),
        (|| StoreError::SessionEnded, 401, "session_ended"),
        (|| StoreError::TokenReused(SessionId(Uuid::nil())), 401, "session_ended"),
        (unavailable, 503, "unavailable"),
        (outcome_unknown, 503, "outcome_unknown"),
        (defect, 500, "internal"),
    ];
    for (error, status, code) in cases {
        let mut store = MockStore::new();
        store.expect_renew_session().once().returning(move |_, _, _| Err(error()));
        let body = json!({ "refresh_token": RefreshToken::generate().unwrap().expose() });
        let answer = send(app(store).0, handle, event(&body)).await;
        assert_eq!((answer.status, answer.code()), (status, code));
    }
}
