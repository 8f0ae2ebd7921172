//! A running bank, and people who use it.

use std::{net::IpAddr, process::Output, sync::OnceLock, time::Duration};

use reqwest::{
    Method, StatusCode,
    header::{HeaderMap, HeaderValue},
};
use serde_json::{Value, json};
use shared::{
    auth::{Keyring, generate_cursor_key},
    testing::assert_promised,
};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::support::{self, Gateway, Native};

/// The root of the workspace, where the template is.
pub(crate) const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
pub(crate) const PASSWORD: &str = "seven tall cranes over a lake";
/// What nobody's password is.
pub(crate) const WRONG_PASSWORD: &str = "not the password";
/// What no log may hold: whichever key or hash it is, and whosever address.
pub(crate) const SECRETS: [&str; 6] =
    [PASSWORD, WRONG_PASSWORD, "@example.com", "k4.secret.", "k4.local.", "$argon2"];
/// Who gives roles.
pub(crate) const OPERATOR: &str = "olga@example.com";

/// The keyring of all banks of this run.
pub(crate) fn keyring() -> &'static str {
    static KEYRING: OnceLock<String> = OnceLock::new();
    KEYRING.get_or_init(|| Keyring::generate().unwrap().expose().unwrap())
}

/// Its key for access tokens: `k4.secret` and `k4.public`.
pub(crate) fn keys() -> &'static (String, String) {
    static KEYS: OnceLock<(String, String)> = OnceLock::new();
    KEYS.get_or_init(|| {
        let json: Value = serde_json::from_str(keyring()).unwrap();
        (text(&json["current"]["access"]), public_keys(keyring()))
    })
}

/// What verifies the tokens that a keyring signs.
pub(crate) fn public_keys(keyring: &str) -> String {
    Keyring::parse(keyring).unwrap().public_keys().unwrap().join(",")
}

/// The key of the cursors of all banks of this run.
pub(crate) fn cursor_key() -> &'static str {
    static KEY: OnceLock<String> = OnceLock::new();
    KEY.get_or_init(|| generate_cursor_key().unwrap())
}

/// The database of this run, which the first test makes and migrates.
pub(crate) async fn database_url() -> &'static str {
    static URL: OnceCell<String> = OnceCell::const_new();
    URL.get_or_init(|| make_database("simplebank_e2e")).await
}

/// A database that no other test uses.
pub(crate) async fn own_database() -> String {
    make_database(&format!("simplebank_e2e_{}", Uuid::new_v4().simple())).await
}

/// The same without anything in it.
pub(crate) async fn empty_database() -> String {
    create_database(&format!("simplebank_e2e_{}", Uuid::new_v4().simple())).await
}

async fn make_database(name: &str) -> String {
    let url = create_database(name).await;
    let state = invoke(&url, "migrate", &json!({ "action": "up" })).await;
    assert_eq!(state["pending"], json!([]));
    url
}

