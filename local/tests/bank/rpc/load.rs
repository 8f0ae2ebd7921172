//! The native server under many calls at once, and its end in the midst of them.

use std::{
    fs,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row};

use super::wire::{GRPC, Line, Outcome::Grpc, Reply, by, frame, number, post, with};
use crate::{
    bank::{
        clients::run,
        memory::{resident, status},
        people::{Bank, Customer, key},
    },
    support::{Native, until},
};

const LINES: usize = 50;
const CALLS: usize = 1_000;
const ROUNDS: usize = 5;

/// How long a call waits for one of the server's ten connections to the database before it is told to come
/// again. A machine that does a round in less has to serve it whole.
const QUEUE_PATIENCE: Duration = Duration::from_secs(5);
/// More than the server has for itself: ten to the database, and a few to listen and to be told to stop.
const OWN_SOCKETS: usize = 20;

/// What the server has of the machine.
#[derive(Debug, Clone, Copy)]
struct Held {
    kib: u64,
    threads: u64,
}

impl Held {
    fn by(pid: u32) -> Self {
        Self { kib: resident(pid), threads: status(pid, "Threads:") }
    }
}

fn sockets(pid: u32) -> usize {
    let files = fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    // One that is closed in between is none.
    let targets = files.filter_map(|file| fs::read_link(file.unwrap().path()).ok());
    targets.filter(|target| target.to_string_lossy().starts_with("socket:")).count()
}

/// Puts 1 into an account.
async fn deposit(line: &Line, token: &str, account: i64, key: &str) -> Result<Reply, String> {
    let message = [number(1, account), number(2, 1)].concat();
    let request = with(post("Deposit", GRPC, frame(&message)), "idempotency-key", key);
    line.send(by(token, request)).await
}

async fn show(line: &Line, token: &str, account: i64) -> Result<Reply, String> {
    line.send(by(token, post("GetAccount", GRPC, frame(&number(1, account))))).await
}

