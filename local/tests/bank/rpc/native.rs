//! The server of native gRPC as a process.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::{Client, Response};
use serde_json::{Value, json};
use sqlx::{Executor, Row};
use tokio::time::{sleep, timeout};

use crate::{
    bank::{
        memory::resident,
        people::{Bank, PASSWORD, WRONG_PASSWORD, key, own_database, sign_up},
    },
    support::{Native, until},
};

#[tokio::test]
async fn it_ends_when_it_is_told_to() {
    let bank = Bank::start().await;
    for name in ["TERM", "INT"] {
        let mut native = bank.native().await;
        native.signal(name);
        assert!(native.ended().await.success(), "{name}");
        // Its last line may be read only now.
        until(|| native.log().contains("gRPC is served no more")).await;
    }
}

/// A call over HTTP/1.1 and in JSON, which the server speaks as well; its client has so many milliseconds.
async fn call(
    native: &Native,
    method: &str,
    message: Value,
    metadata: &[(&str, &str)],
    milliseconds: u64,
) -> reqwest::Result<Response> {
    let url = format!("http://{}/simplebank.v1.SimpleBank/{method}", native.address);
    let mut request = Client::new().post(url).json(&message);
    for (name, value) in metadata {
        request = request.header(*name, *value);
    }
    let request = request.header("connect-timeout-ms", milliseconds.to_string());
    request.timeout(Duration::from_millis(milliseconds)).send().await
}

/// The lines of the log about a method.
fn lines(native: &Native, method: &str) -> Vec<Value> {
    let log = native.log();
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| line["method"] == format!("/simplebank.v1.SimpleBank/{method}")).collect()
}

#[tokio::test]
async fn every_call_has_one_line_in_the_log() {
    let bank = Bank::start().await;
    let native = bank.native().await;
    let alice = bank.customer().await;
    let token = format!("Bearer {}", alice.access_token);
    let token = [("authorization", token.as_str())];
    let shown = call(&native, "ListAccounts", json!({}), &token, 20_000).await.unwrap();
    let refused = call(&native, "GetAccount", json!({ "id": 1 }), &[], 20_000).await.unwrap();
    for response in [&shown, &refused] {
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert_eq!(response.headers()["x-content-type-options"], "nosniff");
    }
    until(|| native.log().contains("/GetAccount")).await;
    for (method, response, code) in
        [("ListAccounts", shown, "ok"), ("GetAccount", refused, "unauthenticated")]
    {
        let [line] = &*lines(&native, method) else { panic!("{}", native.log()) };
        assert_eq!(line["code"], code);
        assert_eq!(line["request_id"], response.headers()["x-request-id"].to_str().unwrap());
        assert!(line["duration_ms"].is_u64(), "{line}");
    }
    let unknown = call(&native, "Nothing", json!({}), &token, 20_000).await.unwrap();
    assert_eq!(unknown.status(), 404);
    until(|| native.log().contains("unread, 404")).await;
}

/// Which of them a gateway keeps is its own affair: here neither is taken.
#[tokio::test]
async fn a_call_has_one_key() {
    let bank = Bank::start().await;
    let native = bank.native().await;
    let alice = bank.customer().await;
    let account = alice.account("USD", 0).await;
    let (token, first, second) = (format!("Bearer {}", alice.access_token), key(), key());
    let key = |key| ("idempotency-key", key);
    let metadata = [("authorization", token.as_str()), key(&*first), key(&*second)];
    let deposit = json!({ "accountId": account, "amount": 1 });
    let refused = call(&native, "Deposit", deposit, &metadata, 20_000).await.unwrap();
    assert_eq!(refused.status(), 400);
    let refused: Value = refused.json().await.unwrap();
    assert_eq!(refused["code"], "invalid_argument", "{refused}");
    assert_eq!(alice.balance(account).await, 0);
}

/// What was done is in the log, and only that, though nobody waited for it.
#[tokio::test]
async fn who_leaves_leaves_nothing_unlogged() {
    const CALLS: usize = 40;

    let bank = Bank::start_on(&own_database().await, &[]).await;
    let native = bank.native().await;
    let alice = bank.customer().await;
    let account = alice.account("USD", 0).await;
    let token = format!("Bearer {}", alice.access_token);
    let calls = (0..CALLS).map(async |n| {
        let (key, deposit) = (key(), json!({ "accountId": account, "amount": 1 }));
        let metadata = [("authorization", token.as_str()), ("idempotency-key", key.as_str())];
        let milliseconds = 3 + u64::try_from(n % 15).unwrap();
        let _ = call(&native, "Deposit", deposit, &metadata, milliseconds).await;
    });
    join_all(calls).await;
    // Who left before the call was sent has done nothing, and whatever was begun comes to an end.
    let mut database = bank.database().await;
    let mut done = async || {
        let row = database.fetch_one("SELECT count(*) FROM movements").await.unwrap();
        usize::try_from(row.get::<i64, _>(0)).unwrap()
    };
    let mut settled = (0, 0);
    for _ in 0..200 {
        let now = (done().await, lines(&native, "Deposit").len());
        if now == settled && now.0 == now.1 && now.0 > 0 {
            break;
        }
        settled = now;
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(settled.0, settled.1, "what was done, and what was logged");
    assert!(lines(&native, "Deposit").iter().all(|line| line["code"] == "ok"));
    assert_eq!(alice.balance(account).await, i64::try_from(settled.0).unwrap());
}

#[tokio::test]
async fn who_leaves_is_counted_for_a_wrong_password() {
    let bank = Bank::start_on(&own_database().await, &[]).await;
    let native = bank.native().await;
    let alice = bank.customer().await;
    let log_in = |password: &str| json!({ "username": alice.username, "password": password });
    // On a busy machine some leave before they have said anything.
    let guesses = || lines(&native, "LoginUser").len();
    while guesses() < 5 {
        let before = guesses();
        let _ = call(&native, "LoginUser", log_in(WRONG_PASSWORD), &[], 12).await;
        let is_logged = async {
            while guesses() == before {
                sleep(Duration::from_millis(5)).await;
            }
        };
        let _ = timeout(Duration::from_secs(2), is_logged).await;
    }
    let locked = call(&native, "LoginUser", log_in(PASSWORD), &[], 20_000).await.unwrap();
    assert_eq!(locked.status(), 429);
}

/// Two hashes at a time take 40 MiB, which the template has the allocator give back.
#[tokio::test]
#[cfg_attr(not(target_os = "linux"), ignore = "it reads /proc")]
async fn a_flood_of_passwords_leaves_no_memory_taken() {
    let bank = Bank::start().await;
    let native = bank.native().await;
    let before = resident(native.pid());
    let calls = (0..100).map(async |_| {
        let name = format!("user_{}", uuid::Uuid::new_v4().simple());
        let status =
            call(&native, "CreateUser", sign_up(&name), &[], 60_000).await.unwrap().status();
        // A machine that is busy with other things sends some away.
        assert!(status == 200 || status == 503, "{status}");
    });
    join_all(calls).await;
    let after = resident(native.pid());
    println!("{before} KiB before, {after} KiB after");
    assert!(after < before + 100 * 1_024, "{before} KiB before, {after} KiB after");
}
