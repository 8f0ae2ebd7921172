//! From a sign-up to a verified address: the outbox, the queue, the worker, the mail and its link, through
//! the real binaries and an emulator of AWS.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Uri},
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, future::join_all, stream};
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom, seq::SliceRandom};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor, Row};
use tokio::{net::TcpListener, time::sleep};
use uuid::Uuid;

use super::{
    failures::processes,
    people::{Answer, Bank, PASSWORD, arguments, own_database, sign_up},
};
use crate::support::{self, Emulator, try_signal};

const QUEUE: &str = "simplebank-dev-verify-email";
const DEAD_LETTERS: &str = "simplebank-dev-verify-email-dead";

/// A bank that sends mail.
pub(super) struct MailingBank {
    pub(super) bank: Bank,
    pub(super) emulator: Emulator,
}

/// What a mail has in its link.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mailed {
    /// The whole link.
    pub(super) link: String,
    id: i64,
    code: String,
}

impl Mailed {
    pub(super) fn body(&self) -> Value {
        json!({ "email_id": self.id, "secret_code": self.code })
    }
}

impl MailingBank {
    pub(super) async fn start() -> Self {
        Self::start_with(Emulator::start().await, &[]).await
    }

    async fn start_with(emulator: Emulator, more: &[&str]) -> Self {
        let endpoint = emulator.argument();
        let arguments = [&["--env", &endpoint], more].concat();
        // A database of its own: others' relays publish to others' queues.
        let bank = Bank::start_on(&own_database().await, &arguments).await;
        Self { bank, emulator }
    }

    /// The same bank without a queue.
    async fn without_a_queue(&self) -> Bank {
        Bank::start_on(&self.bank.database_url, &[]).await
    }

    /// Every mail to an address, the newest first.
    async fn mails(&self, to: &str) -> Vec<Value> {
        let path = format!("/_local/mail?to={to}");
        let json = |request: reqwest::RequestBuilder| request.header("accept", "application/json");
        let answer = self.bank.send(Method::GET, &path, json).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body.as_array().unwrap().clone()
    }

    /// What has been mailed to a user so far, the newest first.
    async fn mailed(&self, email: &str) -> Vec<Mailed> {
        let mailed: Vec<Mailed> = self.mails(email).await.iter().map(read).collect();
        for mail in &mailed {
            self.bank.gateway.keep_secret(&mail.code);
        }
        mailed
    }

