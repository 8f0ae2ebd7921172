//! What holds for every call: who is let in, what is answered for, what is said again.

use proto::DESCRIPTOR_SET;
use serde_json::{Value, json};
use shared::{
    domain::{EntryKind, Keyed, Refusal},
    store::StoreError,
    testing::{MockStore, outcome_unknown, posted},
};

use super::{Bank, connect, sign_up};

/// Every method of the service, as the contract has them.
fn methods() -> Vec<String> {
    let set = buffa_descriptor::DescriptorPool::decode(DESCRIPTOR_SET).unwrap();
    let service = set.service_by_name("simplebank.v1.SimpleBank").unwrap();
    service.methods().iter().map(|method| method.name().to_owned()).collect()
}

#[tokio::test]
async fn nobody_is_let_in_without_a_token_but_where_anybody_is() {
    let open = ["CreateUser", "LoginUser", "RenewAccess", "VerifyEmail"];
    let methods = methods();
    assert_eq!(methods.len(), 19);
    for method in &methods {
        // A store that is asked anything panics, which is answered by `internal`.
        let bank = Bank::new(MockStore::new());
        for (name, token) in [
            ("none", None),
            ("no scheme", Some("v4.public.none".to_owned())),
            ("another scheme", Some("Basic YWxpY2U6".to_owned())),
            ("no token of ours", Some("Bearer v4.public.none".to_owned())),
            ("an expired token", Some(bank.bearer("alice", -60))),
            ("another bank's", Some(Bank::new(MockStore::new()).bearer("alice", 600))),
        ] {
            let event = connect(method).json(&json!({}));
            let event = match token {
                Some(token) => event.header("authorization", &token),
                None => event,
            };
            let answer = bank.send(event, None).await;
            let is_open = open.contains(&method.as_str());
            let expected = match method.as_str() {
                // There is nothing else to be wrong.
                "RenewAccess" => "unauthenticated",
                _ if is_open => "invalid_argument",
                _ => "unauthenticated",
            };
            assert_eq!(answer.code(), expected, "{method}, {name}: {}", answer.body);
            if expected == "unauthenticated" {
                assert!(answer.headers["www-authenticate"].to_str().unwrap().starts_with("Bearer"));
            }
        }
    }
}

fn deposit(key: &str) -> shared::testing::Event {
    let event = connect("Deposit").json(&json!({ "accountId": "1", "amount": 10 }));
    event.header("idempotency-key", key)
}

#[tokio::test]
async fn a_replay_says_so() {
    let cases: [fn() -> Keyed<shared::domain::Posting>; 2] = [
        || Keyed { is_replay: true, ..posted(1, "alice", 0, 10, EntryKind::Deposit) },
        || Keyed { outcome: Err(Refusal::BalanceLimit), is_replay: true },
    ];
    for (keyed, code) in cases.into_iter().zip(["ok", "failed_precondition"]) {
        let mut store = MockStore::new();
        store.expect_move_money().once().returning(move |_, key, _| {
            assert_eq!(key.as_str(), "0123456789abcdef");
            Ok(keyed())
        });
        let answer = Bank::new(store).send(deposit("0123456789abcdef"), Some("alice")).await;
        assert_eq!(answer.code(), code);
        assert_eq!(answer.headers["idempotent-replayed"], "true");
    }
}

#[tokio::test]
async fn a_key_is_needed_and_has_a_shape() {
    for key in [None, Some("short")] {
        let bank = Bank::new(MockStore::new());
        let event = match key {
            Some(key) => deposit(key),
            None => connect("Deposit").json(&json!({ "accountId": "1", "amount": 10 })),
        };
        let answer = bank.send(event, Some("alice")).await;
        assert_eq!(answer.code(), "invalid_argument");
        assert_eq!(answer.details(), ["google.rpc.BadRequest", "google.rpc.ErrorInfo"]);
    }
}

/// An account that stands in a path over HTTP, where a bad one is not found, is a field like the others here.
#[tokio::test]
async fn every_bad_field_is_named() {
    let lists = json!({ "accountId": "-1", "limit": 101, "cursor": "x" });
    for (method, message, fields) in [
        ("ListEntries", lists.clone(), ["account_id", "limit", "cursor"].as_slice()),
        ("ListEntries", json!({ "limit": 0 }), &["account_id", "limit"]),
        ("ListTransfers", lists, &["account_id", "limit", "cursor"]),
        ("Deposit", json!({ "accountId": "-1" }), &["account_id", "amount"]),
        ("Withdraw", json!({ "accountId": "0", "amount": "-1" }), &["account_id", "amount"]),
    ] {
        let event = connect(method).json(&message).header("idempotency-key", "0123456789abcdef");
        let answer = Bank::new(MockStore::new()).send(event, Some("alice")).await;
        assert_eq!(answer.code(), "invalid_argument", "{method} {message}");
        assert_eq!(answer.fields(), fields, "{method} {message}");
    }
}

#[tokio::test]
async fn a_panic_is_answered_for() {
    let mut store = MockStore::new();
    store.expect_list_sessions().returning(|_| panic!("on purpose"));
    let bank = Bank::new(store);
    for _ in 0..2 {
        let answer = bank.call("ListSessions", &json!({}), Some("alice")).await;
        assert_eq!((answer.status, answer.code()), (500, "internal"));
        assert!(!answer.body.to_string().contains("on purpose"));
    }
}

#[tokio::test]
async fn an_unknown_outcome_is_unavailable_and_says_when_to_come_back() {
    let mut store = MockStore::new();
    store.expect_move_money().once().returning(|_, _, _| Err(outcome_unknown()));
    let answer = Bank::new(store).send(deposit("0123456789abcdef"), Some("alice")).await;
    assert_eq!((answer.status, answer.code()), (503, "unavailable"));
    assert_eq!(answer.details(), ["google.rpc.RetryInfo", "google.rpc.ErrorInfo"]);
    assert_eq!(answer.headers["retry-after"], "1");
}

/// None of it comes from a driver, and none of it is the value that was sent.
#[tokio::test]
async fn errors_tell_nothing() {
    let mut store = MockStore::new();
    store
        .expect_create_user()
        .once()
        .returning(|_| Err(StoreError::Inconsistent { table: "users", column: "role" }));
    let answer = Bank::new(store).call("CreateUser", &sign_up(), None).await;
    assert_eq!(answer.code(), "internal");
    assert_eq!(answer.body["message"], "Something went wrong on our side.");
    assert_eq!(answer.body["details"].as_array().map(Vec::len), Some(1));
    assert_ne!(answer.body, Value::Null);
}
