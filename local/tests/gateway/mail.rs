//! The mail that the emulator took can be read.

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::worker;
use crate::support::{Emulator, Gateway};

/// Sends a mail as the bank does: raw, in text and in HTML.
async fn send(emulator: &Emulator, to: &str, second: u32) {
    let mime = format!(
        "Date: Wed, 25 Nov 2026 14:00:0{second} +0000\r\n\
         From: no-reply@example.com\r\n\
         To: {to}\r\n\
         Subject: Verify your <address>\r\n\
         MIME-Version: 1.0\r\n\
         Content-Type: multipart/alternative; boundary=b\r\n\r\n\
         --b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
         Hello <you>, see http://127.0.0.1:8080/verify_email?id=1&code=x.\r\n\
         --b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n\
         <p>Hello &lt;you&gt;</p><script>alert(1)</script>\r\n\
         --b--\r\n"
    );
    let mail = json!({
        "FromEmailAddress": "no-reply@example.com",
        "Destination": { "ToAddresses": [to] },
        "Content": { "Raw": { "Data": STANDARD.encode(mime) } },
    });
    emulator.ses("outbound-emails", mail).await;
}

async fn json_at(gateway: &Gateway, path: &str) -> Value {
    let request = gateway.get(path).header("accept", "application/json");
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "application/json");
    response.json().await.unwrap()
}

async fn page_at(gateway: &Gateway, path: &str) -> String {
    let response = gateway.get(path).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let headers = response.headers();
    assert_eq!(headers["content-type"], "text/html; charset=utf-8");
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none';") && !policy.contains("script"), "{policy}");
    response.text().await.unwrap()
}

#[tokio::test]
async fn mail_can_be_read_by_programs_and_by_people() {
    let emulator = Emulator::start().await;
    let gateway = worker(&emulator, &[]).await;
    assert_eq!(json_at(&gateway, "/_local/mail").await, json!([]));
    assert!(page_at(&gateway, "/_local/mail").await.contains("No mail yet."));

    send(&emulator, "Alice@example.com", 1).await;
    send(&emulator, "bob@example.com", 2).await;
    let all = json_at(&gateway, "/_local/mail").await;
    let addresses: Vec<&Value> = all.as_array().unwrap().iter().map(|mail| &mail["to"]).collect();
    assert_eq!(addresses, ["bob@example.com", "Alice@example.com"]);
    let expected = json!([{
        "to": "Alice@example.com",
        "subject": "Verify your <address>",
        "text": "Hello <you>, see http://127.0.0.1:8080/verify_email?id=1&code=x.",
        "html": "<p>Hello &lt;you&gt;</p><script>alert(1)</script>",
        "sent_at": "2026-11-25T14:00:01Z",
    }]);
    assert_eq!(json_at(&gateway, "/_local/mail?to=alice@EXAMPLE.com").await, expected);
    assert_eq!(json_at(&gateway, "/_local/mail?to=carol@example.com").await, json!([]));

    let list = page_at(&gateway, "/_local/mail?to=bob%40example.com").await;
    assert!(list.contains("Verify your &lt;address&gt;</a>") && !list.contains("Alice"), "{list}");
    let (_, link) = list.split_once("<li><a href=\"").unwrap();
    let (link, _) = link.split_once('"').unwrap();
    let mail = page_at(&gateway, link).await;
    for part in [
        "Hello &lt;you&gt;, see <a href=\"http://127.0.0.1:8080/verify_email?id=1&amp;code=x\">",
        "<iframe title=\"HTML\" sandbox=\"allow-popups ",
        "srcdoc=\"&lt;base target=&quot;_top&quot;&gt;&lt;p&gt;Hello &amp;lt;you&amp;gt;&lt;/p&gt;",
    ] {
        assert!(mail.contains(part), "{mail}");
    }
    assert!(!mail.contains("<script"), "{mail}");
    let none = gateway.get("/_local/mail/none").send().await.unwrap();
    assert_eq!(none.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_emulator_that_cannot_show_its_mail_is_named() {
    let mut emulator = Emulator::start().await;
    let gateway = worker(&emulator, &[]).await;
    emulator.stop().await;
    let response = gateway.get("/_local/mail").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::BAD_GATEWAY);

    // Something else at its place.
    let listener = tokio::net::TcpListener::bind(emulator.url.trim_start_matches("http://")).await;
    let router = axum::Router::new();
    tokio::spawn(async move { axum::serve(listener.unwrap(), router).await });
    let response = gateway.get("/_local/mail").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::NOT_IMPLEMENTED);
    let text = response.text().await.unwrap();
    assert!(text.contains("is not moto") && text.contains("404 Not Found"), "{text}");
}
