use std::sync::Arc;

use serde_json::{Value, json};
use shared::{
    domain::{
        AccountId, Currency, EntryKind, History, Keyed, Movement, Page, Position, Refusal, Sliced,
        TransferId, Username,
    },
    store::{StoreError, Unique},
    testing::{
        Answer, Event, MockStore, StoreFailure, account, amount, app, caller, defect, entry,
        posted, send, send_to, unavailable,
    },
};

use crate::route;

const AT: &str = "2027-01-15T08:00:00Z";

/// The routes with an event that would succeed.
fn events() -> Vec<Event> {
    vec![
        open(&json!({ "currency": "USD" })),
        list(&[]),
        get("1"),
        entries("1", &[]),
        deposit("1", 10),
        withdraw("1", 10),
    ]
}

fn open(body: &Value) -> Event {
    Event::new("POST /accounts").signed_in("alice").json(body)
}

fn list(query: &[(&str, &str)]) -> Event {
    with_query(Event::new("GET /accounts").signed_in("alice"), query)
}

fn entries(id: &str, query: &[(&str, &str)]) -> Event {
    let event = Event::new("GET /accounts/{id}/entries").signed_in("alice").path("id", id);
    with_query(event, query)
}

fn with_query(event: Event, query: &[(&str, &str)]) -> Event {
    query.iter().fold(event, |event, (name, value)| event.query(name, value))
}

fn get(id: &str) -> Event {
    Event::new("GET /accounts/{id}").signed_in("alice").path("id", id)
}

fn deposit(id: &str, amount: i64) -> Event {
    post("POST /accounts/{id}/deposits", id).keyed().json(&json!({ "amount": amount }))
}

fn withdraw(id: &str, amount: i64) -> Event {
    post("POST /accounts/{id}/withdrawals", id).keyed().json(&json!({ "amount": amount }))
}

fn post(route: &str, id: &str) -> Event {
    Event::new(route).signed_in("alice").path("id", id)
}

async fn refused(event: Event) -> Answer {
    send(app(MockStore::new()), route, event).await
}

fn store_that_fails(error: StoreFailure) -> MockStore {
    let mut store = MockStore::new();
    store.expect_open_account().returning(move |_, _| Err(error()));
    store.expect_list_accounts().returning(move |_, _| Err(error()));
    store.expect_get_account().returning(move |_, _| Err(error()));
    store.expect_list_entries().returning(move |_, _, _| Err(error()));
    store.expect_move_money().returning(move |_, _, _| Err(error()));
    store
}

#[tokio::test]
async fn every_route_needs_a_caller() {
    for event in events() {
        let expired = refused(event.clone().signed_in_for("alice", 0)).await;
        assert_eq!((expired.status, expired.code()), (401, "token_expired"), "{event:?}");
        assert_eq!(expired.headers["www-authenticate"], "Bearer error=\"invalid_token\"");
        let anonymous = refused(event.signed_out()).await;
        assert_eq!((anonymous.status, anonymous.code()), (401, "unauthenticated"));
        assert_eq!(anonymous.headers["www-authenticate"], "Bearer");
    }
}

#[tokio::test]
async fn what_the_store_says_becomes_a_problem() {
    type Says<'a> = &'a dyn Fn(&Event) -> bool;
    let every = |_: &Event| true;
    let opens = |event: &Event| event.route() == "POST /accounts";
    let names_one = |event: &Event| event.route().contains("{id}");
    let moves = |event: &Event| names_one(event) && event.route().starts_with("POST");
    let pays_out = |event: &Event| event.route().ends_with("/withdrawals");
    let cases: Vec<(StoreFailure, u16, &str, Says<'_>)> = vec![
        (|| StoreError::SessionEnded, 401, "session_ended", &every),
        (|| StoreError::EmailNotVerified, 403, "email_not_verified", &pays_out),
        (|| StoreError::NotFound, 404, "not_found", &names_one),
        (|| StoreError::Taken(Unique::AccountCurrency), 409, "account_exists", &opens),
        (|| StoreError::KeyReused, 422, "idempotency_key_reused", &moves),
        (|| StoreError::RequestInFlight, 409, "request_in_flight", &moves),
        (unavailable, 503, "unavailable", &every),
        (defect, 500, "internal", &every),
    ];
    for (error, status, code, is_said_by) in cases {
        let mut said = 0;
        for event in events().into_iter().filter(is_said_by) {
            let answer = send(app(store_that_fails(error)), route, event.clone()).await;
            assert_eq!((answer.status, answer.code()), (status, code), "{event:?}");
            said += 1;
        }
        assert!(said > 0, "{code}");
    }
}

