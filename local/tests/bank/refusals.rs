//! What the bank does not do, and how it says so.

use reqwest::Method;
use serde_json::{Value, json};

use super::people::{Answer, Bank, PASSWORD, key, sign_up, transfer};

#[tokio::test]
async fn what_is_not_yours_looks_like_what_is_not_there() {
    let bank = Bank::start().await;
    let alice = bank.customer().await;
    let mallory = bank.customer().await;
    let account = alice.account("USD", 100).await;
    let unused = i64::MAX;
    let own = mallory.account("USD", 0).await;

    let amount = json!({ "amount": 1 });
    let mut answers = Vec::new();
    for id in [account, unused] {
        answers.push([
            mallory.get(&format!("/accounts/{id}")).await,
            mallory.post(&format!("/accounts/{id}/deposits"), &amount).await,
            mallory.post(&format!("/accounts/{id}/withdrawals"), &amount).await,
            mallory.transfer(id, own, 1).await,
        ]);
    }
    for answer in answers.iter().flatten() {
        answer.assert_problem(404, "not_found");
    }
    let bodies: Vec<Vec<Value>> = answers
        .into_iter()
        .map(|answers| answers.into_iter().map(Answer::anonymous).collect())
        .collect();
    assert_eq!(bodies[0], bodies[1]);
    assert_eq!(alice.balance(account).await, 100);
}

#[tokio::test]
async fn money_that_cannot_move() {
    let bank = Bank::start().await;
    let alice = bank.customer().await;
    let bob = bank.customer().await;
    let from = alice.account("USD", 100).await;
    let to = bob.account("USD", 0).await;
    let euros = bob.account("EUR", 0).await;

    alice.transfer(from, to, 101).await.assert_problem(422, "insufficient_funds");
    alice.transfer(from, from, 1).await.assert_problem(422, "same_account");
    let absent = alice.transfer(from, i64::MAX, 1).await;
    absent.assert_problem(422, "recipient_unavailable");
    let foreign = alice.transfer(from, euros, 1).await;
    foreign.assert_problem(422, "recipient_unavailable");
    assert_eq!(absent.anonymous(), foreign.anonymous(), "one answer for both");

    let mut mismatch = transfer(from, euros, 1);
    mismatch["currency"] = json!("EUR");
    alice.post("/transfers", &mismatch).await.assert_problem(422, "currency_mismatch");

    let limit = json!({ "amount": 9_007_199_254_740_991_i64 });
    let deposit = alice.post(&format!("/accounts/{from}/deposits"), &limit).await;
    deposit.assert_problem(422, "balance_limit");
    let overdraft = json!({ "amount": 101 });
    let withdrawal = alice.post(&format!("/accounts/{from}/withdrawals"), &overdraft).await;
    withdrawal.assert_problem(422, "insufficient_funds");
    assert_eq!((alice.balance(from).await, bob.balance(to).await), (100, 0));
}

#[tokio::test]
async fn bodies_that_are_none() {
    let bank = Bank::start().await;
    let alice = bank.customer().await;
    let from = alice.account("USD", 100).await;
    let good = transfer(from, 2, 10).to_string();
    let amount = |text: &str| good.replace("\"amount\":10", &format!("\"amount\":{text}"));
    let cases: Vec<(String, u16, &str, &[&str])> = vec![
        (String::new(), 400, "malformed_request", &[]),
        (format!("[{from},2,10,\"USD\"]"), 400, "malformed_request", &[]),
        ("null".to_owned(), 400, "malformed_request", &[]),
        (good.replace('}', ""), 400, "malformed_request", &[]),
        (format!("{good}{good}"), 400, "malformed_request", &[]),
        ("[".repeat(15_000), 400, "malformed_request", &[]),
        (format!("{{\"a\":{}", "[".repeat(15_000)), 400, "malformed_request", &[]),
        (" ".repeat(17 * 1024), 413, "payload_too_large", &[]),
        (format!("{}{good}", " ".repeat(17 * 1024)), 413, "payload_too_large", &[]),
        (amount("10,\"amount\":11"), 400, "invalid_argument", &["amount"]),
        (amount("10,\"role\":\"banker\""), 400, "invalid_argument", &["role"]),
        (amount("0"), 400, "invalid_argument", &["amount"]),
        (amount("-1"), 400, "invalid_argument", &["amount"]),
        (amount("1.5"), 400, "invalid_argument", &["amount"]),
        (amount("1e2"), 400, "invalid_argument", &["amount"]),
        (amount("\"10\""), 400, "invalid_argument", &["amount"]),
        (amount("9223372036854775808"), 400, "invalid_argument", &["amount"]),
        (amount("null"), 400, "invalid_argument", &["amount"]),
        (good.replace("USD", "XYZ"), 400, "invalid_argument", &["currency"]),
        (good.replace("USD", "U\\u0000D"), 400, "invalid_argument", &["currency"]),
        (good.replace("USD", "\\ud800"), 400, "malformed_request", &[]),
        (
            "{}".to_owned(),
            400,
            "invalid_argument",
            &["from_account_id", "to_account_id", "amount", "currency"],
        ),
    ];
    for (body, status, code, violated) in cases {
        let answer = alice.post_text("/transfers", &body).await;
        let shown = &body[..body.len().min(100)];
        assert_eq!(answer.status, status, "{shown}: {answer:?}");
        answer.assert_problem(status, code);
        assert_eq!(answer.violated(), violated, "{shown}");
    }

    let post = async |content_type: &'static str, body: Vec<u8>| {
        bank.send(Method::POST, "/transfers", |request| {
            request
                .bearer_auth(&alice.access_token)
                .header("idempotency-key", key())
                .header("content-type", content_type)
                .body(body)
        })
        .await
    };
    let invalid_utf8 = [good.as_bytes(), b"\xff"].concat();
    post("application/json", invalid_utf8).await.assert_problem(400, "malformed_request");
    let form = post("application/x-www-form-urlencoded", good.clone().into_bytes()).await;
    form.assert_problem(415, "unsupported_media_type");
    assert_eq!(alice.balance(from).await, 100, "nothing was left behind");
}

