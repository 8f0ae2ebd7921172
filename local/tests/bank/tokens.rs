//! Who gets in: every route of the template, with everybody who should not.

use reqwest::Method;
use serde_json::{Value, json};
use shared::{
    auth::TokenFormat,
    clock::{Clock, SystemClock},
    domain::{Caller, SessionId, Username},
    testing::Forger,
};

use super::people::{Answer, Bank, Customer, ROOT, key, keys, transfer};
use crate::support;

/// What somebody who is signed in gets on a route that is about alice's things.
#[derive(Debug, Clone, Copy)]
enum Gets {
    /// Nothing of hers: the route is about whoever asks.
    Own(u16),
    /// What anybody gets who asks for what is not there.
    NotFound,
    /// A banker may.
    Hers,
}

/// A route that needs a token, and a request for alice's things on it.
struct Guarded {
    route: &'static str,
    body: fn(&Scene) -> Value,
    depositor: Gets,
    banker: Gets,
}

const NONE: fn(&Scene) -> Value = |_| json!({});
const AMOUNT: fn(&Scene) -> Value = |_| json!({ "amount": 1 });

/// Routes without an authorizer, and how a request on them is answered by the function. What is behind
/// those of `rpc` verifies tokens by itself, as its own tests show for every method.
const OPEN: [(&str, u16); 14] = [
    ("POST /users", 400),
    ("POST /users/login", 400),
    ("POST /tokens/renew_access", 400),
    ("GET /verify_email", 400),
    ("POST /verify_email", 400),
    ("POST /simplebank.v1.SimpleBank/{method}", 404),
    ("POST /v1/create_user", 400),
    ("PATCH /v1/update_user", 401),
    ("POST /v1/login_user", 400),
    ("POST /v1/verify_email", 400),
    ("GET /docs", 200),
    ("GET /docs/{asset}", 404),
    ("GET /openapi.json", 200),
    ("GET /healthz", 200),
];

const GUARDED: [Guarded; 15] = [
    guarded("POST /users/logout", NONE, Gets::Own(204), Gets::Own(204)),
    guarded("GET /sessions", NONE, Gets::Own(200), Gets::Own(200)),
    guarded("DELETE /sessions/{id}", NONE, Gets::NotFound, Gets::NotFound),
    guarded("GET /users/{username}", NONE, Gets::NotFound, Gets::Hers),
    guarded("PATCH /users/{username}", NONE, Gets::NotFound, Gets::Hers),
    guarded("POST /verify_email/resend", NONE, Gets::Own(202), Gets::Own(202)),
    guarded("POST /accounts", |_| json!({ "currency": "CAD" }), Gets::Own(201), Gets::Own(201)),
    guarded("GET /accounts", NONE, Gets::Own(200), Gets::Own(200)),
    guarded("GET /accounts/{id}", NONE, Gets::NotFound, Gets::NotFound),
    guarded("GET /accounts/{id}/entries", NONE, Gets::NotFound, Gets::NotFound),
    guarded("POST /accounts/{id}/deposits", AMOUNT, Gets::NotFound, Gets::NotFound),
    guarded("POST /accounts/{id}/withdrawals", AMOUNT, Gets::NotFound, Gets::NotFound),
    guarded(
        "POST /transfers",
        |scene| transfer(scene.account, scene.others_account, 1),
        Gets::NotFound,
        Gets::NotFound,
    ),
    guarded("GET /transfers", NONE, Gets::Own(200), Gets::Own(200)),
    guarded("GET /transfers/{id}", NONE, Gets::NotFound, Gets::NotFound),
];

const fn guarded(
    route: &'static str,
    body: fn(&Scene) -> Value,
    depositor: Gets,
    banker: Gets,
) -> Guarded {
    Guarded { route, body, depositor, banker }
}

/// Alice, what is hers, and an account that others paid her from.
struct Scene {
    username: String,
    session: String,
    account: i64,
    others_account: i64,
    transfer: i64,
}

impl Scene {
    async fn set(bank: &Bank, alice: &Customer<'_>) -> Self {
        let bob = bank.customer().await;
        let account = alice.account("USD", 100).await;
        let others_account = bob.account("USD", 0).await;
        let paid = alice.transfer(account, others_account, 10).await;
        Self {
            username: alice.username.clone(),
            session: alice.session_id.clone(),
            account,
            others_account,
            transfer: paid.body["transfer"]["id"].as_i64().unwrap(),
        }
    }

    /// The route's method and a path to alice's things.
    fn address(&self, route: &str) -> (Method, String) {
        let (method, path) = route.split_once(' ').unwrap();
        let id = match path.split('/').nth(1) {
            Some("sessions") => self.session.clone(),
            Some("transfers") => self.transfer.to_string(),
            _ => self.account.to_string(),
        };
        let path = path
            .replace("{method}", "Nothing")
            .replace("{asset}", "nothing")
            .replace("{id}", &id)
            .replace("{username}", &self.username);
        (method.parse().unwrap(), path)
    }

    async fn ask(&self, bank: &Bank, route: &str, body: &Value, header: Option<&str>) -> Answer {
        let (method, path) = self.address(route);
        bank.send(method.clone(), &path, |request| {
            let request = request.header("idempotency-key", key());
            let request = match header {
                Some(header) => request.header("authorization", header),
                None => request,
            };
            if method == Method::GET { request } else { request.json(body) }
        })
        .await
    }

    /// Whether an answer tells of alice's things.
    fn is_hers(&self, answer: &Answer) -> bool {
        let body = answer.body.to_string();
        body.contains(&self.username)
            || body.contains(&self.session)
            || body.contains(&format!(":{},", self.account))
    }
}