    /// Waits for so many mails to a user; the newest.
    pub(super) async fn wait_for_mail(&self, email: &str, count: usize) -> Mailed {
        let waiting = async {
            loop {
                let mailed = self.mailed(email).await;
                if mailed.len() >= count {
                    return mailed[0].clone();
                }
                sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_mins(2), waiting).await.expect("no mail")
    }

    async fn verify(&self, mailed: &Mailed) -> Answer {
        self.bank.post("/verify_email", &mailed.body()).await
    }

    /// A message that is not taken comes again after three seconds, and not minutes.
    async fn hurry(&self) {
        let attributes = json!({ "VisibilityTimeout": "3" });
        let url = self.emulator.queue_url(QUEUE);
        let body = json!({ "QueueUrl": url, "Attributes": attributes });
        self.emulator.sqs("SetQueueAttributes", body).await;
        // A poll that is under way, for a second at most, goes by what was set when it began.
        sleep(Duration::from_millis(1_500)).await;
    }

    /// Runs a function by itself, with the emulator.
    async fn invoke(&self, function: &str, event: &Value) -> Value {
        let (arguments, event) = (arguments(&self.bank.database_url), event.to_string());
        let endpoint = self.emulator.argument();
        let invoke = ["--env", &endpoint, "invoke", function, "--data", &event];
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).chain(invoke).collect();
        let output = support::run(&arguments).await;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// The task that a user's last change has written.
    async fn task(&self, username: &str) -> i64 {
        self.number(&format!(
            "SELECT id FROM verify_emails WHERE username = '{username}' ORDER BY created_at DESC"
        ))
        .await
    }

    async fn number(&self, query: &str) -> i64 {
        let query = AssertSqlSafe(query.to_owned());
        self.bank.database().await.fetch_one(query).await.unwrap().get(0)
    }
}

/// The link of a mail, which both of its parts have.
fn read(mail: &Value) -> Mailed {
    let text = mail["text"].as_str().unwrap();
    let link = text.lines().find(|line| line.starts_with("http")).unwrap();
    let html = mail["html"].as_str().unwrap();
    assert!(html.contains(&link.replace('&', "&amp;")), "{html}");
    let query = link.split_once("/verify_email?email_id=").unwrap().1;
    let (id, code) = query.split_once("&secret_code=").unwrap();
    Mailed { link: link.to_owned(), id: id.parse().unwrap(), code: code.to_owned() }
}

pub(super) fn email(username: &str) -> String {
    format!("{username}@example.com")
}

fn new_name() -> String {
    format!("user_{}", Uuid::new_v4().simple())
}

#[tokio::test]
async fn from_sign_up_over_the_inbox_to_a_transfer() {
    let post = MailingBank::start().await;
    let bank = &post.bank;
    let to = bank.customer().await.account("USD", 0).await;

    let asked = Instant::now();
    let alice = bank.newcomer().await;
    let mailed = post.wait_for_mail(&email(&alice.username), 1).await;
    let took = asked.elapsed();
    println!("mail after {took:?}");
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert!(mailed.link.starts_with(&format!("{}/verify_email?", bank.gateway.url)));
    let mail = &post.mails(&email(&alice.username)).await[0];
    assert_eq!(mail["subject"], "Confirm your e-mail address");
    let text = mail["text"].as_str().unwrap();
    assert!(text.starts_with(&format!("Hello {},", alice.username)), "{text}");
    assert!(!text.contains("Liddell"), "what somebody calls himself is mailed to nobody");

    let from = alice.account("USD", 100).await;
    let withdrawals = format!("/accounts/{from}/withdrawals");
    let assert_may_not_pay = async || {
        alice.transfer(from, to, 10).await.assert_problem(403, "email_not_verified");
        let withdrawn = alice.post(&withdrawals, &json!({ "amount": 10 })).await;
        withdrawn.assert_problem(403, "email_not_verified");
        assert_eq!(alice.get(&alice.path()).await.body["is_email_verified"], json!(false));
    };
    assert_may_not_pay().await;

    let client = reqwest::Client::new();
    for method in [Method::GET, Method::GET, Method::GET] {
        let page = client.request(method, &mailed.link).header("accept", "text/html").send().await;
        let page = page.unwrap();
        assert_eq!(page.status(), StatusCode::OK);
        assert_eq!(page.headers()["cache-control"], "no-store");
        assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
        assert_eq!(page.headers()["referrer-policy"], "no-referrer");
        let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        assert!(page.text().await.unwrap().contains("</button>"));
    }
    assert_may_not_pay().await;

    let verified = post.verify(&mailed).await;
    assert_eq!((verified.status.as_u16(), verified.body), (200, json!({ "is_verified": true })));
    assert_eq!(alice.transfer(from, to, 10).await.status, 201);
    assert_eq!(alice.post(&withdrawals, &json!({ "amount": 10 })).await.status, 201);
    post.verify(&mailed).await.assert_problem(410, "code_spent");

    // Another address, before and after its mail has come.
    let second = format!("second_{}", email(&alice.username));
    let third = format!("third_{}", email(&alice.username));
    for (address, is_last) in [(&second, false), (&third, true)] {
        let change = json!({ "email": address, "current_password": PASSWORD });
        let changed = alice.patch(&alice.path(), &change).await;
        assert_eq!(changed.body["is_email_verified"], json!(false), "{changed:?}");
        assert_may_not_pay().await;
        let old = mailed.clone();
        post.verify(&old).await.assert_problem(410, "code_spent");
        let new = post.wait_for_mail(address, 1).await;
        if !is_last {
            let change = json!({ "email": third, "current_password": PASSWORD });
            assert_eq!(alice.patch(&alice.path(), &change).await.status, 200);
            post.verify(&new).await.assert_problem(410, "code_spent");
            continue;
        }
        assert_eq!(post.verify(&new).await.status, 200);
    }
    assert_eq!(alice.transfer(from, to, 10).await.status, 201);
    bank.assert_books_are_right().await;
}

#[tokio::test]
async fn a_bank_that_asks_for_no_address_lets_everybody_pay() {
    let bank = Bank::start_with(&["--parameter", "RequireVerifiedEmail=false"]).await;
    let to = bank.customer().await.account("USD", 0).await;
    let newcomer = bank.newcomer().await;
    let from = newcomer.account("USD", 100).await;
    assert_eq!(newcomer.transfer(from, to, 10).await.status, 201);
    assert_eq!(newcomer.get(&newcomer.path()).await.body["is_email_verified"], json!(false));
}

#[tokio::test]
async fn a_code_is_guessed_at_five_times_and_sent_again_once_a_minute() {
    let post = MailingBank::start().await;
    let alice = post.bank.newcomer().await;
    let address = email(&alice.username);
    let first = post.wait_for_mail(&address, 1).await;
    let guess = Mailed { code: "0".repeat(32), ..first.clone() };
    for _ in 0..5 {
        post.verify(&guess).await.assert_problem(404, "not_found");
    }
    post.verify(&first).await.assert_problem(410, "code_spent");

    let resend = async || alice.post("/verify_email/resend", &json!({})).await;
    let sent = resend().await;
    assert_eq!((sent.status.as_u16(), &sent.body), (202, &Value::Null));
    let again = resend().await;
    again.assert_problem(429, "too_many_requests");
    let wait: u64 = again.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    let second = post.wait_for_mail(&address, 2).await;
    post.verify(&first).await.assert_problem(410, "code_spent");

    // As a browser sends the page's form, and as a program sends the same.
    let form = [("email_id", second.id.to_string()), ("secret_code", second.code.clone())];
    let page = post.bank.gateway.request(Method::POST, "/verify_email");
    let page = page.header("accept", "text/html").form(&form).send().await.unwrap();
    assert_eq!(page.status(), StatusCode::OK);
    assert!(page.text().await.unwrap().contains("Your e-mail address is confirmed"));
    let again = post.bank.send(Method::POST, "/verify_email", |request| request.form(&form)).await;
    again.assert_problem(410, "code_spent");
    assert_eq!(alice.get(&alice.path()).await.body["is_email_verified"], json!(true));
    assert_eq!(resend().await.status, 202, "there is nothing to send");
    assert_eq!(post.mailed(&address).await.len(), 2);
}

/// Signing up works all the same, nobody waits for long, and the schedule sends what could not be sent.
#[tokio::test]
async fn fifty_sign_ups_without_a_queue() {
    let mut post = MailingBank::start().await;
    post.emulator.stop().await;
    let names: Vec<String> = (0..50).map(|_| new_name()).collect();
    let sign_ups = names.iter().map(async |name| {
        let asked = Instant::now();
        let answer = post.bank.post("/users", &sign_up(name)).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        asked.elapsed()
    });
    let durations: Vec<Duration> = stream::iter(sign_ups).buffer_unordered(4).collect().await;
    println!("the slowest sign-up took {:?}", durations.iter().max().unwrap());

    post.emulator.restart().await;
    let returned = Instant::now();
    for name in &names {
        let mailed = post.wait_for_mail(&email(name), 1).await;
        assert_eq!(post.mailed(&email(name)).await.len(), 1, "one mail");
        assert_eq!(post.verify(&mailed).await.status, 200, "and its code is live");
    }
    let took = returned.elapsed();
    println!("all mailed {took:?} after the queue's return");
    assert!(took < Duration::from_mins(2), "{took:?}");
}

/// Whether a function dies before the commit, between commit and publishing, or after it: who is a user
/// gets a mail, and nobody else does.
#[tokio::test]
async fn a_hundred_kills_of_sign_ups_lose_no_mail() {
    const KILLS: usize = 100;
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let emulator = Emulator::start().await;
    // Most of a sign-up's time is then between its commit and the queue's answer.
    let slow = BadLine::to(&emulator, 0, Duration::from_millis(300)).await;
    let sqs = format!("AWS_ENDPOINT_URL_SQS={}", slow.url);
    let post = MailingBank::start_with(emulator, &["--env", &sqs]).await;
    let is_over = AtomicUsize::new(0);
    let clients = (0..6).map(|_| async {
        let mut names = Vec::new();
        while is_over.load(Ordering::Relaxed) < KILLS {
            let name = new_name();
            let answer = post.bank.post("/users", &sign_up(&name)).await;
            match answer.status.as_u16() {
                201 => {}
                503 => answer.assert_problem(503, "outcome_unknown"),
                _ => panic!("{answer:?}"),
            }
            names.push((name, answer.status == 201));
        }
        names
    });
    let killer = async {
        while is_over.load(Ordering::Relaxed) < KILLS {
            sleep(Duration::from_millis(random.random_range(20..120))).await;
            let running = processes(&post.bank.gateway, "create_user");
            if let Some(pid) = running.choose(&mut random)
                && try_signal(pid, "KILL")
            {
                is_over.fetch_add(1, Ordering::Relaxed);
            }
        }
    };
    let (names, ()) = tokio::join!(join_all(clients), killer);
    let names: Vec<(String, bool)> = names.into_iter().flatten().collect();

    let mut database = post.bank.database().await;
    let rows = database.fetch_all("SELECT username FROM users").await.unwrap();
    let everybody: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
    let users: Vec<&str> = names
        .iter()
        .filter(|(name, is_sure)| {
            assert!(!is_sure || everybody.contains(name), "{name} was told to be a user");
            everybody.contains(name)
        })
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(users.len(), everybody.len());
    // As if the relay's time had come.
    let left = "SELECT count(*) FROM verify_emails WHERE published_at IS NULL AND done_at IS NULL";
    println!("{} tried, {} users", names.len(), users.len());
    println!("{} left to the relay", post.number(left).await);
    assert!(post.number(left).await > 0, "nobody died between commit and publishing");
    post.bank.sql("UPDATE verify_emails SET due_at = now()").await;
    post.invoke("relay_outbox", &json!({})).await;

    for name in &users {
        let mailed = post.wait_for_mail(&email(name), 1).await;
        assert_eq!(post.verify(&mailed).await.status, 200, "{name}");
    }
    for (name, _) in names.iter().filter(|(name, _)| !everybody.contains(name)) {
        assert_eq!(post.mailed(&email(name)).await, [], "{name} is nobody");
    }
}

/// A user whose task no one has published: their sign-up went through a bank without a queue.
async fn unpublished_user(quiet: &Bank, post: &MailingBank) -> (String, i64) {
    let name = new_name();
    let answer = quiet.post("/users", &sign_up(&name)).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let task = post.task(&name).await;
    // This test's own messages are enough.
    quiet.sql(&format!("UPDATE verify_emails SET published_at = now() WHERE id = {task}")).await;
    (name, task)
}

#[tokio::test]
async fn of_a_batch_of_ten_only_the_bad_ones_come_back_and_end_as_dead_letters() {
    let post = MailingBank::start().await;
    let quiet = post.without_a_queue().await;
    let mut users = Vec::new();
    for _ in 0..8 {
        users.push(unpublished_user(&quiet, &post).await);
    }
    let (injector, poison) = users.pop().unwrap();
    for table in ["users", "verify_emails"] {
        quiet
            .sql(&format!(
                r"UPDATE {table} SET email = E'a@example.com\r\nBcc: everybody@example.com'
                  WHERE username = '{injector}'"
            ))
            .await;
    }
    let message = |task: i64| json!({ "email_id": task }).to_string();
    let mut bodies: Vec<String> = users.iter().map(|(_, task)| message(*task)).collect();
    bodies.extend([message(users[0].1), message(poison), "{\"email_id\":".to_owned()]);
    assert_eq!(bodies.len(), 10);

    // By itself, as Lambda would invoke it with a batch.
    let records: Vec<Value> = bodies
        .iter()
        .enumerate()
        .map(|(number, body)| json!({ "messageId": format!("m{number}"), "body": body }))
        .collect();
    let answer = post.invoke("send_verify_email", &json!({ "Records": records })).await;
    let failures = answer["batchItemFailures"].as_array().unwrap();
    let mut failed: Vec<&str> =
        failures.iter().map(|failure| failure["itemIdentifier"].as_str().unwrap()).collect();
    failed.sort_unstable();
    assert_eq!(failed, ["m8", "m9"]);

    // Through the queue, where by now nothing is left to do for the others.
    post.hurry().await;
    for body in &bodies {
        post.emulator.send(QUEUE, body).await;
    }
    post.emulator.until_count(DEAD_LETTERS, 2).await;
    post.emulator.until_count(QUEUE, 0).await;
    assert_eq!(post.emulator.take(DEAD_LETTERS).await, [bodies[9].clone(), bodies[8].clone()]);
    for (name, _) in &users {
        let mailed = post.mailed(&email(name)).await;
        assert_eq!(mailed.len(), 1, "{name} is mailed once");
        assert_eq!(post.verify(&mailed[0]).await.status, 200);
    }
    assert_eq!(post.mails("everybody@example.com").await.len(), 0);
}

#[tokio::test]
async fn every_message_three_times_in_any_order() {
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let post = MailingBank::start().await;
    let quiet = post.without_a_queue().await;
    let mut tasks = BTreeMap::new();
    let mut messages = Vec::new();
    for number in 0..12 {
        let (name, first) = unpublished_user(&quiet, &post).await;
        messages.push(first);
        if number % 2 == 0 {
            let customer = quiet.log_in(&name).await;
            assert_eq!(customer.post("/verify_email/resend", &json!({})).await.status, 202);
            messages.push(post.task(&name).await);
        }
        tasks.insert(name, first);
    }
    post.hurry().await;
    let mut messages = messages.repeat(3);
    messages.shuffle(&mut random);
    for task in messages {
        post.emulator.send(QUEUE, &json!({ "email_id": task }).to_string()).await;
    }
    for name in tasks.keys() {
        post.wait_for_mail(&email(name), 1).await;
    }
    post.emulator.until_count(QUEUE, 0).await;
    assert_eq!(post.emulator.count(DEAD_LETTERS).await, 0);
    for name in tasks.keys() {
        let mailed = post.mailed(&email(name)).await;
        let mut live = 0;
        for mail in &mailed {
            live += usize::from(post.verify(mail).await.status == 200);
        }
        assert_eq!(live, 1, "{name}: {} mails", mailed.len());
        // No attempt failed but those that met another one at work.
        assert!(mailed.len() <= 2, "{name}: {} mails", mailed.len());
    }
}

/// A way to the emulator on which calls are throttled at first, or take their time.
#[derive(Clone)]
struct BadLine {
    url: String,
    emulator: String,
    refusals: usize,
    delay: Duration,
    calls: Arc<AtomicUsize>,
}

impl BadLine {
    async fn to(emulator: &Emulator, refusals: usize, delay: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (emulator, calls) = (emulator.url.clone(), Arc::default());
        let line = Self { url, emulator, refusals, delay, calls };
        let router = Router::new().fallback(pass_on).with_state(line.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        line
    }
}

async fn pass_on(
    State(BadLine { emulator, refusals, delay, calls, .. }): State<BadLine>,
    uri: Uri,
    mut headers: HeaderMap,
    body: Bytes,
) -> Response {
    sleep(delay).await;
    if calls.fetch_add(1, Ordering::SeqCst) < refusals {
        let refusal = [("x-amzn-errortype", "TooManyRequestsException")];
        let words = r#"{"message":"Maximum sending rate exceeded for alice@example.com."}"#;
        return (StatusCode::TOO_MANY_REQUESTS, refusal, words).into_response();
    }
    headers.remove("host");
    let request = reqwest::Client::new().post(format!("{emulator}{uri}")).headers(headers);
    let answer = request.body(body).send().await.unwrap();
    (answer.status(), answer.bytes().await.unwrap()).into_response()
}

/// As if it were not there, whatever it was that became of it.
#[tokio::test]
async fn without_a_mail_service_a_task_stays_to_be_done() {
    let emulator = Emulator::start().await;
    let ses = "AWS_ENDPOINT_URL_SESV2=http://127.0.0.1:1";
    let post = MailingBank::start_with(emulator, &["--env", ses]).await;
    post.hurry().await;
    let name = new_name();
    assert_eq!(post.bank.post("/users", &sign_up(&name)).await.status, 201);
    post.bank.gateway.logged("mail was not sent").await;
    let undone = "SELECT count(*) FROM verify_emails WHERE done_at IS NULL";
    assert_eq!(post.number(undone).await, 1);
    post.emulator.until_count(DEAD_LETTERS, 1).await;
    assert_eq!(post.number(undone).await, 1, "not even when nobody tries any more");

    // Once the service is back, an operator has the dead letter delivered once more.
    let again = post.emulator.take(DEAD_LETTERS).await;
    let records = json!([{ "messageId": "m0", "body": again[0] }]);
    let answer = post.invoke("send_verify_email", &json!({ "Records": records })).await;
    assert_eq!(answer, json!({ "batchItemFailures": [] }));
    assert_eq!(post.number(undone).await, 0);
}

/// A queue that takes a call and says nothing: a sign-up waits for a moment, and not for each call.
#[tokio::test]
async fn sign_ups_beside_a_silent_queue() {
    let emulator = Emulator::start().await;
    let silent = BadLine::to(&emulator, 0, Duration::from_mins(5)).await;
    let sqs = format!("AWS_ENDPOINT_URL_SQS={}", silent.url);
    let post = MailingBank::start_with(emulator, &["--env", &sqs]).await;
    let sign_ups = (0..12).map(async |_| {
        let asked = Instant::now();
        let answer = post.bank.post("/users", &sign_up(&new_name())).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        asked.elapsed()
    });
    let durations: Vec<Duration> = stream::iter(sign_ups).buffer_unordered(3).collect().await;
    println!("{durations:?}");
    assert!(durations.iter().max() < Some(&Duration::from_secs(5)), "{durations:?}");
    let unpublished = "SELECT count(*) FROM verify_emails WHERE published_at IS NULL";
    assert_eq!(post.number(unpublished).await, 12);
}

#[tokio::test]
async fn mail_that_is_refused_is_tried_again_and_not_marked() {
    let emulator = Emulator::start().await;
    let throttled = BadLine::to(&emulator, 3, Duration::ZERO).await;
    let ses = format!("AWS_ENDPOINT_URL_SESV2={}", throttled.url);
    let post = MailingBank::start_with(emulator, &["--env", &ses]).await;
    post.hurry().await;
    let name = new_name();
    assert_eq!(post.bank.post("/users", &sign_up(&name)).await.status, 201);
    let refused = post.bank.gateway.logged("TooManyRequestsException").await;
    assert!(refused.contains("mail was not sent"), "{refused}");
    let unmarked =
        format!("SELECT count(*) FROM verify_emails WHERE username = '{name}' AND done_at IS NULL");
    assert_eq!(post.number(&unmarked).await, 1);
    let mailed = post.wait_for_mail(&email(&name), 1).await;
    assert_eq!(throttled.calls.load(Ordering::SeqCst), 4, "one call for each delivery");
    post.emulator.until_count(QUEUE, 0).await;
    assert_eq!(post.number(&unmarked).await, 0);
    assert_eq!(post.mailed(&email(&name)).await.len(), 1);
    assert_eq!(post.verify(&mailed).await.status, 200);
}