async fn create_database(name: &str) -> String {
    let server = database_server();
    let mut connection = PgConnection::connect(&server).await.unwrap();
    for statement in
        [format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"), format!("CREATE DATABASE {name}")]
    {
        connection.execute(AssertSqlSafe(statement)).await.unwrap();
    }
    let mut url = reqwest::Url::parse(&server).unwrap();
    url.set_path(name);
    url.to_string()
}

#[expect(clippy::disallowed_methods, reason = "tests are told where their server is this way")]
fn database_server() -> String {
    std::env::var("DATABASE_URL").expect("DATABASE_URL: run the tests by `make test`")
}

/// The same database for the functions, whose role owns nothing.
pub(crate) fn application_url(database_url: &str) -> String {
    let mut url = reqwest::Url::parse(database_url).unwrap();
    url.set_username("bank_app").unwrap();
    url.to_string()
}

/// The gateway's arguments for the template, the built functions and this database.
pub(crate) fn arguments(database_url: &str) -> Vec<String> {
    [
        format!("--template={ROOT}/template.yaml"),
        format!("--functions={}", support::binaries().display()),
        format!("--parameter=DatabaseUrl={}", application_url(database_url)),
        format!("--parameter=OwnerDatabaseUrl={database_url}"),
        format!("--env=SIGNING_KEYRING={}", keyring()),
        format!("--parameter=TokenPublicKeys={}", keys().1),
        format!("--env=CURSOR_KEY={}", cursor_key()),
    ]
    .to_vec()
}

/// A bank that runs for one test.
pub(crate) struct Bank {
    pub(crate) gateway: Gateway,
    /// Where its data are, for the schema's owner.
    pub(crate) database_url: String,
}

impl Bank {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// With more arguments for the gateway.
    pub(crate) async fn start_with(more: &[&str]) -> Self {
        let url = database_url().await;
        Self::start_on(url, more).await
    }

    /// On a database of one's own choice.
    pub(crate) async fn start_on(database_url: &str, more: &[&str]) -> Self {
        let arguments = arguments(database_url);
        let arguments: Vec<&str> =
            arguments.iter().map(String::as_str).chain(more.iter().copied()).collect();
        let gateway = Gateway::start(&arguments).await;
        for secret in SECRETS {
            gateway.keep_secret(secret);
        }
        Self { gateway, database_url: database_url.to_owned() }
    }

    /// The same bank, served natively over gRPC.
    pub(crate) async fn native(&self) -> Native {
        self.native_with(&[]).await
    }

    /// With more arguments.
    pub(crate) async fn native_with(&self, more: &[&str]) -> Native {
        let mut arguments = arguments(&self.database_url);
        arguments.extend(more.iter().map(|argument| (*argument).to_owned()));
        let native = Native::start(&arguments).await;
        for secret in SECRETS {
            native.keep_secret(secret);
        }
        native
    }

    /// A direct look at the data.
    pub(crate) async fn database(&self) -> PgConnection {
        PgConnection::connect(&self.database_url).await.unwrap()
    }

    /// Has the function `verify` look at the books.
    pub(crate) async fn assert_books_are_right(&self) {
        let report = invoke(&self.database_url, "verify", &json!({})).await;
        assert_eq!(report, json!({ "books_are_right": true, "breaches": {} }));
    }

    /// A new user who is logged in, and whose address is verified.
    pub(crate) async fn customer(&self) -> Customer<'_> {
        let customer = self.newcomer().await;
        let name = &customer.username;
        self.sql(&format!("UPDATE users SET is_email_verified = true WHERE username = '{name}'"))
            .await;
        customer
    }

    /// A new user who is logged in.
    pub(crate) async fn newcomer(&self) -> Customer<'_> {
        let username = format!("user_{}", Uuid::new_v4().simple());
        let signed_up = self.post("/users", &sign_up(&username)).await;
        assert_eq!(signed_up.status, 201, "{}", signed_up.body);
        self.log_in(&username).await
    }

    pub(crate) async fn log_in(&self, username: &str) -> Customer<'_> {
        let body = json!({ "username": username, "password": PASSWORD });
        let logged_in = self.post("/users/login", &body).await;
        assert_eq!(logged_in.status, 200, "{}", logged_in.body);
        Customer {
            bank: self,
            username: username.to_owned(),
            session_id: text(&logged_in.body["session_id"]),
            access_token: text(&logged_in.body["access_token"]),
            refresh_token: text(&logged_in.body["refresh_token"]),
        }
    }

    /// A request with a JSON body and no token.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, |request| request.json(body)).await
    }

    /// Any request.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        build: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder,
    ) -> Answer {
        self.receive(build(self.gateway.request(method, path))).await
    }

    async fn receive(&self, request: reqwest::RequestBuilder) -> Answer {
        let (client, request) = request.timeout(Duration::from_mins(1)).build_split();
        let request = request.unwrap();
        let (method, path) = (request.method().to_string(), request.url().path().to_owned());
        let response = client.execute(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.bytes().await.unwrap();
        assert_promised(&method, &path, status.as_u16(), &headers, &bytes);
        let content_type = headers.get("content-type").map(HeaderValue::as_bytes);
        let body = if bytes.is_empty() {
            Value::Null
        } else if content_type.is_some_and(|it| it.starts_with(b"text/")) {
            json!(String::from_utf8_lossy(&bytes))
        } else {
            serde_json::from_slice(&bytes)
                .unwrap_or_else(|_| panic!("not JSON: {:?}", String::from_utf8_lossy(&bytes)))
        };
        for token in ["access_token", "refresh_token"] {
            if let Some(token) = body[token].as_str() {
                self.gateway.keep_secret(token);
            }
        }
        Answer { status, headers, body }
    }

    /// A request without a token from another address of this machine.
    pub(crate) async fn post_from(&self, address: IpAddr, path: &str, body: &Value) -> Answer {
        let client = reqwest::Client::builder().local_address(address).build().unwrap();
        let request = client.post(format!("{}{path}", self.gateway.url)).json(body);
        self.receive(request).await
    }

    /// Spends a refresh token.
    pub(crate) async fn renew(&self, refresh_token: &str) -> Answer {
        self.post("/tokens/renew_access", &json!({ "refresh_token": refresh_token })).await
    }

    /// SQL by the owner of the schema.
    pub(crate) async fn sql(&self, statement: &str) {
        let statement = AssertSqlSafe(statement.to_owned());
        self.database().await.execute(statement).await.unwrap();
    }

    /// An operator gives a role.
    pub(crate) async fn grant(&self, username: &str, role: &str) {
        let event = json!({
            "action": "grant_role", "username": username, "role": role, "operator": OPERATOR,
        });
        let answer = invoke(&self.database_url, "migrate", &event).await;
        assert_eq!(answer, json!({ "username": username, "role": role }));
    }
}

/// An address of this machine that no other test uses.
pub(crate) fn own_address() -> IpAddr {
    let [a, b, c, ..] = *Uuid::new_v4().as_bytes();
    IpAddr::from([127, a.max(1), b, c.clamp(1, 254)])
}

