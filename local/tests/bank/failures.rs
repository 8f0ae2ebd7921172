//! What happens when parts of the bank break.

use std::{process::Command, time::Duration};

use reqwest::Method;
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, Executor, Row};
use tokio::{task::JoinSet, time::timeout};

use super::people::{Bank, PASSWORD, key, transfer};
use crate::support::{Gateway, examples, signal};

/// The processes of one function.
fn processes(gateway: &Gateway, function: &str) -> Vec<String> {
    let parent = gateway.pid().to_string();
    let output = Command::new("ps").args(["-o", "pid=,comm=", "--ppid", &parent]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .filter_map(|line| line.trim().split_once(' '))
        .filter(|(_, name)| name.trim() == function)
        .map(|(pid, _)| pid.to_owned())
        .collect()
}

#[tokio::test]
async fn twenty_requests_at_once_start_more_than_one_process() {
    let bank = Bank::start().await;
    let alice = bank.customer().await;
    let mut requests = JoinSet::new();
    for _ in 0..20 {
        let body = json!({ "username": alice.username, "password": PASSWORD });
        let request = bank.gateway.request(Method::POST, "/users/login").json(&body);
        requests.spawn(async move { request.send().await.unwrap().status() });
    }
    while let Some(status) = requests.join_next().await {
        assert_eq!(status.unwrap(), 200);
    }
    assert!(processes(&bank.gateway, "login").len() > 1);
}

/// The function dies while its statement waits for a lock. Nobody can tell whether Postgres went on
/// with it; the client sends it again under its key, and it has happened once.
#[tokio::test]
async fn a_function_killed_in_the_middle_has_one_effect_in_the_end() {
    let bank = Bank::start().await;
    let alice = bank.customer().await;
    let from = alice.account("USD", 100).await;
    let to = bank.customer().await.account("USD", 0).await;
    let key = key();
    let send = async || {
        let body = transfer(from, to, 10);
        bank.send(Method::POST, "/transfers", |request| {
            request.bearer_auth(&alice.access_token).header("idempotency-key", &key).json(&body)
        })
        .await
    };

    let mut database = bank.database().await;
    let mut holder = database.begin().await.unwrap();
    let lock = format!("SELECT id FROM accounts WHERE id = {to} FOR UPDATE");
    holder.execute(AssertSqlSafe(lock)).await.unwrap();
    let holder_pid: i32 = holder.fetch_one("SELECT pg_backend_pid()").await.unwrap().get(0);
    let kill = async {
        let mut observer = bank.database().await;
        let blocked = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE {holder_pid} = ANY (pg_blocking_pids(pid))"
        );
        let is_blocked = async {
            while observer.fetch_one(AssertSqlSafe(blocked.clone())).await.unwrap().get::<i64, _>(0)
                == 0
            {}
        };
        timeout(Duration::from_secs(20), is_blocked).await.expect("the transfer never waited");
        for pid in processes(&bank.gateway, "transfer") {
            signal(&pid, "KILL");
        }
    };
    let (answer, ()) = tokio::join!(send(), kill);
    answer.assert_problem(503, "outcome_unknown");
    holder.rollback().await.unwrap();

    let again = loop {
        let again = send().await;
        if again.status != 409 {
            break again;
        }
        again.assert_problem(409, "request_in_flight");
    };
    assert_eq!(again.status, 201, "the next request works: {again:?}");
    assert_eq!(alice.balance(from).await, 90);
}

#[tokio::test]
async fn a_panic_is_answered_and_the_next_request_works() {
    let functions = examples();
    let template = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/careless.yaml");
    let bank = Bank {
        gateway: Gateway::start(&[
            "--template",
            template,
            "--functions",
            functions.to_str().unwrap(),
        ])
        .await,
    };
    let fine = bank.send(Method::GET, "/fine", |request| request).await;
    assert_eq!(fine.status, 200);
    let before = processes(&bank.gateway, "careless");
    bank.send(Method::GET, "/panic", |request| request).await.assert_problem(500, "internal");
    let fine = bank.send(Method::GET, "/fine", |request| request).await;
    assert_eq!(fine.status, 200);
    assert_eq!(processes(&bank.gateway, "careless"), before, "the same process goes on");
}

#[tokio::test]
async fn without_a_database_the_bank_is_unavailable() {
    let bank = Bank::start_on("postgres://bank@127.0.0.1:1/nowhere", &[]).await;
    let health = bank.send(Method::GET, "/healthz", |request| request).await;
    assert_eq!(health.status, 200);
    let body = json!({ "username": "alice", "password": PASSWORD });
    let answer = bank.post("/users/login", &body).await;
    answer.assert_problem(503, "unavailable");
}
