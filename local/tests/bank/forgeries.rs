//! Every forged token that the verifiers' own tests know, shown to the running bank.

use reqwest::Method;
use serde_json::json;
use shared::{
    auth::TokenFormat,
    clock::{Clock, SystemClock},
    domain::{Caller, SessionId, Username},
    testing::Forger,
};

use super::people::{Answer, Bank, keys};

/// Whether the gateway takes it for a token: three or four parts in letters of base64url.
fn has_shape(token: &str) -> bool {
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
    let parts: Vec<&str> = token.split('.').collect();
    let is_count_right = (3..=4).contains(&parts.len()) && !parts[0].is_empty();
    is_count_right && parts.iter().all(|part| part.chars().all(is_letter))
}

async fn open_forged(format: TokenFormat, parameter: &str) {
    let bank = Bank::start_with(&["--parameter", parameter]).await;
    let alice = bank.customer().await;
    let caller = Caller {
        username: Username::parse(&alice.username).unwrap(),
        session_id: SessionId(alice.session_id.parse().unwrap()),
    };
    let forger = Forger::new(&keys().0, "dev", &caller, SystemClock.now());
    let show = async |token: &str| -> Answer {
        bank.send(Method::GET, "/accounts", |request| request.bearer_auth(token)).await
    };

    for genuine in [&alice.access_token, &forger.genuine(format)] {
        assert_eq!(show(genuine).await.status, 200, "{genuine}");
    }
    let expired = show(&forger.expired(format)).await;
    expired.assert_problem(401, "token_expired");
    assert_eq!(expired.headers["www-authenticate"], "Bearer error=\"invalid_token\"");

    let mut shapely = 0;
    for (what, token) in forger.forgeries(format) {
        // HTTP itself ends a header before its last spaces, and takes no header of this length.
        if token.ends_with(' ') || token.len() > 8_000 {
            continue;
        }
        let (code, challenge) = if has_shape(&token) {
            shapely += 1;
            ("invalid_token", "Bearer error=\"invalid_token\"")
        } else {
            ("unauthenticated", "Bearer")
        };
        let answer = show(&token).await;
        assert_eq!(answer.body["code"], code, "{what}: {token}");
        answer.assert_problem(401, code);
        assert_eq!(answer.headers["www-authenticate"], challenge);

        // The other door has no gateway that looks at the shape.
        let path = "/simplebank.v1.SimpleBank/ListAccounts";
        let call = |request: reqwest::RequestBuilder| request.json(&json!({})).bearer_auth(&token);
        let answer = bank.send(Method::POST, path, call).await;
        assert_eq!(answer.status, 401, "{what}: {token}");
        assert_eq!(answer.body["code"], "unauthenticated", "{what}: {token}");
    }
    assert!(shapely > 50, "{shapely} reached the authorizer");
}

#[tokio::test]
async fn forged_pasetos_open_nothing() {
    open_forged(TokenFormat::Paseto, "TokenFormat=paseto").await;
}

#[tokio::test]
async fn forged_jwts_open_nothing() {
    open_forged(TokenFormat::Jwt, "TokenFormat=jwt").await;
}
