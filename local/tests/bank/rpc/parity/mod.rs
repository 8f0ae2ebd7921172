//! One table of cases, run over HTTP, Connect in JSON, gRPC-Web and native gRPC: whichever way somebody
//! takes, the same thing happens, and it is told by the code that the contract has for it.

mod cases;
mod faces;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    sync::OnceLock,
    time::Duration,
};

use prost_reflect::DescriptorPool;
use regex::Regex;
use serde_json::{Value, json};
use shared::clock::{Clock, SystemClock};
use sqlx::{AssertSqlSafe, Executor};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::time::sleep;

use self::{
    cases::{Case, World, cases},
    faces::{Face, Outcome},
};
use crate::bank::people::{Bank, ROOT, key, own_database};

/// The contract as another compiler's library reads it.
fn contract() -> &'static DescriptorPool {
    static POOL: OnceLock<DescriptorPool> = OnceLock::new();
    POOL.get_or_init(|| DescriptorPool::decode(proto::DESCRIPTOR_SET).unwrap())
}

/// Every use case that somebody can ask for: its function in `shared::bank`, its method and its route.
const USE_CASES: [(&str, &str, &str); 19] = [
    ("sign_up", "CreateUser", "POST /users"),
    ("get_user", "GetUser", "GET /users/{username}"),
    ("update_user", "UpdateUser", "PATCH /users/{username}"),
    ("log_in", "LoginUser", "POST /users/login"),
    ("renew_session", "RenewAccess", "POST /tokens/renew_access"),
    ("log_out", "Logout", "POST /users/logout"),
    ("list_sessions", "ListSessions", "GET /sessions"),
    ("end_session", "RevokeSession", "DELETE /sessions/{id}"),
    ("verify_email", "VerifyEmail", "POST /verify_email"),
    ("resend_verification", "ResendVerifyEmail", "POST /verify_email/resend"),
    ("open_account", "CreateAccount", "POST /accounts"),
    ("get_account", "GetAccount", "GET /accounts/{id}"),
    ("list_accounts", "ListAccounts", "GET /accounts"),
    ("deposit", "Deposit", "POST /accounts/{id}/deposits"),
    ("withdraw", "Withdraw", "POST /accounts/{id}/withdrawals"),
    ("list_entries", "ListEntries", "GET /accounts/{id}/entries"),
    ("transfer", "CreateTransfer", "POST /transfers"),
    ("get_transfer", "GetTransfer", "GET /transfers/{id}"),
    ("list_transfers", "ListTransfers", "GET /transfers"),
];

/// The contract's errors: the code, HTTP's status, and gRPC's number.
const CODES: [(&str, u16, i32); 27] = [
    ("malformed_request", 400, 3),
    ("invalid_argument", 400, 3),
    ("idempotency_key_missing", 400, 3),
    ("unauthenticated", 401, 16),
    ("invalid_token", 401, 16),
    ("token_expired", 401, 16),
    ("session_ended", 401, 16),
    ("invalid_credentials", 401, 16),
    ("permission_denied", 403, 7),
    ("email_not_verified", 403, 7),
    ("not_found", 404, 5),
    ("username_taken", 409, 6),
    ("email_taken", 409, 6),
    ("account_exists", 409, 6),
    ("request_in_flight", 409, 10),
    ("code_spent", 410, 9),
    ("payload_too_large", 413, 8),
    ("insufficient_funds", 422, 9),
    ("recipient_unavailable", 422, 9),
    ("currency_mismatch", 422, 9),
    ("same_account", 422, 9),
    ("balance_limit", 422, 9),
    ("idempotency_key_reused", 422, 9),
    ("too_many_requests", 429, 8),
    ("unavailable", 503, 14),
    ("outcome_unknown", 503, 14),
    ("internal", 500, 13),
];

#[tokio::test]
async fn every_way_leads_to_the_same() {
    // Wrong passwords are counted by address as well, and here they all come from one.
    let (database, patient) = (own_database().await, "--parameter=LoginFailuresByAddress=1000000");
    let bank = Bank::start_on(&database, &[patient]).await;
    let native = bank.native_with(&[patient]).await;
    let mut replies: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    let mut shown = BTreeSet::new();
    for face in Face::all(&bank.gateway.url, &native.address).await {
        let world = World::new(&bank).await;
        for case in cases(&world) {
            let outcome = face.call(&case).await;
            judge(&face, &case, &outcome);
            shown.insert((case.method, case.code));
            replies.entry(case.name).or_default().push(masked(outcome.reply, &world));
        }
    }
    for (case, replies) in replies {
        assert_eq!(replies.len(), 4, "{case}");
        for reply in &replies[1..] {
            assert_eq!(reply, &replies[0], "{case}");
        }
    }
    for (_, method, _) in USE_CASES {
        assert!(shown.contains(&(method, "ok")), "no case of {method} that is done");
    }
    bank.assert_books_are_right().await;
}