#[tokio::test]
async fn an_account_is_opened_for_the_caller() {
    let mut store = MockStore::new();
    store
        .expect_open_account()
        .once()
        .withf(|who, currency| *who == caller("alice") && *currency == Currency::Usd)
        .returning(|_, _| Ok(account(1, "alice", 0)));
    let answer = send(app(store), route, open(&json!({ "currency": "USD" }))).await;
    assert_eq!(answer.status, 201);
    assert_eq!(
        answer.body,
        json!({ "id": 1, "owner": "alice", "balance": 0, "currency": "USD", "created_at": AT })
    );
}

#[tokio::test]
async fn opening_takes_a_currency_and_nothing_else() {
    for (body, violated) in [
        (json!({ "currency": "invalid" }), vec!["currency"]),
        (json!({ "currency": null }), vec!["currency"]),
        (json!({}), vec!["currency"]),
        (json!({ "currency": "USD", "balance": 100 }), vec!["balance"]),
        (json!({ "currency": "USD", "owner": "bob" }), vec!["owner"]),
    ] {
        let answer = refused(open(&body)).await;
        assert_eq!((answer.status, answer.code()), (400, "invalid_argument"), "{body}");
        assert_eq!(answer.violated(), violated, "{body}");
    }
}

#[tokio::test]
async fn an_account_is_read() {
    let mut store = MockStore::new();
    store
        .expect_get_account()
        .once()
        .withf(|who, id| *who == caller("alice") && *id == AccountId(i64::MAX))
        .returning(|_, id| Ok(account(id.0, "alice", 5)));
    let answer = send(app(store), route, get("9223372036854775807")).await;
    assert_eq!((answer.status, &answer.body["balance"]), (200, &json!(5)));
}

#[tokio::test]
async fn ids_are_written_in_one_way() {
    for id in ["0", "-1", "+1", "01", "1%2F..", "١", "1 ", "", "x", "9223372036854775808", "1.0"] {
        for event in [get(id), entries(id, &[]), deposit(id, 1), withdraw(id, 1)] {
            let answer = refused(event).await;
            assert_eq!((answer.status, answer.code()), (404, "not_found"), "{id:?}");
        }
    }
}

#[tokio::test]
async fn pages() {
    for (query, limit, offset) in [
        (vec![], 20, 0),
        (vec![("limit", "1")], 1, 0),
        (vec![("limit", "100")], 100, 0),
        (vec![("page_id", "1"), ("page_size", "5")], 5, 0),
        (vec![("page_id", "3"), ("page_size", "10")], 10, 20),
        (vec![("page_id", "2")], 20, 20),
        (vec![("page_size", "100")], 100, 0),
    ] {
        let mut store = MockStore::new();
        store
            .expect_list_accounts()
            .once()
            .withf(move |_, page: &Page| (page.limit(), page.offset()) == (limit, offset))
            .returning(|_, _| Ok(vec![account(1, "alice", 5), account(2, "alice", 0)]));
        let answer = send(app(store), route, list(&query)).await;
        assert_eq!(answer.status, 200, "{query:?}");
        let ids: Vec<_> = answer.body.as_array().unwrap().iter().map(|each| &each["id"]).collect();
        assert_eq!(ids, [1, 2]);
    }

    let mut store = MockStore::new();
    store.expect_list_accounts().once().returning(|_, _| Ok(vec![]));
    assert_eq!(send(app(store), route, list(&[])).await.body, json!([]));
}