/// A typo in a parameter would be an answer to another question.
#[tokio::test]
async fn parameters_that_no_route_knows() {
    let bank = Bank::start().await;
    let alice = bank.customer().await;
    let account = alice.account("USD", 100).await;
    for path in [
        "/accounts".to_owned(),
        format!("/accounts/{account}"),
        format!("/accounts/{account}/entries"),
        "/transfers".to_owned(),
        "/transfers/1".to_owned(),
        "/sessions".to_owned(),
        alice.path(),
    ] {
        let answer = alice.get(&format!("{path}?limitt=5")).await;
        answer.assert_problem(400, "invalid_argument");
        assert_eq!(answer.violated(), ["limitt"], "{path}");
    }
    let log_in = json!({ "username": alice.username, "password": PASSWORD });
    let answer = bank.post("/users/login?username=bob", &log_in).await;
    answer.assert_problem(400, "invalid_argument");
    assert_eq!(answer.violated(), ["username"]);
}

#[tokio::test]
async fn sign_ups_that_are_none() {
    let bank = Bank::start().await;
    let name = format!("user_{}", uuid::Uuid::new_v4().simple());
    for (field, value) in [
        ("role", json!("banker")),
        ("is_email_verified", json!(true)),
        ("full_name", json!("A\r\nBcc: x@example.com")),
        ("full_name", json!("<a href=//evil.example>")),
        ("full_name", json!("A\u{0}")),
        ("username", json!("a'--")),
        ("email", json!("Alice <alice@example.com>")),
        ("password", json!("password")),
        ("password", json!(format!("{name}@example.com"))),
    ] {
        let mut body = sign_up(&name);
        body[field] = value;
        let answer = bank.post("/users", &body).await;
        answer.assert_problem(400, "invalid_argument");
        assert_eq!(answer.violated(), [field], "{body}");
    }
    assert_eq!(bank.post("/users", &sign_up(&name)).await.status, 201, "nothing was left behind");
}

#[tokio::test]
async fn money_needs_an_idempotency_key() {
    let bank = Bank::start().await;
    let alice = bank.customer().await;
    let account = alice.account("USD", 100).await;
    for path in [
        "/transfers".to_owned(),
        format!("/accounts/{account}/deposits"),
        format!("/accounts/{account}/withdrawals"),
    ] {
        let body =
            if path == "/transfers" { transfer(account, 2, 1) } else { json!({"amount": 1}) };
        let send = async |key: Option<&'static str>| {
            bank.send(Method::POST, &path, |request| {
                let request = request.bearer_auth(&alice.access_token).json(&body);
                match key {
                    Some(key) => request.header("idempotency-key", key),
                    None => request,
                }
            })
            .await
        };
        send(None).await.assert_problem(400, "idempotency_key_missing");
        for bad in ["", "short", "a key with some blanks", "0123456789abcdef/"] {
            let answer = send(Some(bad)).await;
            answer.assert_problem(400, "invalid_argument");
            assert_eq!(answer.violated(), ["Idempotency-Key"]);
        }
    }
    assert_eq!(alice.balance(account).await, 100);
}

#[tokio::test]
async fn addresses_where_nothing_is() {
    let bank = Bank::start().await;
    let alice = bank.customer().await;
    for (method, path) in [
        (Method::GET, "/nothing"),
        (Method::GET, "/"),
        (Method::GET, "/accounts/"),
        (Method::GET, "/Accounts"),
        (Method::DELETE, "/accounts/1"),
        (Method::PUT, "/transfers"),
        (Method::POST, "/healthz"),
        (Method::GET, "/accounts/1/nothing"),
    ] {
        let answer =
            bank.send(method, path, |request| request.bearer_auth(&alice.access_token)).await;
        answer.assert_problem(404, "not_found");
    }
    for id in ["0", "01", "+1", "-1", "1%2F..", "%D9%A1", "9223372036854775808", "x", "%00", "%FF"]
    {
        alice.get(&format!("/accounts/{id}")).await.assert_problem(404, "not_found");
    }
}
