//! The page at `/docs`, by which somebody who has no program yet moves money in a browser.

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, Uri},
    response::{IntoResponse, Response},
};
use chromiumoxide::cdp::browser_protocol::input::InsertTextParams;
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    time::{Duration, sleep, timeout},
};
use uuid::Uuid;

use super::{
    browser::{DESK, Screen, TELEPHONE},
    mail::{MailingBank, email},
    people::{Bank, PASSWORD, sign_up, transfer},
};

/// Where an endpoint's block shows what came back.
const ANSWER: &str = " .live-responses-table .response";

/// One endpoint on the page.
struct Endpoint<'screen> {
    screen: &'screen Screen,
    /// The selector of its block.
    block: String,
}

impl<'screen> Endpoint<'screen> {
    /// Finds it by method and path, and opens it unless it is open.
    async fn open(screen: &'screen Screen, route: &str) -> Self {
        let (method, path) = route.split_once(' ').unwrap();
        let method = method.to_lowercase();
        let block = format!(".opblock-{method}:has([data-path='{path}'])");
        let endpoint = Self { screen, block };
        endpoint.wait_for(" .opblock-summary-control").await;
        if !endpoint.has(".is-open").await {
            endpoint.press(" .opblock-summary-control").await;
        }
        endpoint.wait_for(" .execute").await;
        endpoint
    }

    fn selector(&self, rest: &str) -> String {
        format!("{}{rest}", self.block)
    }

    async fn has(&self, rest: &str) -> bool {
        self.screen.page.find_element(self.selector(rest)).await.is_ok()
    }

    async fn wait_for(&self, rest: &str) {
        self.screen.wait_for(&self.selector(rest)).await;
    }

    async fn press(&self, rest: &str) {
        self.screen.click(&self.selector(rest)).await;
    }

    async fn fill(&self, rest: &str, text: &str) {
        self.screen.fill(&self.selector(rest), text).await;
    }

    async fn set(&self, parameter: &str, value: &str) {
        self.fill(&format!(" [data-param-name='{parameter}'] input"), value).await;
    }

    /// The key in its field.
    async fn key(&self) -> String {
        let field = self.selector(" [data-param-name='Idempotency-Key'] input");
        let field = self.screen.page.find_element(field).await.unwrap();
        field.string_property("value").await.unwrap().unwrap()
    }

    /// Sends a body, or none, and waits for the answer: its status as the page shows it, which is in sight.
    async fn send(&self, body: Option<&Value>) -> u16 {
        if let Some(body) = body {
            self.fill(" textarea.body-param__text", &body.to_string()).await;
        }
        if self.has(" .btn-clear").await {
            self.press(" .btn-clear").await;
            while self.has(" .live-responses-table").await {
                sleep(Duration::from_millis(20)).await;
            }
        }
        self.press(" .execute").await;
        self.wait_for(ANSWER).await;
        assert!(self.screen.shows(&self.selector(ANSWER)).await, "it is below what is seen");
        let status = self.selector(&format!("{ANSWER} .response-col_status"));
        self.screen.text(&status).await.unwrap().trim().parse().unwrap()
    }

    /// The same with what else is shown of an answer in JSON.
    async fn execute(&self, body: Option<&Value>) -> Shown {
        let status = self.send(body).await;
        let body = self.screen.text(&self.selector(&format!("{ANSWER} code"))).await.unwrap();
        let all = self.screen.text(&self.selector(ANSWER)).await.unwrap();
        Shown {
            status,
            body: serde_json::from_str(&body).unwrap_or_else(|_| panic!("{body}")),
            all,
        }
    }
}

/// An answer as the page shows it.
#[derive(Debug)]
struct Shown {
    status: u16,
    body: Value,
    /// With the headers.
    all: String,
}

