//! Guessing passwords from outside.

use std::{collections::BTreeMap, net::IpAddr};

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::Row;

use super::people::{Answer, Bank, PASSWORD, WRONG_PASSWORD, own_address};

fn wrong(username: &str) -> Value {
    json!({ "username": username, "password": WRONG_PASSWORD })
}

fn right(username: &str) -> Value {
    json!({ "username": username, "password": PASSWORD })
}

fn unknown() -> String {
    format!("nobody_{}", uuid::Uuid::new_v4().simple())
}

fn retry_after(answer: &Answer) -> u64 {
    answer.headers["retry-after"].to_str().unwrap().parse().unwrap()
}

async fn try_from(bank: &Bank, address: IpAddr, body: &Value) -> Answer {
    bank.post_from(address, "/users/login", body).await
}

#[tokio::test]
async fn an_unknown_name_reads_like_a_wrong_password() {
    let bank = Bank::start().await;
    let alice = bank.customer().await;
    let here = own_address();
    let first = try_from(&bank, here, &wrong(&alice.username)).await;
    let second = try_from(&bank, here, &wrong(&unknown())).await;
    first.assert_problem(401, "invalid_credentials");
    assert_eq!(first.headers["www-authenticate"], "Bearer");
    assert_eq!((first.status, first.anonymous()), (second.status, second.anonymous()));
}

#[tokio::test]
async fn the_sixth_guess_has_to_wait_be_the_name_known_or_not() {
    let bank = Bank::start().await;
    let alice = bank.customer().await;
    for name in [alice.username.clone(), unknown()] {
        let here = own_address();
        for _ in 0..5 {
            let answer = try_from(&bank, here, &wrong(&name)).await;
            answer.assert_problem(401, "invalid_credentials");
        }
        for body in [wrong(&name), right(&name)] {
            let locked = try_from(&bank, own_address(), &body).await;
            locked.assert_problem(429, "too_many_requests");
            assert!((1..=30).contains(&retry_after(&locked)), "{locked:?}");
        }
    }

    // The lock is on log-ins: whoever is in stays in.
    assert_eq!(alice.get("/accounts").await.status, 200);
    assert_eq!(bank.renew(&alice.refresh_token).await.status, 200);

    // It outlives every process.
    let username = alice.username.clone();
    drop(bank);
    let bank = Bank::start().await;
    let locked = try_from(&bank, own_address(), &right(&username)).await;
    locked.assert_problem(429, "too_many_requests");

    let over =
        format!("UPDATE login_failures SET locked_until = now() WHERE subject = '{username}'");
    bank.sql(&over).await;
    assert_eq!(try_from(&bank, own_address(), &right(&username)).await.status, 200);
    for _ in 0..4 {
        let answer = try_from(&bank, own_address(), &wrong(&username)).await;
        answer.assert_problem(401, "invalid_credentials");
    }
    assert_eq!(try_from(&bank, own_address(), &right(&username)).await.status, 200);
}

#[tokio::test]
async fn an_address_is_stopped_at_its_twenty_first_guess_whatever_it_claims() {
    let bank = Bank::start().await;
    let alice = bank.customer().await;
    let here = own_address();
    let client = reqwest::Client::builder().local_address(here).build().unwrap();
    let guess = async |number: usize, body: Value| {
        let request = client
            .request(Method::POST, format!("{}/users/login", bank.gateway.url))
            .header("x-forwarded-for", format!("203.0.113.{number}"))
            .header("forwarded", format!("for=203.0.113.{number}"))
            .header("x-real-ip", format!("203.0.113.{number}"))
            .json(&body);
        request.send().await.unwrap()
    };
    for number in 1..=20 {
        assert_eq!(guess(number, wrong(&unknown())).await.status(), 401, "{number}");
    }
    for (number, body) in [(21, wrong(&unknown())), (22, right(&alice.username))] {
        let stopped = guess(number, body).await;
        assert_eq!(stopped.status(), 429);
        let secs: u64 = stopped.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((890..=900).contains(&secs), "{secs}");
    }
    let elsewhere = try_from(&bank, own_address(), &right(&alice.username)).await;
    assert_eq!(elsewhere.status, 200, "{}", elsewhere.body);
}

/// Sent together they are told no more than sent in turn.
#[tokio::test]
async fn fifty_guesses_side_by_side() {
    let bank = Bank::start().await;
    let name = unknown();
    let body = wrong(&name);
    let guesses = (0..50).map(|_| try_from(&bank, own_address(), &body));
    let mut answers = BTreeMap::new();
    for answer in join_all(guesses).await {
        *answers.entry(answer.status.as_u16()).or_insert(0) += 1;
    }
    assert_eq!(answers, BTreeMap::from([(401, 5), (429, 45)]));
}

#[tokio::test]
async fn log_ins_side_by_side_that_are_right_all_succeed() {
    let bank = Bank::start().await;
    let alice = bank.customer().await;
    let body = right(&alice.username);
    for answer in join_all((0..20).map(|_| bank.post("/users/login", &body))).await {
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
}

/// The present password is guessed at no cheaper rate through a stolen session.
#[tokio::test]
async fn the_present_password_is_counted_like_a_log_in() {
    let bank = Bank::start().await;
    let alice = bank.customer().await;
    let change = json!({ "email": "new@example.com", "current_password": WRONG_PASSWORD });
    // The address is everybody's here, so that only the name may reach its limit.
    for _ in 0..5 {
        let answer = alice.patch(&alice.path(), &change).await;
        answer.assert_problem(401, "invalid_credentials");
    }
    alice.patch(&alice.path(), &change).await.assert_problem(429, "too_many_requests");
    let right = json!({ "email": "new@example.com", "current_password": PASSWORD });
    alice.patch(&alice.path(), &right).await.assert_problem(429, "too_many_requests");
    let name = json!({ "full_name": "Alice L." });
    assert_eq!(alice.patch(&alice.path(), &name).await.status, 200, "it needs no password");
    // Five of the twenty that everybody has here.
    bank.sql("DELETE FROM login_failures WHERE kind = 'address' AND subject = '127.0.0.1'").await;
}

/// A user whose hash was made when hashes were weaker.
#[tokio::test]
async fn a_weak_hash_is_made_anew_by_a_log_in() {
    let bank = Bank::start().await;
    let alice = bank.customer().await;
    let weak = shared::auth::PasswordHasher::with_cost(1_024, 1).unwrap();
    let weak = weak.hash(shared::domain::Password::offer(PASSWORD).unwrap()).await.unwrap();
    bank.sql(&format!(
        "UPDATE users SET hashed_password = '{weak}' WHERE username = '{}'",
        alice.username
    ))
    .await;
    // Side by side, so that each finds the weak one.
    let body = right(&alice.username);
    for answer in join_all((0..4).map(|_| bank.post("/users/login", &body))).await {
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    let row = sqlx::raw_sql(sqlx::AssertSqlSafe(format!(
        "SELECT hashed_password FROM users WHERE username = '{}'",
        alice.username
    )))
    .fetch_one(&mut bank.database().await)
    .await
    .unwrap();
    let stored: String = row.get(0);
    assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
    assert_eq!(alice.get("/accounts").await.status, 200, "sessions go on");
    assert_eq!(bank.post("/users/login", &body).await.status, 200);
}
