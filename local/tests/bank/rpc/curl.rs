//! The original's JSON paths, by a program that knows nothing of gRPC.

use std::process::Stdio;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use tokio::process::Command;
use uuid::Uuid;

use crate::bank::{
    mail::{MailingBank, email},
    people::{Answer, Bank, PASSWORD, WRONG_PASSWORD},
};

const USER: [&str; 5] = ["created_at", "email", "full_name", "password_changed_at", "username"];
const BAD_REQUEST: &str = "type.googleapis.com/google.rpc.BadRequest";

/// Runs curl with a body and more arguments.
async fn curl(bank: &Bank, method: &str, path: &str, body: &str, more: &[&str]) -> Answer {
    let url = format!("{}{path}", bank.gateway.url);
    let output = Command::new("curl")
        .args(["--silent", "--show-error", "--include", "--max-time", "60"])
        .args(["--request", method, "--data-binary", body])
        .args(more)
        .arg(&url)
        .stdin(Stdio::null())
        .output()
        .await
        .expect("curl: run the tests by `make test`");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers: HeaderMap = lines
        .map(|line| {
            let (name, value) = line.split_once(": ").unwrap();
            (HeaderName::try_from(name).unwrap(), HeaderValue::try_from(value).unwrap())
        })
        .collect();
    let body: Value = serde_json::from_str(body).unwrap_or_else(|_| panic!("not JSON: {body}"));
    for token in ["access_token", "refresh_token"] {
        if let Some(token) = body[token].as_str() {
            bank.gateway.keep_secret(token);
        }
    }
    assert_eq!(headers["content-type"], "application/json", "{body}");
    assert_eq!(headers["cache-control"], "no-store");
    Answer { status, headers, body }
}

async fn post(bank: &Bank, path: &str, body: &Value) -> Answer {
    curl(bank, "POST", path, &body.to_string(), &[]).await
}

#[track_caller]
fn assert_keys(value: &Value, expected: &[&str]) {
    let mut keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, expected, "{value}");
}

/// Asserts an error, and that it says nothing that the original's did not.
#[track_caller]
fn assert_refused(answer: &Answer, status: u16, code: u8) {
    assert_eq!(
        (answer.status.as_u16(), &answer.body["code"]),
        (status, &json!(code)),
        "{answer:?}"
    );
    assert!(answer.body["message"].as_str().is_some_and(|it| !it.is_empty()), "{answer:?}");
    let has_details = answer.body.get("details").is_some();
    let keys = if has_details { &["code", "details", "message"][..] } else { &["code", "message"] };
    assert_keys(&answer.body, keys);
}

/// Asserts that these fields are wrong, each with a description.
#[track_caller]
fn assert_violated(answer: &Answer, fields: &[&str]) {
    assert_refused(answer, 400, 3);
    assert_eq!(answer.body["message"], "invalid parameters");
    let [details] = &answer.body["details"].as_array().unwrap()[..] else {
        panic!("one kind of details: {answer:?}");
    };
    assert_keys(details, &["@type", "field_violations"]);
    assert_eq!(details["@type"], BAD_REQUEST);
    let violations = details["field_violations"].as_array().unwrap();
    let mut violated = Vec::new();
    for violation in violations {
        assert_keys(violation, &["description", "field"]);
        assert!(violation["description"].as_str().is_some_and(|it| !it.is_empty()));
        violated.push(violation["field"].as_str().unwrap());
    }
    violated.sort_unstable();
    assert_eq!(violated, fields, "{answer:?}");
}

fn is_time(value: &Value) -> bool {
    value.as_str().is_some_and(|it| it.starts_with("20") && it.ends_with('Z'))
}

fn new_name() -> String {
    format!("user_{}", Uuid::new_v4().simple())
}