/// A token of somebody's that was good once.
fn expired(customer: &Customer<'_>) -> String {
    let caller = Caller {
        username: Username::parse(&customer.username).unwrap(),
        session_id: SessionId(customer.session_id.parse().unwrap()),
    };
    Forger::new(&keys().0, "dev", &caller, SystemClock.now()).expired(TokenFormat::Paseto)
}

/// A route that is added without a row above fails here.
#[tokio::test]
async fn every_route_is_tried() {
    let template = format!("--template={ROOT}/template.yaml");
    let output = support::run(&["routes", &template]).await;
    let table = String::from_utf8(output.stdout).unwrap();
    let mut routes: Vec<(String, bool)> = table
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .map(|row| (format!("{} {}", row[0], row[1]), row[3] != "-"))
        .collect();
    let guarded = GUARDED.iter().map(|row| (row.route.to_owned(), true));
    let open = OPEN.iter().map(|(route, _)| ((*route).to_owned(), false));
    let mut tried: Vec<(String, bool)> = guarded.chain(open).collect();
    routes.sort();
    tried.sort();
    assert_eq!(routes, tried);
}

#[tokio::test]
async fn nobody_gets_in_by_no_token_or_a_bad_one() {
    let bank = Bank::start().await;
    let alice = bank.customer().await;
    let scene = Scene::set(&bank, &alice).await;
    let expired = expired(&alice);
    let refusals = [
        (None, "unauthenticated", "Bearer"),
        (Some("Bearer".to_owned()), "unauthenticated", "Bearer"),
        (Some("Bearer garbage".to_owned()), "unauthenticated", "Bearer"),
        (Some("Basic YTpi".to_owned()), "unauthenticated", "Bearer"),
        (Some("none".to_owned()), "unauthenticated", "Bearer"),
        // No dots: not even the shape of an access token.
        (Some(format!("Bearer {}", alice.refresh_token)), "unauthenticated", "Bearer"),
        (
            Some("Bearer v4.public.AAAA.BBBB".to_owned()),
            "invalid_token",
            "Bearer error=\"invalid_token\"",
        ),
        (Some(format!("Bearer {expired}")), "token_expired", "Bearer error=\"invalid_token\""),
    ];
    for row in &GUARDED {
        for (header, code, challenge) in &refusals {
            let body = (row.body)(&scene);
            let answer = scene.ask(&bank, row.route, &body, header.as_deref()).await;
            answer.assert_problem(401, code);
            assert_eq!(answer.headers["www-authenticate"], challenge, "{}", row.route);
        }
    }
    for (route, status) in OPEN {
        for (header, ..) in &refusals {
            let answer = scene.ask(&bank, route, &json!({}), header.as_deref()).await;
            assert_eq!(answer.status, status, "the header is not looked at: {answer:?}");
        }
    }
    assert_eq!(alice.balance(scene.account).await, 90);
}

/// The gateway keeps the authorizer's answer; the end of a session is seen all the same.
#[tokio::test]
async fn a_session_ends_on_the_next_request() {
    let bank = Bank::start().await;
    let alice = bank.customer().await;
    let scene = Scene::set(&bank, &alice).await;
    let other = bank.log_in(&alice.username).await;
    let session = format!("/sessions/{}", alice.session_id);
    assert_eq!(other.delete(&session).await.status, 204);

    let header = format!("Bearer {}", alice.access_token);
    for row in &GUARDED {
        let body = (row.body)(&scene);
        let answer = scene.ask(&bank, row.route, &body, Some(&header)).await;
        answer.assert_problem(401, "session_ended");
        assert_eq!(answer.headers["www-authenticate"], "Bearer error=\"invalid_token\"");
    }
    assert_eq!(other.balance(scene.account).await, 90, "the other session goes on");
}

#[tokio::test]
async fn others_get_what_is_theirs_whatever_their_role() {
    let bank = Bank::start().await;
    let alice = bank.customer().await;
    let scene = Scene::set(&bank, &alice).await;
    let (mallory, banker) = (bank.customer().await, bank.customer().await);
    bank.grant(&banker.username, "banker").await;

    for row in &GUARDED {
        for (who, gets) in [(&mallory, row.depositor), (&banker, row.banker)] {
            // Some rows end the session.
            let who = bank.log_in(&who.username).await;
            let header = format!("Bearer {}", who.access_token);
            let body = (row.body)(&scene);
            let answer = scene.ask(&bank, row.route, &body, Some(&header)).await;
            match gets {
                Gets::Own(status) => {
                    assert_eq!(answer.status, status, "{}: {answer:?}", row.route);
                    assert!(!scene.is_hers(&answer), "{}: {answer:?}", row.route);
                }
                Gets::NotFound => answer.assert_problem(404, "not_found"),
                Gets::Hers => {
                    assert_eq!(answer.status, 200, "{}: {answer:?}", row.route);
                    assert!(scene.is_hers(&answer), "{}: {answer:?}", row.route);
                }
            }
        }
    }
    assert_eq!(alice.balance(scene.account).await, 90);
    assert_eq!(alice.get("/sessions").await.status, 200);
}

#[tokio::test]
async fn the_scheme_is_read_without_regard_to_case() {
    let bank = Bank::start().await;
    let alice = bank.customer().await;
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let header = format!("{scheme} {}", alice.access_token);
        let answer = bank
            .send(Method::GET, "/accounts", |request| request.header("authorization", header))
            .await;
        assert_eq!(answer.status, 200, "{scheme}");
    }
}