#[tokio::test]
async fn pages_that_are_none() {
    for (query, violated) in [
        (vec![("page_id", "-1"), ("page_size", "5")], vec!["page_id"]),
        (vec![("page_id", "0"), ("page_size", "5")], vec!["page_id"]),
        (vec![("page_id", "1"), ("page_size", "100000")], vec!["page_size"]),
        (vec![("page_id", "1"), ("page_size", "4")], vec!["page_size"]),
        (vec![("page_id", "2147483647"), ("page_size", "10")], vec!["page_id"]),
        (vec![("page_id", "01"), ("page_size", "+5")], vec!["page_id", "page_size"]),
        (vec![("limit", "0")], vec!["limit"]),
        (vec![("limit", "101")], vec!["limit"]),
        (vec![("limit", "ten")], vec!["limit"]),
        (vec![("limit", "5"), ("page_id", "1")], vec!["limit"]),
        (vec![("cursor", "x")], vec!["cursor"]),
    ] {
        let answer = refused(list(&query)).await;
        assert_eq!((answer.status, answer.code()), (400, "invalid_argument"), "{query:?}");
        assert_eq!(answer.violated(), violated, "{query:?}");
    }
}

#[tokio::test]
async fn entries_are_read_slice_after_slice() {
    let mut store = MockStore::new();
    store
        .expect_list_entries()
        .once()
        .withf(|who, id, slice| {
            let is_first = slice.limit.rows() == 2 && slice.before.is_none();
            *who == caller("alice") && *id == AccountId(1) && is_first
        })
        .returning(|_, _, _| {
            let transfer = EntryKind::Transfer(TransferId(7));
            let items = vec![entry(1, -30, 70, transfer), entry(1, 100, 100, EntryKind::Deposit)];
            Ok(Sliced { items, next: Some(Position(41)) })
        });
    store
        .expect_list_entries()
        .once()
        .withf(|_, _, slice| slice.limit.rows() == 20 && slice.before == Some(Position(41)))
        .returning(|_, _, _| Ok(Sliced { items: vec![], next: None }));
    let app = Arc::new(app(store));

    let answer = send_to(app.clone(), route, entries("1", &[("limit", "2")])).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.body["entries"],
        json!([
            {
                "id": 1, "account_id": 1, "amount": -30, "balance_after": 70, "kind": "transfer",
                "transfer_id": 7, "created_at": AT,
            },
            {
                "id": 1, "account_id": 1, "amount": 100, "balance_after": 100, "kind": "deposit",
                "transfer_id": null, "created_at": AT,
            },
        ])
    );
    let cursor = answer.body["next_cursor"].as_str().unwrap();

    let answer = send_to(app, route, entries("1", &[("cursor", cursor)])).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body, json!({ "entries": [], "next_cursor": null }));
}

#[tokio::test]
async fn slices_that_are_none() {
    let app = Arc::new(app(MockStore::new()));
    let seal = |username: &str, list| {
        let username = Username::parse(username).unwrap();
        app.cursors.seal(&username, list, Position(41)).unwrap()
    };
    let good = seal("alice", History::Entries(AccountId(1)));
    let others = seal("bob", History::Entries(AccountId(1)));
    let of_another_account = seal("alice", History::Entries(AccountId(2)));
    let of_transfers = seal("alice", History::TransfersOf(AccountId(1)));
    let changed = format!("{good}A");
    let long = "A".repeat(513);
    for (query, violated) in [
        (vec![("limit", "0")], vec!["limit"]),
        (vec![("limit", "101")], vec!["limit"]),
        (vec![("limit", "-1")], vec!["limit"]),
        (vec![("limit", "020")], vec!["limit"]),
        (vec![("limit", "ten")], vec!["limit"]),
        (vec![("limit", "")], vec!["limit"]),
        (vec![("cursor", "")], vec!["cursor"]),
        (vec![("cursor", "41")], vec!["cursor"]),
        (vec![("cursor", "v4.local.AAAA")], vec!["cursor"]),
        (vec![("cursor", "\0")], vec!["cursor"]),
        (vec![("cursor", &long)], vec!["cursor"]),
        (vec![("cursor", &changed)], vec!["cursor"]),
        (vec![("cursor", &others)], vec!["cursor"]),
        (vec![("cursor", &of_another_account)], vec!["cursor"]),
        (vec![("cursor", &of_transfers)], vec!["cursor"]),
        (vec![("page_id", "1")], vec!["page_id"]),
        (vec![("account_id", "1"), ("cursor", &good)], vec!["account_id"]),
        (vec![("limit", "0"), ("cursor", "x"), ("x", "1")], vec!["limit", "cursor", "x"]),
    ] {
        let answer = send_to(app.clone(), route, entries("1", &query)).await;
        assert_eq!((answer.status, answer.code()), (400, "invalid_argument"), "{query:?}");
        assert_eq!(answer.violated(), violated, "{query:?}");
    }
}