/// One round of calls, all at once: half of them look, a quarter pays in anew, and a quarter does again
/// what the last round did. The new keys.
async fn round(native: &Native, accounts: &[(&Customer<'_>, i64)], old: &[String]) -> Vec<String> {
    let lines: Vec<Line> = (0..LINES).map(|_| Line::to(native)).collect();
    let new: Vec<String> = (0..CALLS / 4).map(|_| key()).collect();
    let started = Instant::now();
    let calls = (0..CALLS).map(async |n| {
        let line = &lines[n % LINES];
        // A key belongs to its account.
        let (customer, account) = accounts[n / 4 % accounts.len()];
        let token = &customer.access_token;
        let (key, is_replay) = match n % 4 {
            0 => (Some(&new[n / 4]), false),
            1 => (old.get(n / 4), true),
            _ => (None, false),
        };
        loop {
            let reply = match key {
                Some(key) => deposit(line, token, account, key).await,
                None => show(line, token, account).await,
            };
            let reply = reply.unwrap();
            if reply.outcome() == Grpc(14) && started.elapsed() >= QUEUE_PATIENCE {
                continue;
            }
            assert_eq!(reply.outcome(), Grpc(0), "{reply:?}");
            let is_replayed = reply.headers.contains_key("idempotent-replayed");
            break assert_eq!(is_replayed, is_replay && key.is_some(), "{reply:?}");
        }
    });
    join_all(calls).await;
    new
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(target_os = "linux"), ignore = "it reads /proc")]
async fn a_thousand_calls_at_once_leave_nothing_behind() {
    let bank = Bank::start().await;
    let native = bank.native().await;
    let people = join_all((0..5).map(|_| bank.customer())).await;
    let mut accounts = Vec::new();
    for customer in &people {
        native.keep_secret(&customer.access_token);
        for currency in ["USD", "EUR"] {
            accounts.push((customer, customer.account(currency, 0).await));
        }
    }

    let mut keys = Vec::new();
    let mut held = Vec::new();
    for _ in 0..ROUNDS {
        let started = Instant::now();
        keys = round(&native, &accounts, &keys).await;
        until(|| sockets(native.pid()) < OWN_SOCKETS).await;
        held.push(Held::by(native.pid()));
        println!("{:?} in {:?}", held.last().unwrap(), started.elapsed());
    }
    let (warm, last) = (held[1], held[ROUNDS - 1]);
    let allowed = (warm.kib / 5).max(8 * 1_024);
    assert!(last.kib <= warm.kib + allowed, "{held:?}");
    assert!(last.threads <= warm.threads, "{held:?}");

    let paid = i64::try_from(ROUNDS * CALLS / 4 / accounts.len()).unwrap();
    for (customer, account) in &accounts {
        assert_eq!(customer.balance(*account).await, paid);
        assert_eq!(entries(&bank, *account).await, paid);
    }
    bank.assert_books_are_right().await;
}

async fn entries(bank: &Bank, account: i64) -> i64 {
    let query = format!("SELECT count(*) FROM entries WHERE account_id = {account}");
    bank.database().await.fetch_one(AssertSqlSafe(query)).await.unwrap().get(0)
}

/// Waits until so many statements wait for a lock in this bank's database.
async fn until_waiting(database: &mut PgConnection, count: i64) {
    let query = "SELECT count(*) FROM pg_stat_activity \
                 WHERE wait_event_type = 'Lock' AND query LIKE '%move_money%'";
    let waiting = async {
        while database.fetch_one(query).await.unwrap().get::<i64, _>(0) < count {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting).await.expect("nobody waits");
}

#[tokio::test]
async fn calls_that_have_begun_come_to_an_end() {
    let bank = Bank::start().await;
    let mut native = bank.native().await;
    let alice = bank.customer().await;
    let account = alice.account("USD", 0).await;
    let line = Line::to(&native);

    let mut somebody = bank.database().await;
    let mut lock = somebody.begin().await.unwrap();
    let query = format!("SELECT FROM accounts WHERE id = {account} FOR UPDATE");
    lock.execute(AssertSqlSafe(query)).await.unwrap();
    let calls = join_all((0..5).map(async |_| {
        let reply = deposit(&line, &alice.access_token, account, &key()).await.unwrap();
        reply.outcome()
    }));
    let stop = async {
        until_waiting(&mut bank.database().await, 5).await;
        native.signal("TERM");
        until(|| native.log().contains("gRPC is served no more")).await;
        let late = show(&Line::to(&native), &alice.access_token, account).await;
        late.expect_err("it takes new connections");
        lock.rollback().await.unwrap();
    };
    let (outcomes, ()) = tokio::join!(calls, stop);
    assert!(native.ended().await.success());
    let done = outcomes.iter().filter(|outcome| **outcome == Grpc(0)).count();
    // A lock is waited for for a second, which may be over.
    assert!(outcomes.iter().all(|it| [Grpc(0), Grpc(14)].contains(it)), "{outcomes:?}");
    assert_eq!(alice.balance(account).await, i64::try_from(done).unwrap());
}

#[tokio::test]
async fn a_stop_in_the_midst_of_traffic_loses_nothing() {
    let bank = Bank::start().await;
    let mut native = bank.native().await;
    let alice = bank.customer().await;
    let account = alice.account("USD", 0).await;
    let id = account.to_string();
    let address = native.address.clone();
    let client = ["traffic.py", &address, &alice.access_token, &id];
    let stop = async {
        until(|| native.log().matches("SimpleBank/Deposit").count() >= 200).await;
        native.signal("TERM");
        let asked = Instant::now();
        assert!(native.ended().await.success());
        assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    };
    let (acknowledged, ()) = tokio::join!(run("python", "python", &client), stop);
    let acknowledged: i64 = acknowledged.trim().parse().unwrap();
    assert!(acknowledged >= 200, "{acknowledged}");
    assert_eq!(alice.balance(account).await, acknowledged);
    bank.assert_books_are_right().await;
}
