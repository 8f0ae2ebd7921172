//! One effect for each key, whatever happens to the requests.

use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::people::{Answer, Bank, Customer, key, transfer};

pub(crate) async fn post_keyed(
    customer: &Customer<'_>,
    path: &str,
    key: &str,
    body: &Value,
) -> Answer {
    let send = customer.bank.send(Method::POST, path, |request| {
        request.bearer_auth(&customer.access_token).header("idempotency-key", key).json(body)
    });
    send.await
}

fn is_replay(answer: &Answer) -> bool {
    answer.headers.get("idempotent-replayed").is_some_and(|value| value == "true")
}

#[tokio::test]
async fn the_first_answer_is_given_again() {
    let bank = Bank::start().await;
    let alice = bank.customer().await;
    let bob = bank.customer().await;
    let from = alice.account("USD", 100).await;
    let to = bob.account("USD", 100).await;
    for (path, body) in [
        ("/transfers".to_owned(), transfer(from, to, 10)),
        (format!("/accounts/{from}/deposits"), json!({ "amount": 10 })),
        (format!("/accounts/{from}/withdrawals"), json!({ "amount": 10 })),
    ] {
        let key = key();
        let first = post_keyed(&alice, &path, &key, &body).await;
        assert_eq!(first.status, 201, "{first:?}");
        assert!(!is_replay(&first));
        let again = post_keyed(&alice, &path, &key, &body).await;
        assert!(is_replay(&again));
        assert_eq!((again.status, again.body), (first.status, first.body));

        let other = json!({ "amount": 11 });
        for (path, body) in [
            ("/transfers".to_owned(), transfer(from, to, 11)),
            (format!("/accounts/{from}/deposits"), other.clone()),
            (format!("/accounts/{from}/withdrawals"), other),
        ] {
            let reused = post_keyed(&alice, &path, &key, &body).await;
            reused.assert_problem(422, "idempotency_key_reused");
        }
        let bobs = post_keyed(&bob, "/transfers", &key, &transfer(to, from, 1)).await;
        assert_eq!((bobs.status.as_u16(), is_replay(&bobs)), (201, false), "his own effect");
    }
    assert_eq!(alice.balance(from).await, 93, "100 - 10 + 10 - 10, and three times 1 from bob");
    assert_eq!(bob.balance(to).await, 107);
}

#[tokio::test]
async fn refusals_are_given_again_and_errors_are_not_kept() {
    let bank = Bank::start().await;
    let alice = bank.customer().await;
    let from = alice.account("USD", 5).await;
    let to = bank.customer().await.account("USD", 0).await;
    let key = key();
    let body = transfer(from, to, 10);

    // A malformed request does not use the key up.
    let invalid = post_keyed(&alice, "/transfers", &key, &json!({})).await;
    invalid.assert_problem(400, "invalid_argument");
    let refused = post_keyed(&alice, "/transfers", &key, &body).await;
    refused.assert_problem(422, "insufficient_funds");
    assert!(!is_replay(&refused));
    let deposit = alice.post(&format!("/accounts/{from}/deposits"), &json!({ "amount": 50 })).await;
    assert_eq!(deposit.status, 201);
    let again = post_keyed(&alice, "/transfers", &key, &body).await;
    again.assert_problem(422, "insufficient_funds");
    assert!(is_replay(&again));
    assert_eq!(again.anonymous(), refused.anonymous());
    assert_eq!(alice.balance(from).await, 55);
}

#[tokio::test]
async fn two_hundred_identical_requests_have_one_effect() {
    let bank = Bank::start().await;
    let alice = bank.customer().await;
    let from = alice.account("USD", 1_000).await;
    let to = bank.customer().await.account("USD", 0).await;
    let key = key();
    let mut requests = JoinSet::new();
    for _ in 0..200 {
        let request = bank
            .gateway
            .request(Method::POST, "/transfers")
            .bearer_auth(&alice.access_token)
            .header("idempotency-key", &key)
            .json(&transfer(from, to, 10));
        requests.spawn(async move {
            let response = request.send().await.unwrap();
            (response.status().as_u16(), response.text().await.unwrap())
        });
    }
    let mut done = Vec::new();
    while let Some(answer) = requests.join_next().await {
        let (status, body) = answer.unwrap();
        match status {
            201 => done.push(body),
            409 => assert!(body.contains("request_in_flight"), "{body}"),
            _ => panic!("{status} {body}"),
        }
    }
    assert!(!done.is_empty());
    assert!(done.iter().all(|body| *body == done[0]), "identical");
    assert_eq!(alice.balance(from).await, 990);
}
