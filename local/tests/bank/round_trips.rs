//! How often a request goes to the database: behind a line that counts.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf, tcp::OwnedWriteHalf},
};

use super::people::{Bank, PASSWORD, database_url, sign_up};

/// A line to the database that counts what asks for an answer.
struct CountingLine {
    url: String,
    requests: Arc<AtomicUsize>,
}

impl CountingLine {
    async fn new() -> Self {
        let mut url = reqwest::Url::parse(database_url().await).unwrap();
        let server = (url.host_str().unwrap().to_owned(), url.port().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        url.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
        let requests = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(server.clone()).await.unwrap();
                let (from_client, mut to_client) = client.into_split();
                let (mut from_server, to_server) = server.into_split();
                tokio::spawn(count(from_client, to_server, Arc::clone(&counter)));
                tokio::spawn(async move { copy(&mut from_server, &mut to_client).await });
            }
        });
        Self { url: url.to_string(), requests }
    }

    fn take(&self) -> usize {
        self.requests.swap(0, Ordering::SeqCst)
    }
}

/// Passes on what a client says, message by message (Postgres' documentation, "Message Formats").
/// Sync and Query are those that the server answers, and that a client waits for.
async fn count(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, requests: Arc<AtomicUsize>) {
    // Until the start-up message has been sent, there is no type before the length.
    let mut has_type = false;
    loop {
        let mut head = vec![0; if has_type { 5 } else { 4 }];
        if from.read_exact(&mut head).await.is_err() {
            return;
        }
        let length = u32::from_be_bytes(head[head.len() - 4..].try_into().unwrap());
        let mut body = vec![0; usize::try_from(length).unwrap() - 4];
        from.read_exact(&mut body).await.unwrap();
        if has_type && matches!(head[0], b'S' | b'Q') {
            requests.fetch_add(1, Ordering::SeqCst);
        }
        let ssl_request = 80_877_103_u32.to_be_bytes();
        has_type = has_type || body != ssl_request;
        if to.write_all(&[head, body].concat()).await.is_err() {
            return;
        }
    }
}

/// Whether the session lives, whose account it is, what role somebody has: it is all asked at once.
#[tokio::test]
async fn a_request_for_a_session_is_one_round_trip() {
    let line = CountingLine::new().await;
    // One process of each function, so that the second request finds what the first has prepared.
    let bank = Bank::start_on(&line.url, &["--max-processes=1"]).await;
    let alice = bank.customer().await;
    let bob = bank.customer().await;
    let from = alice.account("USD", 1_000).await;
    let to = bob.account("USD", 0).await;
    let paid = alice.transfer(from, to, 1).await;
    let transfer = &paid.body["transfer"]["id"];

    let reads = [
        "/accounts".to_owned(),
        "/accounts?page_id=1&page_size=5".to_owned(),
        format!("/accounts/{from}"),
        format!("/accounts/{from}/entries"),
        "/transfers".to_owned(),
        format!("/transfers?account_id={from}"),
        format!("/transfers/{transfer}"),
        "/sessions".to_owned(),
        alice.path(),
        // What is refused costs no more.
        format!("/accounts/{to}"),
        bob.path(),
    ];
    for path in &reads {
        // The first time, the statement is prepared.
        alice.get(path).await;
        line.take();
        let answer = alice.get(path).await;
        assert!(answer.status == 200 || answer.status == 404, "{answer:?}");
        assert_eq!(line.take(), 1, "GET {path}");
    }
    let amount = json!({ "amount": 1 });
    for (path, body) in [
        ("/transfers".to_owned(), super::people::transfer(from, to, 1)),
        ("/transfers".to_owned(), super::people::transfer(from, to, 1_000_000)),
        (format!("/accounts/{from}/deposits"), amount.clone()),
        (format!("/accounts/{from}/withdrawals"), amount),
        ("/accounts".to_owned(), json!({ "currency": "EUR" })),
    ] {
        alice.post(&path, &body).await;
        line.take();
        let answer = alice.post(&path, &body).await;
        assert!(answer.status.as_u16() < 500, "{answer:?}");
        assert_eq!(line.take(), 1, "POST {path}");
    }
    let name = json!({ "full_name": "Alice L." });
    alice.patch(&alice.path(), &name).await;
    line.take();
    assert_eq!(alice.patch(&alice.path(), &name).await.status, 200);
    assert_eq!(line.take(), 1, "PATCH");

    bank.renew(&alice.refresh_token).await;
    line.take();
    assert_eq!(bank.renew(&alice.refresh_token).await.status, 200);
    assert_eq!(line.take(), 1, "a renewal");
    let body = json!({ "username": alice.username, "password": PASSWORD });
    assert_eq!(bank.post("/users/login", &body).await.status, 200);
    assert_eq!(line.take(), 2, "before the password is checked, and after it");

    let code = json!({ "email_id": 1, "secret_code": "0".repeat(32) });
    for (path, body, status) in
        [("/verify_email", code, 404), ("/verify_email/resend", json!({}), 202)]
    {
        alice.post(path, &body).await;
        line.take();
        assert_eq!(alice.post(path, &body).await.status, status);
        assert_eq!(line.take(), 1, "POST {path}");
    }
    bank.post("/users", &sign_up("somebody_new")).await;
    line.take();
    assert_eq!(bank.post("/users", &sign_up("somebody_else")).await.status, 201);
    assert_eq!(line.take(), 1, "a sign-up with its task, though the queue cannot be had");

    for (method, message) in [
        ("GetUser", json!({ "username": alice.username })),
        ("ListSessions", json!({})),
        ("GetAccount", json!({ "id": from })),
        ("ListEntries", json!({ "accountId": from })),
        ("GetTransfer", json!({ "id": transfer })),
        ("Deposit", json!({ "accountId": from, "amount": 1 })),
    ] {
        let path = format!("/simplebank.v1.SimpleBank/{method}");
        alice.post(&path, &message).await;
        line.take();
        assert_eq!(alice.post(&path, &message).await.status, 200, "{method}");
        assert_eq!(line.take(), 1, "{method}");
    }

    bob.post("/users/logout", &json!({})).await;
    line.take();
    assert_eq!(alice.post("/users/logout", &json!({})).await.status, 204);
    assert_eq!(line.take(), 1, "logging out");
    alice.get("/accounts").await.assert_problem(401, "session_ended");
    assert_eq!(line.take(), 1, "and whoever is out");
}
