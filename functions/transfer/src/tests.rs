use serde_json::{Value, json};
use shared::{
    domain::{AccountId, Currency, EntryKind, Keyed, Movement, NewTransfer, Refusal, TransferId},
    store::StoreError,
    testing::{
        Event, MockStore, StoreFailure, amount, app, caller, defect, outcome_unknown, posted, send,
        unavailable,
    },
};

use crate::handler::handle;

fn body() -> Value {
    json!({ "from_account_id": 1, "to_account_id": 2, "amount": 10, "currency": "USD" })
}

fn body_with(field: &str, value: Value) -> Value {
    let mut body = body();
    body[field] = value;
    body
}

fn event() -> Event {
    Event::new("POST /transfers").signed_in("alice").keyed()
}

fn store_that_fails(error: StoreFailure) -> MockStore {
    let mut store = MockStore::new();
    store.expect_move_money().once().returning(move |_, _, _| Err(error()));
    store
}

#[tokio::test]
async fn money_moves_and_the_recipient_stays_private() {
    let mut store = MockStore::new();
    store
        .expect_move_money()
        .once()
        .withf(|who, key, movement| {
            let expected = NewTransfer {
                from: AccountId(1),
                to: AccountId(2),
                amount: amount(10),
                currency: Currency::Usd,
            };
            *who == caller("alice")
                && key.as_str() == "0123456789abcdef"
                && *movement == Movement::Transfer(expected)
        })
        .returning(|_, _, _| Ok(posted(1, "alice", 100, -10, EntryKind::Transfer(TransferId(1)))));

    let answer = send(app(store), handle, event().json(&body())).await;

    assert_eq!(answer.status, 201);
    assert!(!answer.headers.contains_key("idempotent-replayed"));
    let at = "2027-01-15T08:00:00Z";
    assert_eq!(
        answer.body,
        json!({
            "transfer": {
                "id": 1, "from_account_id": 1, "to_account_id": 2, "amount": 10,
                "currency": "USD", "created_at": at,
            },
            "from_account": {
                "id": 1, "owner": "alice", "balance": 90, "currency": "USD", "created_at": at,
            },
            "from_entry": {
                "id": 1, "account_id": 1, "amount": -10, "balance_after": 90,
                "kind": "transfer", "transfer_id": 1, "created_at": at,
            },
        })
    );
}

/// The store is never asked in any of these cases: a mock without expectations would fail them.
#[tokio::test]
async fn bad_requests_leave_nothing_behind() {
    let keyless = Event::new("POST /transfers").signed_in("alice").json(&body());
    let anonymous = Event::new("POST /transfers").keyed().json(&body());
    let expired = Event::new("POST /transfers").signed_in_for("alice", 0).keyed().json(&body());
    let cases: Vec<(&str, Event, u16, &str, &[&str])> = vec![
        ("no token", anonymous, 401, "unauthenticated", &[]),
        ("expired token", expired, 401, "token_expired", &[]),
        ("no key", keyless.clone(), 400, "idempotency_key_missing", &[]),
        (
            "short key",
            keyless.header("idempotency-key", "short"),
            400,
            "invalid_argument",
            &["Idempotency-Key"],
        ),
        ("no body", event().text(""), 400, "malformed_request", &[]),
        ("array", event().text("[1,2,10,\"USD\"]"), 400, "malformed_request", &[]),
        ("text", event().text("\"transfer\""), 400, "malformed_request", &[]),
        ("cut off", event().text("{\"amount\": 10"), 400, "malformed_request", &[]),
        ("two objects", event().text("{}{}"), 400, "malformed_request", &[]),
        ("byte order mark", event().text("\u{feff}{}"), 400, "malformed_request", &[]),
        ("deep", event().text(&"[".repeat(15_000)), 400, "malformed_request", &[]),
        (
            "deep inside",
            event().text(&format!("{{\"a\":{}", "[".repeat(15_000))),
            400,
            "malformed_request",
            &[],
        ),
        (
            "too large",
            event().text(&" ".repeat(17 * 1024)),
            413,
            "payload_too_large",
            &[],
        ),
        (
            "form",
            event().json(&body()).header("content-type", "application/x-www-form-urlencoded"),
            415,
            "unsupported_media_type",
            &[],
        ),
        (
            "compressed",
            event().json(&body()).header("content-encoding", "gzip"),
            415,
            "unsupported_media_type",
            &[],
        ),
        (
            "empty object names every field",
            event().json(&json!({})),
            400,
            "invalid_argument",
            &["from_account_id", "to_account_id", "amount", "currency"],
        ),
        (
            "duplicate key",
            event().text(
                r#"{"from_account_id":1,"to_account_id":2,"amount":10,"amount":11,"currency":"USD"}"#,
            ),
            400,
            "invalid_argument",
            &["amount"],
        ),
        (
            "unknown key",
            event().json(&body_with("balance", json!(1))),
            400,
            "invalid_argument",
            &["balance"],
        ),
    ];
    for (name, event, status, code, violated) in cases {
        let answer = send(app(MockStore::new()), handle, event).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{name}: {}", answer.body);
        assert_eq!(answer.violated(), violated, "{name}");
        assert_eq!(answer.headers.contains_key("www-authenticate"), status == 401, "{name}");
    }
}