fn judge(face: &Face, case: &Case, outcome: &Outcome) {
    let told = format!("{}, {}: {outcome:?}", case.name, face.name());
    assert_eq!(outcome.code, case.code, "{told}");
    let (status, number) = CODES
        .iter()
        .find(|(code, ..)| *code == case.code)
        .map_or((case.status, 0), |(_, status, number)| (*status, *number));
    let expected = if face.is_http() { i32::from(status) } else { number };
    assert_eq!(outcome.number, expected, "{told}");
    assert_eq!(outcome.is_replay, case.is_replay, "{told}");
    assert_eq!(outcome.fields, case.fields, "{told}");
    let waits = matches!(case.code, "too_many_requests" | "unavailable" | "outcome_unknown");
    assert_eq!(outcome.has_retry, waits, "{told}");
}

/// The reply with what differs between the runs called by what it is: alice's name is `alice`, her account
/// in dollars is `usd`, a time is how far off it is. What nobody can know beforehand is a number or a text.
fn masked(reply: Value, world: &World<'_>) -> Value {
    match reply {
        Value::Object(members) => {
            let owner = ["owner", "from_account_id", "kind", "user_agent"]
                .into_iter()
                .find(|member| members.contains_key(*member));
            let is_shown = |(key, value): &(String, Value)| {
                // Each way has a client that calls itself something else, or nothing.
                key != "user_agent" && !value.is_null() && *value != json!("")
            };
            members
                .into_iter()
                .filter(is_shown)
                .map(|(key, value)| {
                    let value = label(&key, owner, value, world);
                    (key, value)
                })
                .collect::<serde_json::Map<_, _>>()
                .into()
        }
        Value::Array(items) => items.into_iter().map(|item| masked(item, world)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => reply,
    }
}

/// A member of an object that is told by another of its members.
fn label(key: &str, object: Option<&str>, value: Value, world: &World<'_>) -> Value {
    let text = value.as_str().unwrap_or_default();
    match key {
        "owner" | "username" | "email" => world.person(text).into(),
        "account_id" | "from_account_id" | "to_account_id" => world.account(&value).into(),
        "id" if object == Some("owner") => world.account(&value).into(),
        "id" | "session_id" if value.is_string() => world.session(text).into(),
        "id" | "transfer_id" => world.transfer(&value).into(),
        "access_token" if text.starts_with("v4.public.") => "an access token".into(),
        "refresh_token" if text.len() == 43 && !text.contains('.') => "a refresh token".into(),
        "next_cursor" if text.starts_with("v4.local.") => "a cursor".into(),
        _ if key.ends_with("_at") => minutes_off(text).into(),
        _ => masked(value, world),
    }
}

/// How far off a time is, by now. It has to be written as the contract has it.
fn minutes_off(text: &str) -> String {
    static SHAPE: OnceLock<Regex> = OnceLock::new();
    let shape =
        SHAPE.get_or_init(|| Regex::new(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$").unwrap());
    assert!(shape.is_match(text), "{text}");
    let time = OffsetDateTime::parse(text, &Rfc3339).unwrap();
    let seconds = (time - SystemClock.now()).whole_seconds();
    format!("in {} min", (seconds + 30).div_euclid(60))
}

/// Whoever adds a use case, a method or a route adds it to the table, or this fails.
#[test]
fn the_table_has_every_use_case() {
    let service = contract().get_service_by_name("simplebank.v1.SimpleBank").unwrap();
    let methods: BTreeSet<String> = service.methods().map(|it| it.name().to_owned()).collect();
    assert_eq!(methods, USE_CASES.iter().map(|(_, method, _)| (*method).to_owned()).collect());

    let mut functions = BTreeSet::new();
    let shape = Regex::new(r"(?m)^pub async fn (\w+)").unwrap();
    for file in fs::read_dir(format!("{ROOT}/shared/src/bank")).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        functions.extend(shape.captures_iter(&text).map(|found| found[1].to_owned()));
    }
    // Nobody asks for these: a queue and a schedule do.
    assert!(functions.remove("relay_outbox") && functions.remove("send_verification"));
    assert_eq!(functions, USE_CASES.iter().map(|(name, ..)| (*name).to_owned()).collect());

    let template = fs::read_to_string(format!("{ROOT}/template.yaml")).unwrap();
    let template: serde_yaml_ng::Value = serde_yaml_ng::from_str(
        // What CloudFormation works out is of no interest here.
        &Regex::new(r"![A-Z]\w+").unwrap().replace_all(&template, ""),
    )
    .unwrap();
    let mut routes = BTreeSet::new();
    for (_, resource) in template["Resources"].as_mapping().unwrap() {
        let code = resource["Properties"]["CodeUri"].as_str().unwrap_or_default();
        let events = resource["Properties"]["Events"].as_mapping();
        for (_, event) in events.into_iter().flatten() {
            let text = |name: &str| event["Properties"][name].as_str().unwrap_or_default();
            if event["Type"] == "Api" && !code.ends_with("/rpc/") && !code.ends_with("/docs/") {
                routes.insert(format!("{} {}", text("Method").to_uppercase(), text("Path")));
            }
        }
    }
    // A page, and nothing happens.
    assert!(routes.remove("GET /verify_email"));
    assert_eq!(routes, USE_CASES.iter().map(|(_, _, route)| (*route).to_owned()).collect());
}

/// Every code of the contract is told by a case, but for those that need something to break.
#[tokio::test]
async fn the_table_has_every_refusal() {
    let bank = Bank::start_on(&own_database().await, &[]).await;
    let told: BTreeSet<&str> = cases(&World::new(&bank).await).iter().map(|it| it.code).collect();
    let broken = ["malformed_request", "payload_too_large", "internal", "outcome_unknown"];
    for (code, ..) in CODES {
        let is_elsewhere = broken.contains(&code) || ELSEWHERE.contains(&code);
        assert_ne!(told.contains(code), is_elsewhere, "{code}");
    }
}

/// Told by the tests below, which need a bank of their own.
const ELSEWHERE: [&str; 3] = ["unavailable", "request_in_flight", "token_expired"];

/// A caller with an account of number 1, whether there is one or not.
fn reads_an_account(code: &'static str, token: &str) -> Case {
    Case::new("an account is read", "GetAccount", "GET /accounts/1", code)
        .by(token)
        .message(json!({ "id": 1 }))
}

#[tokio::test]
async fn without_a_database_every_way_says_unavailable() {
    let bank = Bank::start().await;
    let token = bank.customer().await.access_token;
    let nowhere = "--parameter=DatabaseUrl=postgres://bank_app@127.0.0.1:1/nowhere";
    let lost = Bank::start_with(&[nowhere]).await;
    let native = lost.native_with(&[nowhere]).await;
    for face in Face::all(&lost.gateway.url, &native.address).await {
        let case = reads_an_account("unavailable", &token);
        judge(&face, &case, &face.call(&case).await);
    }
}

#[tokio::test]
async fn an_old_token_is_told_apart_everywhere() {
    let ttl = "--parameter=AccessTokenTtlSecs=1";
    let bank = Bank::start_with(&[ttl]).await;
    let native = bank.native().await;
    let token = bank.customer().await.access_token;
    sleep(Duration::from_millis(1_100)).await;
    for face in Face::all(&bank.gateway.url, &native.address).await {
        let case = reads_an_account("token_expired", &token);
        judge(&face, &case, &face.call(&case).await);
    }
}

/// Somebody else's transaction holds the account, under the same key or not: the lock's time runs out.
#[tokio::test]
async fn a_request_in_flight_is_told_everywhere() {
    let bank = Bank::start().await;
    let native = bank.native().await;
    let alice = bank.customer().await;
    let account = alice.account("USD", 0).await;
    for face in Face::all(&bank.gateway.url, &native.address).await {
        let key = key();
        let mut holder = bank.database().await;
        holder.execute("BEGIN").await.unwrap();
        let deposit = format!(
            "SELECT move_money('{1}', '{0}', '{key}', sha256('another'), NULL, {account}, 5, NULL)",
            alice.username, alice.session_id
        );
        let held = holder.execute(AssertSqlSafe(deposit)).await;
        held.unwrap_or_else(|error| panic!("{error}"));
        let route = format!("POST /accounts/{account}/deposits");
        let case = Case::new("a deposit in flight", "Deposit", &route, "request_in_flight")
            .by(&alice.access_token)
            .keyed(&key)
            .body(json!({ "amount": 7 }))
            .message(json!({ "accountId": account, "amount": 7 }));
        judge(&face, &case, &face.call(&case).await);
    }
}
