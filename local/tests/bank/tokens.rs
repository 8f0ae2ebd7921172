//! Who gets in.

use reqwest::Method;
use serde_json::json;
use shared::{
    auth::{Claims, PasetoSigner, TokenSigner, generate_keys},
    clock::{Clock, SystemClock},
    domain::{Caller, SessionId, Username},
};
use sqlx::{AssertSqlSafe, Executor};
use time::Duration;
use uuid::Uuid;

use super::people::{Answer, Bank, Customer, ROOT, keys};
use crate::support;

/// Every route that needs a token.
const ROUTES: [(Method, &str); 9] = [
    (Method::POST, "/accounts"),
    (Method::GET, "/accounts"),
    (Method::GET, "/accounts/1"),
    (Method::GET, "/accounts/1/entries"),
    (Method::POST, "/accounts/1/deposits"),
    (Method::POST, "/accounts/1/withdrawals"),
    (Method::POST, "/transfers"),
    (Method::GET, "/transfers"),
    (Method::GET, "/transfers/1"),
];

async fn with_header(bank: &Bank, method: &Method, path: &str, header: &str) -> Answer {
    bank.send(method.clone(), path, |request| request.header("authorization", header)).await
}

/// A token as the bank would have made it for somebody, at another time, stage or key.
fn token(customer: &Customer<'_>, stage: &str, secret: &str, issued_before: Duration) -> String {
    let caller = Caller {
        username: Username::parse(&customer.username).unwrap(),
        session_id: SessionId(customer.session_id.parse().unwrap()),
    };
    let issued = SystemClock.now().checked_sub(issued_before).unwrap();
    let ttl = std::time::Duration::from_mins(10);
    let claims = Claims::new(&caller, Uuid::new_v4(), issued, ttl);
    PasetoSigner::new(stage, secret).unwrap().sign(&claims).unwrap()
}

/// A route that is added without a row above fails here.
#[tokio::test]
async fn every_guarded_route_is_tried() {
    let template = format!("--template={ROOT}/template.yaml");
    let output = support::run(&["routes", &template]).await;
    let table = String::from_utf8(output.stdout).unwrap();
    let mut guarded: Vec<String> = table
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|row| row[3] != "-")
        .map(|row| format!("{} {}", row[0], row[1].replace("{id}", "1")))
        .collect();
    let mut tried: Vec<String> =
        ROUTES.iter().map(|(method, path)| format!("{method} {path}")).collect();
    guarded.sort();
    tried.sort();
    assert_eq!(guarded, tried);
}

#[tokio::test]
async fn without_a_token_there_is_nothing() {
    let bank = Bank::start().await;
    for (method, path) in ROUTES {
        let answer = bank.send(method.clone(), path, |request| request).await;
        answer.assert_problem(401, "unauthenticated");
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
        for shapeless in ["Bearer", "Bearer ", "Bearer garbage", "Basic YTpi", "none"] {
            let answer = with_header(&bank, &method, path, shapeless).await;
            answer.assert_problem(401, "unauthenticated");
        }
    }
}

#[tokio::test]
async fn tokens_that_are_none_of_ours() {
    let bank = Bank::start().await;
    let alice = bank.customer().await;
    let (secret, _) = keys();
    let other_secret = generate_keys().unwrap().0;
    let bad = [
        "v4.public.AAAA.BBBB".to_owned(),
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9.".to_owned(),
        format!("{}A", alice.access_token),
        token(&alice, "prod", secret, Duration::ZERO),
        token(&alice, "dev", &other_secret, Duration::ZERO),
        token(&alice, "dev", secret, Duration::minutes(-5)),
    ];
    for (method, path) in ROUTES {
        for token in &bad {
            let answer = with_header(&bank, &method, path, &format!("Bearer {token}")).await;
            answer.assert_problem(401, "invalid_token");
            assert_eq!(answer.headers["www-authenticate"], "Bearer error=\"invalid_token\"");
        }
        let expired = token(&alice, "dev", secret, Duration::minutes(11));
        let answer = with_header(&bank, &method, path, &format!("Bearer {expired}")).await;
        answer.assert_problem(401, "token_expired");

        // No dots: not even the shape of an access token.
        let refresh = format!("Bearer {}", alice.refresh_token);
        with_header(&bank, &method, path, &refresh).await.assert_problem(401, "unauthenticated");
    }
}

#[tokio::test]
async fn the_scheme_is_read_without_regard_to_case() {
    let bank = Bank::start().await;
    let alice = bank.customer().await;
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let header = format!("{scheme} {}", alice.access_token);
        let answer = with_header(&bank, &Method::GET, "/accounts", &header).await;
        assert_eq!(answer.status, 200, "{scheme}");
    }
}

/// The gateway keeps the authorizer's answer; the end of a session is seen all the same.
#[tokio::test]
async fn a_session_ends_on_the_next_request() {
    let bank = Bank::start().await;
    let alice = bank.customer().await;
    let account = alice.account("USD", 100).await;
    let other = bank.log_in(&alice.username).await;
    assert_eq!(alice.get("/accounts").await.status, 200);

    let session: Uuid = alice.session_id.parse().unwrap();
    let revoke = format!("UPDATE sessions SET revoked_at = now() WHERE id = '{session}'");
    bank.database().await.execute(AssertSqlSafe(revoke)).await.unwrap();

    let amount = json!({ "amount": 1 });
    for answer in [
        alice.get("/accounts").await,
        alice.get(&format!("/accounts/{account}")).await,
        alice.post("/accounts", &json!({ "currency": "EUR" })).await,
        alice.post(&format!("/accounts/{account}/deposits"), &amount).await,
        alice.post(&format!("/accounts/{account}/withdrawals"), &amount).await,
        alice.transfer(account, account.saturating_add(1), 1).await,
        alice.get(&format!("/accounts/{account}/entries")).await,
        alice.get("/transfers").await,
        alice.get(&format!("/transfers?account_id={account}")).await,
        alice.get("/transfers/1").await,
    ] {
        answer.assert_problem(401, "session_ended");
        assert_eq!(answer.headers["www-authenticate"], "Bearer error=\"invalid_token\"");
    }
    assert_eq!(other.balance(account).await, 100, "the other session goes on");
}