#[tokio::test]
async fn the_originals_clients_find_what_they_know() {
    let post_office = MailingBank::start().await;
    let bank = &post_office.bank;
    let name = new_name();

    // Either spelling, and what is not known is passed over.
    let sign_up = json!({
        "username": name, "password": PASSWORD, "email": email(&name), "fullName": "Zoë Łukasz",
        "favourite_colour": ["green", null],
    });
    let signed_up = post(bank, "/v1/create_user", &sign_up).await;
    assert_eq!(signed_up.status, 200, "{signed_up:?}");
    assert_keys(&signed_up.body, &["user"]);
    let user = &signed_up.body["user"];
    assert_keys(user, &USER);
    assert_eq!((&user["username"], &user["email"]), (&json!(name), &json!(email(&name))));
    assert_eq!(user["full_name"], "Zoë Łukasz");
    assert!(is_time(&user["created_at"]) && is_time(&user["password_changed_at"]), "{user}");
    assert_refused(&post(bank, "/v1/create_user", &sign_up).await, 409, 6);

    // The number is a string for those to whom a number of this size is none.
    let mailed = post_office.wait_for_mail(&email(&name), 1).await;
    let (_, query) = mailed.link.split_once("?email_id=").unwrap();
    let (id, code) = query.split_once("&secret_code=").unwrap();
    let wrong = json!({ "email_id": id.parse::<i64>().unwrap(), "secret_code": "0".repeat(32) });
    assert_refused(&post(bank, "/v1/verify_email", &wrong).await, 404, 5);
    let verified =
        post(bank, "/v1/verify_email", &json!({ "emailId": id, "secretCode": code })).await;
    assert_eq!((verified.status.as_u16(), verified.body), (200, json!({ "is_verified": true })));
    let spent = json!({ "email_id": id.parse::<i64>().unwrap(), "secret_code": code });
    assert_refused(&post(bank, "/v1/verify_email", &spent).await, 400, 9);

    let log_in = json!({ "username": name, "password": PASSWORD });
    let logged_in = post(bank, "/v1/login_user", &log_in).await;
    assert_eq!(logged_in.status, 200, "{logged_in:?}");
    let keys = [
        "access_token",
        "access_token_expires_at",
        "refresh_token",
        "refresh_token_expires_at",
        "session_id",
        "user",
    ];
    assert_keys(&logged_in.body, &keys);
    assert_eq!(logged_in.body["user"], *user);
    assert!(is_time(&logged_in.body["access_token_expires_at"]));
    assert!(is_time(&logged_in.body["refresh_token_expires_at"]));
    let guess = json!({ "username": name, "password": WRONG_PASSWORD });
    let refused = post(bank, "/v1/login_user", &guess).await;
    assert_refused(&refused, 401, 16);

    // A change needs a session, and what matters needs the password.
    let token = logged_in.body["access_token"].as_str().unwrap();
    let bearer = format!("Authorization: Bearer {token}");
    let patch = async |change: Value| {
        curl(bank, "PATCH", "/v1/update_user", &change.to_string(), &["-H", &bearer]).await
    };
    let changed = patch(json!({ "username": name, "full_name": "Zoë 李" })).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    assert_keys(&changed.body, &["user"]);
    assert_keys(&changed.body["user"], &USER);
    assert_eq!(changed.body["user"]["full_name"], "Zoë 李");
    let other = "a lake under seven tall cranes";
    bank.gateway.keep_secret(other);
    let change = json!({ "username": name, "password": other });
    assert_violated(&patch(change).await, &["current_password"]);
    let change = json!({ "username": name, "password": other, "currentPassword": PASSWORD });
    let changed = patch(change).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    assert_ne!(changed.body["user"]["password_changed_at"], user["password_changed_at"]);
    let others = json!({ "username": bank.customer().await.username, "full_name": "Mallory" });
    let refused = patch(others).await;
    assert_refused(&refused, 404, 5);
    let nobody = curl(bank, "PATCH", "/v1/update_user", "{}", &[]).await;
    assert_refused(&nobody, 401, 16);
    assert!(nobody.headers["www-authenticate"].to_str().unwrap().starts_with("Bearer"));
}

#[tokio::test]
async fn what_is_wrong_is_told_in_the_originals_words() {
    let bank = &Bank::start().await;
    let all = ["email", "full_name", "password", "username"];
    for body in ["", "{}", "  \n", r#"{"username": null}"#, r#"{"username": ""}"#] {
        let answer = curl(bank, "POST", "/v1/create_user", body, &[]).await;
        assert_violated(&answer, &all);
    }
    assert_violated(
        &post(bank, "/v1/verify_email", &json!({})).await,
        &["email_id", "secret_code"],
    );
    assert_violated(&post(bank, "/v1/login_user", &json!({})).await, &["password", "username"]);

    let bodies = [
        "{",
        "[]",
        "null",
        "\"text\"",
        "17",
        "{} {}",
        "{\"username\": 17}",
        "{\"username\": [\"a\"]}",
        "{\"username\": \"\\ud800\"}",
        "username=alice&password=secret",
    ];
    for body in bodies {
        let answer = curl(bank, "POST", "/v1/create_user", body, &[]).await;
        assert_refused(&answer, 400, 3);
        assert_keys(&answer.body, &["code", "message"]);
    }
    for id in [r#""a""#, r#""""#, "1.5", "9223372036854775808", r#""9223372036854775808""#, "true"]
    {
        let body = format!(r#"{{"email_id": {id}, "secret_code": "{}"}}"#, "0".repeat(32));
        let answer = curl(bank, "POST", "/v1/verify_email", &body, &[]).await;
        assert_refused(&answer, 400, 3);
    }
    // What nobody has is not there, in either writing of the number.
    for id in ["7", r#""7""#, "7.0", "9007199254740991"] {
        let body = format!(r#"{{"email_id": {id}, "secret_code": "{}"}}"#, "0".repeat(32));
        let answer = curl(bank, "POST", "/v1/verify_email", &body, &[]).await;
        assert_refused(&answer, 404, 5);
    }
    // How a body calls itself never mattered.
    for name in ["text/plain", "application/x-www-form-urlencoded", "nonsense", ""] {
        let header = format!("Content-Type: {name}");
        let answer = curl(bank, "POST", "/v1/create_user", "{}", &["-H", &header]).await;
        assert_violated(&answer, &all);
    }
}
