use serde_json::json;
use shared::{
    domain::{LiveSession, SessionId},
    store::StoreError,
    testing::{
        Event, MockStore, StoreFailure, caller, clock, defect, outcome_unknown, send, unavailable,
    },
};
use uuid::Uuid;

use crate::handler::{App, route};

const OTHER: Uuid = Uuid::from_u128(0x0ce4);

fn app(store: MockStore) -> App {
    App { store: Box::new(store), clock: Box::new(clock()) }
}

fn events() -> [Event; 3] {
    [
        Event::new("POST /users/logout"),
        Event::new("GET /sessions"),
        Event::new("DELETE /sessions/{id}").path("id", &OTHER.to_string()),
    ]
}

#[tokio::test]
async fn logging_out_ends_the_present_session() {
    let mut store = MockStore::new();
    store
        .expect_end_session()
        .once()
        .withf(|who, id| *who == caller("alice") && *id == who.session_id)
        .returning(|_, _| Ok(()));
    let [log_out, ..] = events();
    let answer = send(app(store), route, log_out.signed_in("alice")).await;
    assert_eq!((answer.status, answer.body.is_null()), (204, true));
}

#[tokio::test]
async fn a_user_sees_their_sessions() {
    let mut store = MockStore::new();
    store.expect_list_sessions().once().withf(|who| *who == caller("alice")).returning(|who| {
        let session = |id| LiveSession {
            id,
            user_agent: "tests/1.0".to_owned(),
            client_ip: "192.0.2.1".to_owned(),
            created_at: clock().0,
            expires_at: clock().0,
        };
        Ok(vec![session(who.session_id), session(SessionId(OTHER))])
    });
    let [_, list, _] = events();
    let answer = send(app(store), route, list.signed_in("alice")).await;
    assert_eq!(answer.status, 200);
    let session = |id: Uuid, current: bool| {
        json!({
            "id": id.to_string(),
            "user_agent": "tests/1.0",
            "client_ip": "192.0.2.1",
            "created_at": "2027-01-15T08:00:00Z",
            "expires_at": "2027-01-15T08:00:00Z",
            "current": current,
        })
    };
    let own = caller("alice").session_id.0;
    assert_eq!(answer.body, json!([session(own, true), session(OTHER, false)]));
}

#[tokio::test]
async fn a_user_ends_another_session_of_theirs() {
    let mut store = MockStore::new();
    store
        .expect_end_session()
        .once()
        .withf(|who, id| *who == caller("alice") && id.0 == OTHER)
        .returning(|_, _| Ok(()));
    let [.., end] = events();
    let answer = send(app(store), route, end.signed_in("alice")).await;
    assert_eq!((answer.status, answer.body.is_null()), (204, true));
}

#[tokio::test]
async fn what_is_no_sessions_number_is_not_found() {
    for id in ["", "1", "0CE4", "00000000-0000-0000-0000-00000000", &OTHER.simple().to_string()] {
        let event = Event::new("DELETE /sessions/{id}").path("id", id).signed_in("alice");
        let answer = send(app(MockStore::new()), route, event).await;
        assert_eq!((answer.status, answer.code()), (404, "not_found"), "{id}");
    }
}

#[tokio::test]
async fn nobody_gets_in_without_a_token() {
    for event in events() {
        let answer = send(app(MockStore::new()), route, event.clone()).await;
        assert_eq!((answer.status, answer.code()), (401, "unauthenticated"));
        let answer = send(app(MockStore::new()), route, event.signed_in_for("alice", 0)).await;
        assert_eq!((answer.status, answer.code()), (401, "token_expired"));
    }
}

#[tokio::test]
async fn what_the_store_says_becomes_a_problem() {
    // The last so many of the routes can be told so: only one of them names a session.
    let cases: Vec<(StoreFailure, u16, &str, usize)> = vec![
        (|| StoreError::SessionEnded, 401, "session_ended", 3),
        (|| StoreError::NotFound, 404, "not_found", 1),
        (unavailable, 503, "unavailable", 3),
        (outcome_unknown, 503, "outcome_unknown", 3),
        (defect, 500, "internal", 3),
    ];
    for (error, status, code, routes) in cases {
        for event in events().into_iter().rev().take(routes) {
            let mut store = MockStore::new();
            store.expect_end_session().returning(move |_, _| Err(error()));
            store.expect_list_sessions().returning(move |_| Err(error()));
            let answer = send(app(store), route, event.signed_in("alice")).await;
            assert_eq!((answer.status, answer.code()), (status, code));
        }
    }
}