#[tokio::test]
async fn money_comes_in_and_goes_out() {
    let mut store = MockStore::new();
    store
        .expect_move_money()
        .once()
        .withf(|who, key, movement| {
            let expected = Movement::Deposit { account: AccountId(1), amount: amount(10) };
            *who == caller("alice") && key.as_str() == "0123456789abcdef" && *movement == expected
        })
        .returning(|_, _, _| Ok(posted(1, "alice", 100, 10, EntryKind::Deposit)));
    store
        .expect_move_money()
        .once()
        .withf(|_, _, movement| {
            *movement == Movement::Withdrawal { account: AccountId(1), amount: amount(30) }
        })
        .returning(|_, _, _| Ok(posted(1, "alice", 110, -30, EntryKind::Withdrawal)));
    let app = Arc::new(app(store));

    let answer = send_to(app.clone(), route, deposit("1", 10)).await;
    assert_eq!(answer.status, 201);
    assert_eq!(
        answer.body["entry"],
        json!({
            "id": 1, "account_id": 1, "amount": 10, "balance_after": 110, "kind": "deposit",
            "transfer_id": null, "created_at": AT,
        })
    );
    assert_eq!(answer.body["account"]["balance"], 110);

    let answer = send_to(app, route, withdraw("1", 30)).await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.body["entry"]["kind"], "withdrawal");
    assert_eq!(answer.body["entry"]["amount"], -30);
}

#[tokio::test]
async fn refusals_of_postings_are_told_again() {
    for (event, refusal) in
        [(deposit("1", 10), Refusal::BalanceLimit), (withdraw("1", 10), Refusal::InsufficientFunds)]
    {
        let mut store = MockStore::new();
        let again = Keyed { outcome: Err(refusal), is_replay: true };
        store.expect_move_money().once().return_once(move |_, _, _| Ok(again));
        let answer = send(app(store), route, event).await;
        assert_eq!((answer.status, answer.code()), (422, refusal.code()));
        assert_eq!(answer.headers["idempotent-replayed"], "true");
    }
}

#[tokio::test]
async fn postings_need_a_key_and_an_amount() {
    for name in ["POST /accounts/{id}/deposits", "POST /accounts/{id}/withdrawals"] {
        let keyless = post(name, "1").json(&json!({ "amount": 1 }));
        let answer = refused(keyless.clone()).await;
        assert_eq!((answer.status, answer.code()), (400, "idempotency_key_missing"));

        let answer = refused(keyless.header("idempotency-key", "a key with blanks")).await;
        assert_eq!((answer.status, answer.violated()), (400, vec!["Idempotency-Key"]));

        for amount in ["0", "-1", "1.5", "1e2", "\"10\"", "9223372036854775808", "null"] {
            let event = post(name, "1").keyed().text(&format!("{{\"amount\": {amount}}}"));
            let answer = refused(event).await;
            assert_eq!((answer.status, answer.violated()), (400, vec!["amount"]), "{amount}");
        }
    }
}

#[tokio::test]
async fn a_route_that_is_not_there() {
    let answer = refused(Event::new("DELETE /accounts/{id}").signed_in("alice")).await;
    assert_eq!((answer.status, answer.code()), (404, "not_found"));
}
