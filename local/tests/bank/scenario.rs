//! What the bank is for.

use serde_json::json;
use sqlx::Row;

use super::people::{Bank, PASSWORD, own_address, sign_up};

#[tokio::test]
async fn from_sign_up_to_a_transfer() {
    let bank = Bank::start().await;
    let health = bank.send(reqwest::Method::GET, "/healthz", |request| request).await;
    assert_eq!((health.status.as_u16(), &health.body["status"]), (200, &json!("ok")));

    let alice = bank.customer().await;
    let bob = bank.customer().await;
    let from = alice.account("USD", 1_000).await;
    let to = bob.account("USD", 0).await;

    let done = alice.transfer(from, to, 250).await;
    assert_eq!(done.status, 201, "{}", done.body);
    assert_eq!(done.headers["content-type"], "application/json");
    assert!(done.headers.contains_key("x-request-id"));
    assert_eq!(done.body["transfer"]["amount"], 250);
    assert_eq!(done.body["transfer"]["from_account_id"], from);
    assert_eq!(done.body["transfer"]["to_account_id"], to);
    assert_eq!(done.body["transfer"]["currency"], "USD");
    assert_eq!(done.body["from_account"]["balance"], 750);
    assert_eq!(done.body["from_entry"]["amount"], -250);
    assert_eq!(done.body["from_entry"]["balance_after"], 750);
    assert_eq!(done.body["from_entry"]["transfer_id"], done.body["transfer"]["id"]);
    assert_eq!(done.body.as_object().unwrap().len(), 3, "nothing of the recipient's");
    assert!(done.body["transfer"]["created_at"].as_str().unwrap().ends_with('Z'));

    assert_eq!(alice.balance(from).await, 750);
    assert_eq!(bob.balance(to).await, 250);

    let path = format!("/accounts/{to}/withdrawals");
    let withdrawn = bob.post(&path, &json!({ "amount": 50 })).await;
    assert_eq!(withdrawn.status, 201);
    assert_eq!(withdrawn.body["entry"]["amount"], -50);
    assert_eq!(withdrawn.body["account"]["balance"], 200);

    let euros = alice.account("EUR", 0).await;
    let listed = alice.get("/accounts?page_id=1&page_size=5").await;
    let ids: Vec<_> = listed.body.as_array().unwrap().iter().map(|each| &each["id"]).collect();
    assert_eq!(ids, [from, euros]);
    assert_eq!(alice.get("/accounts?limit=1").await.body.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn names_addresses_and_accounts_are_unique() {
    let bank = Bank::start().await;
    let alice = bank.customer().await;
    let again = sign_up(&alice.username);
    bank.post("/users", &again).await.assert_problem(409, "username_taken");

    let mut same_address = sign_up(&format!("{}_2", alice.username));
    same_address["email"] = json!(format!("{}@EXAMPLE.com", alice.username));
    bank.post("/users", &same_address).await.assert_problem(409, "email_taken");

    alice.account("USD", 0).await;
    let second = alice.post("/accounts", &json!({ "currency": "USD" })).await;
    second.assert_problem(409, "account_exists");
}

/// The address comes from the connection, whatever a client claims.
#[tokio::test]
async fn a_session_remembers_where_it_came_from() {
    let bank = Bank::start().await;
    let alice = bank.customer().await;
    let body = json!({ "username": alice.username, "password": PASSWORD });
    let again = bank
        .send(reqwest::Method::POST, "/users/login", |request| {
            request
                .header("x-forwarded-for", "203.0.113.9")
                .header("user-agent", "phone/1.0")
                .header("authorization", "none")
                .json(&body)
        })
        .await;
    assert_eq!(again.status, 200);
    let session_id: uuid::Uuid = again.body["session_id"].as_str().unwrap().parse().unwrap();
    let row = sqlx::raw_sql(sqlx::AssertSqlSafe(format!(
        "SELECT client_ip, user_agent FROM sessions WHERE id = '{session_id}'"
    )))
    .fetch_one(&mut bank.database().await)
    .await
    .unwrap();
    assert_eq!(row.get::<String, _>("client_ip"), "127.0.0.1");
    assert_eq!(row.get::<String, _>("user_agent"), "phone/1.0");
}

/// Whatever the level. Every other bank's log is held to the same when it ends.
#[tokio::test]
async fn logs_hold_no_secrets() {
    for level in ["INFO", "TRACE"] {
        let bank = Bank::start_with(&[&format!("--parameter=LogLevel={level}")]).await;
        for secret in ["planted-canary", "another tall crane"] {
            bank.gateway.keep_secret(secret);
        }
        let alice = bank.customer().await;
        let wrong = json!({ "username": alice.username, "password": "planted-canary-password" });
        let refused = bank.post_from(own_address(), "/users/login", &wrong).await;
        refused.assert_problem(401, "invalid_credentials");
        bank.renew("planted-canary-token").await.assert_problem(401, "invalid_token");
        let renewed = bank.renew(&alice.refresh_token).await;
        assert_eq!(renewed.status, 200, "{}", renewed.body);
        let change = json!({
            "password": "another tall crane",
            "email": "planted-canary@example.com",
            "current_password": PASSWORD,
        });
        alice.patch(&alice.path(), &change).await;
        let known = bank.post("/users", &sign_up(&alice.username)).await;
        known.assert_problem(409, "username_taken");
        alice.get("/accounts?canary=planted-canary-query").await;

        bank.gateway.logged("GET /accounts").await;
        let log = bank.gateway.log();
        for field in ["\"route\":\"POST /users/login\"", "\"code\":\"invalid_credentials\""] {
            assert!(log.contains(field), "{field} was not logged");
        }
    }
}