impl Screen {
    async fn wait_for(&self, selector: &str) {
        let there = async {
            while self.page.find_element(selector).await.is_err() {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(Duration::from_secs(30), there).await.unwrap_or_else(|_| panic!("no {selector}"));
    }

    /// Whether it begins within what is seen.
    async fn shows(&self, selector: &str) -> bool {
        let top =
            format!("Math.round(document.querySelector(`{selector}`).getBoundingClientRect().top)");
        self.look(&format!("{top} >= 0 && {top} < innerHeight")).await == json!(true)
    }

    async fn waits_to_see(&self, selector: &str) {
        let there = async {
            while !self.shows(selector).await {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(Duration::from_secs(30), there)
            .await
            .unwrap_or_else(|_| panic!("{selector} is not seen"));
    }

    /// Types over what is there.
    async fn fill(&self, selector: &str, text: &str) {
        let field = self.scroll_to(selector).await;
        field.click().await.unwrap();
        field.call_js_fn("function() { this.select(); }", false).await.unwrap();
        self.page.execute(InsertTextParams::new(text)).await.unwrap();
    }

    async fn send(&self, route: &str, body: Option<&Value>, status: u16) -> Value {
        let shown = Endpoint::open(self, route).await.execute(body).await;
        assert_eq!(shown.status, status, "{route}: {shown:?}");
        shown.body
    }

    /// By the bar's button.
    async fn use_token_of(&self, name: &str) {
        let button = format!("//div[@id='tokens']/button[.='Act as {name}']");
        self.page.find_xpath(button).await.unwrap().click().await.unwrap();
        self.sees("#token", &format!("{name}’s access token is in use.")).await;
    }

    async fn assert_asked_only(&mut self, url: &str) {
        let (own, others): (Vec<String>, Vec<String>) = self
            .requests()
            .await
            .into_iter()
            .filter(|asked| !asked.starts_with("data:"))
            .partition(|asked| asked.starts_with(&format!("{url}/")));
        assert!(own.len() > 5, "it is heard what is asked: {own:?}");
        assert_eq!(others, [""; 0]);
    }

    /// By hand.
    async fn authorize(&self, token: &str) {
        self.click(".auth-wrapper > .authorize").await;
        self.wait_for(".auth-container input").await;
        self.fill(".auth-container input", token).await;
        self.click(".auth-btn-wrapper .authorize").await;
        self.wait_for(".auth-btn-wrapper .button:not(.authorize)").await;
        self.click(".auth-btn-wrapper .btn-done").await;
    }
}

#[tokio::test]
async fn somebody_moves_money_by_the_page_alone() {
    let post = MailingBank::start().await;
    let url = &post.bank.gateway.url;
    let [alice, bob] = ["alice", "bob"].map(|name| format!("{name}_{}", Uuid::new_v4().simple()));
    let mut screen = Screen::switch_on(DESK).await;
    screen.open(&format!("{url}/docs")).await;

    let (mut ids, mut tokens) = (Vec::new(), Vec::new());
    for name in [&alice, &bob] {
        screen.send("POST /users", Some(&sign_up(name)), 201).await;
        let credentials = json!({ "username": name, "password": PASSWORD });
        let session = screen.send("POST /users/login", Some(&credentials), 200).await;
        tokens.push(session["access_token"].as_str().unwrap().to_owned());
        screen.use_token_of(name).await;
        screen.send("POST /accounts", Some(&json!({ "currency": "USD" })), 201).await;
        let accounts = screen.send("GET /accounts", None, 200).await;
        ids.push(accounts[0]["id"].as_i64().unwrap());
    }
    let mailed = post.wait_for_mail(&email(&alice), 1).await;
    screen.send("POST /verify_email", Some(&mailed.body()), 200).await;

    // Back to her by hand: it is bob's token that is in use.
    screen.click(".auth-wrapper > .authorize").await;
    screen.wait_for(".auth-btn-wrapper .button:not(.authorize)").await;
    screen.click(".auth-btn-wrapper .button:not(.btn-done)").await;
    screen.click(".auth-btn-wrapper .btn-done").await;
    screen.sees("#token", "No access token is in use.").await;
    screen.authorize(&tokens[0]).await;
    screen.sees("#token", &format!("{alice}’s access token is in use.")).await;

    let lost = "[...document.querySelectorAll('#first-transfer a')].map(link => link.hash.slice(2).replace('/', '-'))
        .filter(name => !document.getElementById(`operations-${name}`))";
    assert_eq!(screen.look(lost).await, json!([]), "each step's link leads somewhere");
    screen.click("#first-transfer a[href='#/accounts/deposit']").await;
    screen.wait_for("#operations-accounts-deposit.is-open").await;
    screen.waits_to_see("#operations-accounts-deposit").await;
    assert_eq!(screen.look("location.hash").await, json!("#/accounts/deposit"));
    let deposit = Endpoint::open(&screen, "POST /accounts/{id}/deposits").await;
    deposit.set("id", &ids[0].to_string()).await;
    let first_key = deposit.key().await;
    assert!(first_key.len() == 32, "{first_key}");
    let amount = json!({ "amount": 10_000 });
    for is_replay in [false, true] {
        let shown = deposit.execute(Some(&amount)).await;
        assert_eq!((shown.status, &shown.body["account"]["balance"]), (201, &json!(10_000)));
        assert_eq!(shown.all.contains("idempotent-replayed"), is_replay, "{shown:?}");
        assert_eq!(deposit.key().await, first_key, "it stays until another is wanted");
    }
    deposit.press(" .new-key").await;
    screen.photograph("docs-deposit.png").await;
    assert_ne!(deposit.key().await, first_key);
    let shown = deposit.execute(Some(&amount)).await;
    assert_eq!((shown.status, &shown.body["account"]["balance"]), (201, &json!(20_000)));
    deposit.set("Idempotency-Key", "a-key-of-my-own-choice").await;
    let shown = deposit.execute(Some(&json!({ "amount": 1 }))).await;
    assert_eq!((shown.status, &shown.body["account"]["balance"]), (201, &json!(20_001)));

    let paid = screen.send("POST /transfers", Some(&transfer(ids[0], ids[1], 2_500)), 201).await;
    assert_eq!(paid["from_account"]["balance"], json!(17_501));
    screen.scroll_to(".opblock:has([data-path='/transfers']) .live-responses-table").await;
    screen.photograph("docs.png").await;

    screen.click(".models .models-control").await;
    screen.wait_for(".models.is-open .json-schema-2020-12").await;
    screen.click(".models .json-schema-2020-12-accordion").await;
    screen.wait_for(".models .json-schema-2020-12-property").await;
    screen.photograph("docs-schemas.png").await;

    assert_eq!(screen.complaints().await, [""; 0], "nothing was refused or missing");
    screen.assert_asked_only(url).await;

    // A token that is accepted no longer is not offered as if it were: by what the bank says of it, or after a
    // log-out.
    let ended = format!("UPDATE sessions SET revoked_at = now() WHERE username = '{alice}'");
    post.bank.sql(&ended).await;
    for (name, route, status) in [(&alice, "GET /accounts", 401), (&bob, "POST /users/logout", 204)]
    {
        assert_eq!(Endpoint::open(&screen, route).await.send(None).await, status);
        screen.sees("#token", &format!("{name}’s access token is no longer accepted.")).await;
        if name == &alice {
            screen.use_token_of(&bob).await;
        }
        assert_eq!(screen.text("#tokens button").await, None);
    }

    // What would have been refused is heard of.
    screen.look("document.body.setAttribute('style', 'margin: 0') ?? true").await;
    let complaints = screen.complaints().await.concat();
    assert!(complaints.contains("Content Security Policy"), "{complaints}");
    screen.switch_off().await;
}

/// The API as it is on AWS, below the name of its stage.
async fn below_a_stage(api: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/dev", listener.local_addr().unwrap());
    let stage = Router::new().fallback(pass_on).with_state(api.to_owned());
    let router = Router::new().nest("/dev", stage);
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

async fn pass_on(
    State(api): State<String>,
    method: Method,
    uri: Uri,
    mut headers: HeaderMap,
    body: Bytes,
) -> Response {
    headers.remove("host");
    let request = reqwest::Client::new().request(method, format!("{api}{uri}")).headers(headers);
    let answer = request.body(body).send().await.unwrap();
    let (status, headers) = (answer.status(), answer.headers().clone());
    (status, headers, answer.bytes().await.unwrap()).into_response()
}

#[tokio::test]
async fn the_page_works_on_a_telephone_and_below_a_stages_name() {
    let bank = Bank::start().await;
    let stage = below_a_stage(&bank.gateway.url).await;
    let mut screen = Screen::switch_on(TELEPHONE).await;
    screen.open(&format!("{stage}/docs")).await;
    screen.wait_for("#problem-list article").await;
    screen.assert_is_as_wide_as_the_screen().await;
    screen.photograph("docs-telephone.png").await;

    let transfers = Endpoint::open(&screen, "POST /transfers").await;
    transfers.wait_for(" .new-key").await;
    screen.assert_is_as_wide_as_the_screen().await;
    screen.scroll_to(&transfers.selector(" .new-key")).await;
    screen.photograph("docs-telephone-transfers.png").await;

    let name = format!("user_{}", Uuid::new_v4().simple());
    screen.send("POST /users", Some(&sign_up(&name)), 201).await;
    screen.assert_is_as_wide_as_the_screen().await;
    screen.scroll_to(".live-responses-table").await;
    screen.photograph("docs-telephone-answer.png").await;
    screen.assert_asked_only(&stage).await;

    // A problem has an address of its own.
    screen.open("about:blank").await;
    screen.open(&format!("{stage}/docs#problem-not_found")).await;
    screen.wait_for("#problem-not_found:target").await;
    screen.photograph("docs-problem.png").await;
    assert!(screen.shows(":target").await);
    assert_eq!(screen.complaints().await, [""; 0]);
    screen.switch_off().await;
}