/// Invokes a function by itself.
pub(crate) async fn invoke(database_url: &str, function: &str, event: &Value) -> Value {
    let output = try_invoke(database_url, &[], function, event).await;
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{log}");
    for secret in ["@example.com", "k4.secret.", "k4.local.", "$argon2"] {
        assert!(!log.contains(secret), "{secret} was logged: {log}");
    }
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The same with more arguments, whatever comes of it.
pub(crate) async fn try_invoke(
    database_url: &str,
    more: &[&str],
    function: &str,
    event: &Value,
) -> Output {
    let (arguments, event) = (arguments(database_url), event.to_string());
    let arguments = arguments.iter().map(String::as_str).chain(more.iter().copied());
    let arguments: Vec<&str> = arguments.chain(["invoke", function, "--data", &event]).collect();
    support::run(&arguments).await
}

pub(crate) fn sign_up(username: &str) -> Value {
    json!({
        "username": username,
        "password": PASSWORD,
        "full_name": "Alice Liddell",
        "email": format!("{username}@example.com"),
    })
}

pub(crate) fn key() -> String {
    Uuid::new_v4().to_string()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// Somebody with a session.
pub(crate) struct Customer<'a> {
    pub(crate) bank: &'a Bank,
    pub(crate) username: String,
    pub(crate) session_id: String,
    pub(crate) access_token: String,
    pub(crate) refresh_token: String,
}

impl Customer<'_> {
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.bank.send(Method::GET, path, |request| request.bearer_auth(&self.access_token)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_text(path, &body.to_string()).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Answer {
        let send = self.bank.send(Method::PATCH, path, |request| {
            request.bearer_auth(&self.access_token).json(body)
        });
        send.await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.bank
            .send(Method::DELETE, path, |request| request.bearer_auth(&self.access_token))
            .await
    }

    /// `/users/` and their name.
    pub(crate) fn path(&self) -> String {
        format!("/users/{}", self.username)
    }

    /// With a new idempotency key, and a body that calls itself JSON.
    pub(crate) async fn post_text(&self, path: &str, body: &str) -> Answer {
        self.bank
            .send(Method::POST, path, |request| {
                request
                    .bearer_auth(&self.access_token)
                    .header("idempotency-key", key())
                    .header("content-type", "application/json")
                    .body(body.to_owned())
            })
            .await
    }

    /// Opens an account and puts so much into it; its number.
    pub(crate) async fn account(&self, currency: &str, balance: i64) -> i64 {
        let opened = self.post("/accounts", &json!({ "currency": currency })).await;
        assert_eq!(opened.status, 201, "{}", opened.body);
        let id = opened.body["id"].as_i64().unwrap();
        if balance > 0 {
            let path = format!("/accounts/{id}/deposits");
            let deposited = self.post(&path, &json!({ "amount": balance })).await;
            assert_eq!(deposited.status, 201, "{}", deposited.body);
        }
        id
    }

    pub(crate) async fn balance(&self, account: i64) -> i64 {
        let account = self.get(&format!("/accounts/{account}")).await;
        assert_eq!(account.status, 200, "{}", account.body);
        account.body["balance"].as_i64().unwrap()
    }

    pub(crate) async fn transfer(&self, from: i64, to: i64, amount: i64) -> Answer {
        self.post("/transfers", &transfer(from, to, amount)).await
    }
}

pub(crate) fn transfer(from: i64, to: i64, amount: i64) -> Value {
    json!({ "from_account_id": from, "to_account_id": to, "amount": amount, "currency": "USD" })
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// The JSON body; null when it is empty, and a string when it is a page.
    pub(crate) body: Value,
}

impl Answer {
    /// Asserts a problem as RFC 9457 and the contract want it.
    #[track_caller]
    pub(crate) fn assert_problem(&self, status: u16, code: &str) {
        assert_eq!((self.status.as_u16(), &self.body["code"]), (status, &json!(code)), "{self:?}");
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(self.headers["cache-control"], "no-store");
        assert_eq!(self.headers["x-content-type-options"], "nosniff");
        assert_eq!(self.body["status"], status);
        assert_eq!(self.body["type"], format!("https://simplebank.dev/problems/{code}"));
        assert_eq!(self.body["instance"], self.headers["x-amzn-requestid"].to_str().unwrap());
        for words in ["title", "detail"] {
            assert!(self.body[words].as_str().is_some_and(|text| !text.is_empty()), "{words}");
        }
        assert_eq!(self.headers.contains_key("www-authenticate"), status == 401);
        assert_eq!(self.headers.contains_key("retry-after"), status == 503 || status == 429);
    }

    /// The body without what differs from request to request.
    pub(crate) fn anonymous(mut self) -> Value {
        self.body["instance"].take();
        self.body
    }

    pub(crate) fn violated(&self) -> Vec<&str> {
        let violations = self.body["violations"].as_array().into_iter().flatten();
        violations.map(|violation| violation["field"].as_str().unwrap()).collect()
    }
}
