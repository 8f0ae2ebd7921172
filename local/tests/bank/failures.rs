//! What happens when parts of the bank break.

use std::{
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use futures_util::future::join_all;
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use reqwest::Method;
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, Executor, Row};
use tokio::{task::JoinSet, time::timeout};

use super::{
    idempotency::post_keyed,
    people::{Bank, PASSWORD, key, transfer},
};
use crate::support::{self, Gateway, signal, try_signal};

/// The processes of one function.
pub(super) fn processes(gateway: &Gateway, function: &str) -> Vec<String> {
    children(gateway.pid(), function)
}

/// Those that this process has started.
pub(super) fn children(parent: u32, function: &str) -> Vec<String> {
    let parent = parent.to_string();
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

const KILLS: usize = 100;
const CLIENTS: usize = 6;

/// Functions die at random while clients pay one another; each client sends a payment again, under
/// its key, until it knows what became of it.
#[tokio::test]
async fn a_hundred_kills_leave_one_effect_for_each_key() {
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let bank = Bank::start().await;
    let mut customers = Vec::new();
    for _ in 0..CLIENTS {
        let customer = bank.customer().await;
        let account = customer.account("USD", 1_000_000).await;
        customers.push((customer, account));
    }

    let is_over = AtomicBool::new(false);
    let clients = customers.iter().enumerate().map(|(number, (customer, from))| {
        let mut random = StdRng::seed_from_u64(seed.wrapping_add(number as u64));
        let (customers, is_over) = (&customers, &is_over);
        async move {
            let mut paid = Vec::new();
            while !is_over.load(Ordering::Relaxed) {
                let other = (number + random.random_range(1..CLIENTS)) % CLIENTS;
                let amount = random.random_range(1..100);
                let body = transfer(*from, customers[other].1, amount);
                let key = key();
                loop {
                    let answer = post_keyed(customer, "/transfers", &key, &body).await;
                    match answer.status.as_u16() {
                        201 => break,
                        409 => answer.assert_problem(409, "request_in_flight"),
                        503 => assert!(answer.headers.contains_key("retry-after")),
                        _ => panic!("{answer:?}"),
                    }
                }
                paid.push((number, other, amount));
            }
            paid
        }
    });
    let killer = async {
        let mut kills = 0;
        while kills < KILLS {
            tokio::time::sleep(Duration::from_millis(random.random_range(5..50))).await;
            let running = processes(&bank.gateway, "transfer");
            if let Some(pid) = running.choose(&mut random) {
                kills += usize::from(try_signal(pid, "KILL"));
            }
        }
        is_over.store(true, Ordering::Relaxed);
    };
    let (paid, ()) = tokio::join!(join_all(clients), killer);

    let paid: Vec<(usize, usize, i64)> = paid.into_iter().flatten().collect();
    println!("{} payments", paid.len());
    let mut expected = [1_000_000; CLIENTS];
    for (from, to, amount) in &paid {
        expected[*from] -= amount;
        expected[*to] += amount;
    }
    for ((customer, account), expected) in customers.iter().zip(expected) {
        assert_eq!(customer.balance(*account).await, expected);
    }
    let accounts: Vec<String> = customers.iter().map(|(_, id)| id.to_string()).collect();
    let count = format!(
        "SELECT count(*) FROM transfers WHERE from_account_id IN ({})",
        accounts.join(", ")
    );
    let count = bank.database().await.fetch_one(AssertSqlSafe(count)).await.unwrap();
    assert_eq!(count.get::<i64, _>(0), i64::try_from(paid.len()).unwrap(), "one for each key");
    bank.assert_books_are_right().await;
}

#[tokio::test]
async fn a_panic_is_answered_and_the_next_request_works() {
    let functions = support::binaries();
    let template = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/careless.yaml");
    let bank = Bank {
        gateway: Gateway::start(&[
            "--template",
            template,
            "--functions",
            functions.to_str().unwrap(),
        ])
        .await,
        database_url: String::new(),
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