#[tokio::test]
async fn each_field_is_judged_by_its_own_rule() {
    for (field, json_text) in [
        ("amount", "0"),
        ("amount", "-1"),
        ("amount", "-0"),
        ("amount", "1.5"),
        ("amount", "1.0"),
        ("amount", "1e2"),
        ("amount", "\"10\""),
        ("amount", "9007199254740992"),
        ("amount", "9223372036854775808"),
        ("amount", "null"),
        ("amount", "[10]"),
        ("from_account_id", "0"),
        ("from_account_id", "-1"),
        ("from_account_id", "\"1\""),
        ("to_account_id", "0"),
        ("to_account_id", "true"),
        ("currency", "\"XYZ\""),
        ("currency", "\"usd\""),
        ("currency", "\"USD\\u0000\""),
        ("currency", "7"),
    ] {
        let valid = body()[field].to_string();
        let text = body()
            .to_string()
            .replace(&format!("\"{field}\":{valid}"), &format!("\"{field}\":{json_text}"));
        let answer = send(app(MockStore::new()), handle, event().text(&text)).await;
        assert_eq!((answer.status, answer.code()), (400, "invalid_argument"), "{text}");
        assert_eq!(answer.violated(), [field], "{text}");
    }
}

#[tokio::test]
async fn what_the_store_says_becomes_a_problem() {
    let cases: Vec<(StoreFailure, u16, &str)> = vec![
        (|| StoreError::NotFound, 404, "not_found"),
        (|| StoreError::SessionEnded, 401, "session_ended"),
        (|| StoreError::KeyReused, 422, "idempotency_key_reused"),
        (|| StoreError::RequestInFlight, 409, "request_in_flight"),
        (unavailable, 503, "unavailable"),
        (outcome_unknown, 503, "outcome_unknown"),
        (defect, 500, "internal"),
    ];
    for (error, status, code) in cases {
        let answer = send(app(store_that_fails(error)), handle, event().json(&body())).await;
        assert_eq!((answer.status, answer.code()), (status, code));
        assert_eq!(answer.headers.contains_key("retry-after"), status == 503, "{code}");
    }
}

#[tokio::test]
async fn each_refusal_has_its_code_and_is_told_again() {
    for refusal in Refusal::ALL {
        for is_replay in [false, true] {
            let mut store = MockStore::new();
            let keyed = Keyed { outcome: Err(refusal), is_replay };
            store.expect_move_money().once().return_once(move |_, _, _| Ok(keyed));
            let answer = send(app(store), handle, event().json(&body())).await;
            assert_eq!((answer.status, answer.code()), (422, refusal.code()));
            assert_eq!(answer.headers.contains_key("idempotent-replayed"), is_replay);
        }
    }
}

#[tokio::test]
async fn a_replay_says_so() {
    let mut store = MockStore::new();
    let first = posted(1, "alice", 100, -10, EntryKind::Transfer(TransferId(1)));
    let again = Keyed { is_replay: true, ..first };
    store.expect_move_money().once().return_once(move |_, _, _| Ok(again));
    let answer = send(app(store), handle, event().json(&body())).await;
    assert_eq!((answer.status, &answer.body["transfer"]["id"]), (201, &json!(1)));
    assert_eq!(answer.headers["idempotent-replayed"], "true");
}

#[tokio::test]
async fn a_panic_is_answered_for() {
    let mut store = MockStore::new();
    store.expect_move_money().once().returning(|_, _, _| panic!("planted"));
    let answer = send(app(store), handle, event().json(&body())).await;
    assert_eq!((answer.status, answer.code()), (500, "internal"));
}
