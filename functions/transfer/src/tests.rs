use std::sync::Arc;

use serde_json::{Value, json};
use shared::{
    domain::{
        AccountId, Currency, EntryKind, History, Keyed, Movement, NewTransfer, Position, Refusal,
        Sliced, TransferId, Username,
    },
    store::StoreError,
    testing::{
        Answer, Event, MockStore, StoreFailure, amount, app, caller, defect, outcome_unknown,
        posted, send, send_to, transfer, unavailable,
    },
};

use crate::route;

const AT: &str = "2027-01-15T08:00:00Z";

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
    store.expect_move_money().returning(move |_, _, _| Err(error()));
    store.expect_get_transfer().returning(move |_, _| Err(error()));
    store.expect_list_transfers().returning(move |_, _, _| Err(error()));
    store
}

fn get(id: &str) -> Event {
    Event::new("GET /transfers/{id}").signed_in("alice").path("id", id)
}

fn list(query: &[(&str, &str)]) -> Event {
    query.iter().fold(Event::new("GET /transfers").signed_in("alice"), |event, (name, value)| {
        event.query(name, value)
    })
}

/// The routes with an event that would succeed.
fn events() -> [Event; 3] {
    [event().json(&body()), get("1"), list(&[])]
}

async fn refused(event: Event) -> Answer {
    send(app(MockStore::new()), route, event).await
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

    let answer = send(app(store), route, event().json(&body())).await;

    assert_eq!(answer.status, 201);
    assert!(!answer.headers.contains_key("idempotent-replayed"));
    assert_eq!(
        answer.body,
        json!({
            "transfer": {
                "id": 1, "from_account_id": 1, "to_account_id": 2, "amount": 10,
                "currency": "USD", "created_at": AT,
            },
            "from_account": {
                "id": 1, "owner": "alice", "balance": 90, "currency": "USD", "created_at": AT,
            },
            "from_entry": {
                "id": 1, "account_id": 1, "amount": -10, "balance_after": 90,
                "kind": "transfer", "transfer_id": 1, "created_at": AT,
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
        ("no key", keyless.clone(), 400, "idempotency_key_missing", &["Idempotency-Key"]),
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
        let answer = send(app(MockStore::new()), route, event).await;
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
        let answer = send(app(MockStore::new()), route, event().text(&text)).await;
        assert_eq!((answer.status, answer.code()), (400, "invalid_argument"), "{text}");
        assert_eq!(answer.violated(), [field], "{text}");
    }
}

#[tokio::test]
async fn what_the_store_says_becomes_a_problem() {
    // The first so many of the routes can be told so: only one of them moves money.
    let cases: Vec<(StoreFailure, u16, &str, usize)> = vec![
        (|| StoreError::EmailNotVerified, 403, "email_not_verified", 1),
        (|| StoreError::NotFound, 404, "not_found", 3),
        (|| StoreError::SessionEnded, 401, "session_ended", 3),
        (|| StoreError::KeyReused, 422, "idempotency_key_reused", 1),
        (|| StoreError::RequestInFlight, 409, "request_in_flight", 1),
        (unavailable, 503, "unavailable", 3),
        (outcome_unknown, 503, "outcome_unknown", 3),
        (defect, 500, "internal", 3),
    ];
    for (error, status, code, routes) in &cases {
        for event in events().into_iter().take(*routes) {
            let answer = send(app(store_that_fails(*error)), route, event.clone()).await;
            assert_eq!((answer.status, answer.code()), (*status, *code), "{event:?}");
            assert_eq!(answer.headers.contains_key("retry-after"), *status == 503, "{code}");
        }
    }
}

#[tokio::test]
async fn each_refusal_has_its_code_and_is_told_again() {
    for refusal in Refusal::ALL {
        for is_replay in [false, true] {
            let mut store = MockStore::new();
            let keyed = Keyed { outcome: Err(refusal), is_replay };
            store.expect_move_money().once().return_once(move |_, _, _| Ok(keyed));
            let answer = send(app(store), route, event().json(&body())).await;
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
    let answer = send(app(store), route, event().json(&body())).await;
    assert_eq!((answer.status, &answer.body["transfer"]["id"]), (201, &json!(1)));
    assert_eq!(answer.headers["idempotent-replayed"], "true");
}

#[tokio::test]
async fn a_panic_is_answered_for() {
    let mut store = MockStore::new();
    store.expect_move_money().once().returning(|_, _, _| panic!("planted"));
    let answer = send(app(store), route, event().json(&body())).await;
    assert_eq!((answer.status, answer.code()), (500, "internal"));
}

#[tokio::test]
async fn every_route_needs_a_caller() {
    for event in events() {
        let expired = refused(event.clone().signed_in_for("alice", 0)).await;
        assert_eq!((expired.status, expired.code()), (401, "token_expired"), "{event:?}");
        let anonymous = refused(event.signed_out()).await;
        assert_eq!((anonymous.status, anonymous.code()), (401, "unauthenticated"));
    }
}

#[tokio::test]
async fn a_transfer_is_read() {
    let mut store = MockStore::new();
    store
        .expect_get_transfer()
        .once()
        .withf(|who, id| *who == caller("alice") && *id == TransferId(i64::MAX))
        .returning(|_, id| Ok(transfer(id.0, 1, 2, 10)));
    let answer = send(app(store), route, get("9223372036854775807")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.body,
        json!({
            "id": i64::MAX, "from_account_id": 1, "to_account_id": 2, "amount": 10,
            "currency": "USD", "created_at": AT,
        })
    );
}

#[tokio::test]
async fn ids_are_written_in_one_way() {
    for id in ["0", "-1", "+1", "01", "1%2F..", "١", "1 ", "", "x", "9223372036854775808", "1.0"] {
        let answer = refused(get(id)).await;
        assert_eq!((answer.status, answer.code()), (404, "not_found"), "{id:?}");
    }
}

#[tokio::test]
async fn transfers_are_read_slice_after_slice() {
    for account in [None, Some(AccountId(2))] {
        let mut store = MockStore::new();
        store
            .expect_list_transfers()
            .once()
            .withf(move |who, of, slice| {
                let is_first = slice.limit.rows() == 1 && slice.before.is_none();
                *who == caller("alice") && *of == account && is_first
            })
            .returning(|_, _, _| {
                Ok(Sliced { items: vec![transfer(41, 1, 2, 10)], next: Some(Position(41)) })
            });
        store
            .expect_list_transfers()
            .once()
            .withf(move |_, of, slice| {
                *of == account && slice.limit.rows() == 20 && slice.before == Some(Position(41))
            })
            .returning(|_, _, _| Ok(Sliced { items: vec![], next: None }));
        let app = Arc::new(app(store));
        let of_account = account.map(|id| ("account_id", id.0.to_string()));
        let of_account = of_account.as_ref().map(|(name, id)| (*name, id.as_str()));

        let query: Vec<_> = of_account.into_iter().chain([("limit", "1")]).collect();
        let answer = send_to(app.clone(), route, list(&query)).await;
        assert_eq!(answer.status, 200);
        assert_eq!(
            answer.body["transfers"],
            json!([{
                "id": 41, "from_account_id": 1, "to_account_id": 2, "amount": 10,
                "currency": "USD", "created_at": AT,
            }])
        );
        let cursor = answer.body["next_cursor"].as_str().unwrap();

        let query: Vec<_> = of_account.into_iter().chain([("cursor", cursor)]).collect();
        let answer = send_to(app, route, list(&query)).await;
        assert_eq!(answer.body, json!({ "transfers": [], "next_cursor": null }));
    }
}

#[tokio::test]
async fn slices_that_are_none() {
    let app = Arc::new(app(MockStore::new()));
    let seal = |username: &str, list| {
        let username = Username::parse(username).unwrap();
        app.cursors.seal(&username, list, Position(41)).unwrap()
    };
    let of_all = seal("alice", History::Transfers);
    let of_one = seal("alice", History::TransfersOf(AccountId(1)));
    let of_entries = seal("alice", History::Entries(AccountId(1)));
    let others = seal("bob", History::Transfers);
    let changed = format!("{of_all}A");
    let long = "A".repeat(513);
    for (query, violated) in [
        (vec![("account_id", "0")], vec!["account_id"]),
        (vec![("account_id", "-1")], vec!["account_id"]),
        (vec![("account_id", "01")], vec!["account_id"]),
        (vec![("account_id", "")], vec!["account_id"]),
        (vec![("account_id", "9223372036854775808")], vec!["account_id"]),
        (vec![("limit", "0")], vec!["limit"]),
        (vec![("limit", "101")], vec!["limit"]),
        (vec![("limit", "1.0")], vec!["limit"]),
        (vec![("cursor", "")], vec!["cursor"]),
        (vec![("cursor", "41")], vec!["cursor"]),
        (vec![("cursor", "v4.local.AAAA")], vec!["cursor"]),
        (vec![("cursor", "\0")], vec!["cursor"]),
        (vec![("cursor", &long)], vec!["cursor"]),
        (vec![("cursor", &changed)], vec!["cursor"]),
        (vec![("cursor", &others)], vec!["cursor"]),
        (vec![("cursor", &of_entries)], vec!["cursor"]),
        (vec![("cursor", &of_one)], vec!["cursor"]),
        (vec![("account_id", "1"), ("cursor", &of_all)], vec!["cursor"]),
        (vec![("account_id", "2"), ("cursor", &of_one)], vec!["cursor"]),
        (vec![("account_id", "1"), ("cursor", &of_entries)], vec!["cursor"]),
        (vec![("page_id", "1")], vec!["page_id"]),
        (
            vec![("account_id", "x"), ("limit", "x"), ("cursor", "x"), ("x", "x")],
            vec!["account_id", "limit", "cursor", "x"],
        ),
    ] {
        let answer = send_to(app.clone(), route, list(&query)).await;
        assert_eq!((answer.status, answer.code()), (400, "invalid_argument"), "{query:?}");
        assert_eq!(answer.violated(), violated, "{query:?}");
    }
}

#[tokio::test]
async fn a_route_that_is_not_there() {
    let answer = refused(Event::new("DELETE /transfers/{id}").signed_in("alice")).await;
    assert_eq!((answer.status, answer.code()), (404, "not_found"));
}
