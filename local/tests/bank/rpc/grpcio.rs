//! A client that is not ours, Python's grpcio, at the native server.

use reqwest::{Method, StatusCode};
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use crate::bank::{
    clients::run,
    people::{Bank, PASSWORD, ROOT, WRONG_PASSWORD, key, own_database},
};

#[tokio::test]
async fn a_client_that_knows_an_address_lives_a_customers_life() {
    // Wrong passwords count against the address, which is everybody's.
    let bank = Bank::start_on(&own_database().await, &[]).await;
    let native = bank.native().await;
    let (alice, bob) = (bank.customer().await, bank.customer().await);
    let to = bob.account("USD", 0).await;
    let arguments = [
        "scenario.py",
        &native.address,
        &alice.username,
        PASSWORD,
        WRONG_PASSWORD,
        &to.to_string(),
    ];
    let tokens = run("python", "python", &arguments).await;
    assert_eq!(tokens.lines().count(), 4, "{tokens}");
    for token in tokens.lines() {
        native.keep_secret(token);
    }
    assert_eq!(bob.balance(to).await, 238);
    bank.assert_books_are_right().await;
}

#[tokio::test]
async fn clients_that_leave_take_nothing_with_them() {
    let bank = Bank::start().await;
    let native = bank.native().await;
    let alice = bank.customer().await;
    let (locked, free) = (alice.account("USD", 100).await, alice.account("EUR", 0).await);
    let (locked_id, free_id) = (locked.to_string(), free.to_string());
    let keys = [key(), key()];

    let mut somebody = PgConnection::connect(&bank.database_url).await.unwrap();
    let mut lock = somebody.begin().await.unwrap();
    let query = AssertSqlSafe(format!("SELECT FROM accounts WHERE id = {locked} FOR UPDATE"));
    lock.execute(query).await.unwrap();
    let [first, second] = &keys;
    let token = &alice.access_token;
    let client = ["impatient.py", &native.address, token, &locked_id, &free_id, first, second];
    run("python", "python", &client).await;
    lock.rollback().await.unwrap();

    // Sent again under their keys, both deposits are there once.
    for (key, amount) in keys.iter().zip([5, 7]) {
        let path = format!("/accounts/{locked}/deposits");
        let deposit = async || {
            let send = bank.send(Method::POST, &path, |request| {
                let request = request.bearer_auth(token).header("idempotency-key", key);
                request.json(&json!({ "amount": amount }))
            });
            send.await
        };
        let mut answer = deposit().await;
        // What the clients left behind may be at its end only now.
        while answer.status == StatusCode::CONFLICT {
            answer.assert_problem(409, "request_in_flight");
            answer = deposit().await;
        }
        assert_eq!(answer.status, 201, "{}", answer.body);
    }
    assert_eq!(alice.balance(locked).await, 112);
    bank.assert_books_are_right().await;
}

#[tokio::test]
async fn another_compiler_reads_the_contract_as_it_is_served() {
    let bank = Bank::start().await;
    let native = bank.native().await;
    let folder = format!("{ROOT}/proto");
    run("python", "python", &["contract.py", &native.address, &folder]).await;
}
