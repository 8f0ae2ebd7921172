use std::time::Duration;

use serde_json::json;
use shared::{
    domain::VerificationId,
    store::StoreError,
    testing::{
        Answer, Event, MockStore, MockTaskQueue, StoreFailure, clock, defect, outcome_unknown,
        queue_for, send, unavailable, unpublished,
    },
};

use crate::handler::{App, route};

const CODE: &str = "0123456789abcdef0123456789abcdef";
const TASK: VerificationId = VerificationId(4711);

fn app(store: MockStore) -> App {
    with_queue(store, MockTaskQueue::new())
}

fn with_queue(store: MockStore, queue: MockTaskQueue) -> App {
    App { store: Box::new(store), queue: Box::new(queue), clock: Box::new(clock()) }
}

fn store_that(spends: impl Fn() -> Result<(), StoreError> + Send + 'static) -> MockStore {
    let mut store = MockStore::new();
    let hash = shared::auth::VerificationCode::parse(CODE).unwrap().hash();
    store
        .expect_spend_verification()
        .once()
        .withf(move |id, code_hash| *id == TASK && *code_hash == hash)
        .returning(move |_, _| spends());
    store
}

fn post() -> Event {
    Event::new("POST /verify_email")
}

fn json_event() -> Event {
    post().json(&json!({ "email_id": 4711, "secret_code": CODE })).header("accept", "text/html")
}

fn form_event() -> Event {
    post()
        .form(&format!("email_id=4711&secret_code={CODE}"))
        .header("accept", "text/html,*/*;q=0.8")
}

/// A browser may use the page's own style, send its form back, and nothing else.
fn assert_is_a_page(answer: &Answer, status: u16, words: &str) {
    assert_eq!(answer.status, status, "{}", answer.page);
    assert!(answer.page.contains(words), "{}", answer.page);
    assert_eq!(answer.headers["referrer-policy"], "no-referrer");
    assert_eq!(answer.headers["x-frame-options"], "DENY");
    let policy = answer.headers["content-security-policy"].to_str().unwrap();
    for directive in ["default-src 'none'", "form-action 'self'", "frame-ancestors 'none'"] {
        assert!(policy.contains(directive), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    assert!(!answer.page.contains("<script") && answer.page.contains("<html lang=\"en\">"));
}

#[tokio::test]
async fn the_page_has_one_button_and_asks_nobody() {
    let event =
        Event::new("GET /verify_email").query("email_id", "4711").query("secret_code", CODE);
    let answer = send(app(MockStore::new()), route, event).await;
    assert_is_a_page(&answer, 200, "<button type=\"submit\">Confirm</button>");
    assert_eq!(answer.page.matches("<button").count(), 1);
    for field in [
        "<form method=\"post\" action=\"verify_email\">",
        "name=\"email_id\" value=\"4711\"",
        &format!("name=\"secret_code\" value=\"{CODE}\""),
    ] {
        assert!(answer.page.contains(field), "{}", answer.page);
    }
}

#[tokio::test]
async fn a_code_is_spent_by_json_or_by_the_form() {
    let answer = send(app(store_that(|| Ok(()))), route, json_event()).await;
    assert_eq!((answer.status, answer.body), (200, json!({ "is_verified": true })));

    let form = post().form(&format!("email_id=4711&secret_code={CODE}"));
    let answer = send(app(store_that(|| Ok(()))), route, form).await;
    assert_eq!((answer.status, answer.body), (200, json!({ "is_verified": true })));

    let answer = send(app(store_that(|| Ok(()))), route, form_event()).await;
    assert_is_a_page(&answer, 200, "Your e-mail address is confirmed");
}

#[tokio::test]
async fn what_the_store_says_becomes_a_problem_or_a_page() {
    let cases: Vec<(StoreFailure, u16, &str, &str)> = vec![
        (|| StoreError::NotFound, 404, "not_found", "not one of ours"),
        (|| StoreError::CodeSpent, 410, "code_spent", "of no use any more"),
        (unavailable, 503, "unavailable", "That did not work"),
        (outcome_unknown, 503, "outcome_unknown", "That did not work"),
        (defect, 500, "internal", "That did not work"),
    ];
    for (error, status, code, words) in cases {
        let answer = send(app(store_that(move || Err(error()))), route, json_event()).await;
        assert_eq!((answer.status, answer.code()), (status, code));
        let answer = send(app(store_that(move || Err(error()))), route, form_event()).await;
        assert_is_a_page(&answer, status, words);
        assert_eq!(answer.headers.contains_key("retry-after"), status == 503);
    }
}

#[tokio::test]
async fn bad_fields_are_all_named_and_nobody_is_asked() {
    let long = "0".repeat(33);
    for (id, code, expected) in [
        ("", "", vec!["email_id", "secret_code"]),
        ("0", CODE, vec!["email_id"]),
        ("-1", CODE, vec!["email_id"]),
        ("04711", CODE, vec!["email_id"]),
        ("9007199254740992", CODE, vec!["email_id"]),
        ("99999999999999999999", CODE, vec!["email_id"]),
        ("1 OR 1=1", CODE, vec!["email_id"]),
        ("4711", "short", vec!["secret_code"]),
        ("4711", &long, vec!["secret_code"]),
        ("4711", "0123456789ABCDEF0123456789ABCDEF", vec!["secret_code"]),
        ("4711", "<script>alert(1)</script>", vec!["secret_code"]),
    ] {
        let show = Event::new("GET /verify_email").query("email_id", id).query("secret_code", code);
        let form = post().form(&format!("email_id={id}&secret_code={code}"));
        let body = post().json(&json!({ "email_id": id.parse::<i64>().ok(), "secret_code": code }));
        for event in [show.clone(), form.clone()] {
            let answer = send(app(MockStore::new()), route, event).await;
            assert_eq!((answer.status, answer.code()), (400, "invalid_argument"), "{id} {code}");
            assert_eq!(answer.violated(), expected, "{id} {code}");
        }
        // A number of JSON has no leading zeros to lose.
        if id != "04711" {
            let answer = send(app(MockStore::new()), route, body).await;
            assert_eq!((answer.status, answer.violated()), (400, expected), "{id} {code}");
        }
        for event in [show, form] {
            let answer =
                send(app(MockStore::new()), route, event.header("accept", "text/html")).await;
            assert_is_a_page(&answer, 400, "not one of ours");
            assert!(code.is_empty() || !answer.page.contains(code), "{}", answer.page);
        }
    }

    let twice = form_event().form(&format!("email_id=1&email_id=2&secret_code={CODE}&x=1"));
    let twice = twice.header("accept", "*/*");
    let answer = send(app(MockStore::new()), route, twice).await;
    assert_eq!(answer.violated(), ["email_id", "x"]);
    let answer = send(app(MockStore::new()), route, json_event().query("email_id", "4711")).await;
    assert_eq!(
        (answer.status, answer.violated()),
        (400, vec!["email_id"]),
        "a query beside a body"
    );
    let answer =
        send(app(MockStore::new()), route, post().header("content-type", "text/plain")).await;
    assert_eq!((answer.status, answer.code()), (415, "unsupported_media_type"));
}

fn resend() -> Event {
    Event::new("POST /verify_email/resend").signed_in("alice")
}

#[tokio::test]
async fn a_further_mail_is_published_at_once() {
    let mut store = MockStore::new();
    store
        .expect_request_verification()
        .once()
        .withf(|caller| caller.username.as_str() == "alice")
        .returning(|_| Ok(Some(TASK)));
    store.expect_mark_published().once().withf(|ids| ids == [TASK]).returning(|_| Ok(()));
    let answer = send(with_queue(store, queue_for(TASK)), route, resend()).await;
    assert_eq!(answer.status, 202);

    let mut store = MockStore::new();
    store.expect_request_verification().once().returning(|_| Ok(Some(TASK)));
    let mut queue = MockTaskQueue::new();
    queue.expect_publish().once().returning(|_| Err(unpublished()));
    let answer = send(with_queue(store, queue), route, resend()).await;
    assert_eq!(answer.status, 202, "the relay will do it");

    let mut store = MockStore::new();
    store.expect_request_verification().once().returning(|_| Ok(None));
    let answer = send(app(store), route, resend()).await;
    assert_eq!(answer.status, 202, "it is verified: there is nothing to send");
}

#[tokio::test]
async fn a_further_mail_needs_a_caller_and_some_patience() {
    for (event, status, code) in [
        (resend().signed_out(), 401, "unauthenticated"),
        (resend().signed_in_for("alice", 0), 401, "token_expired"),
        (resend().query("x", "1"), 400, "invalid_argument"),
    ] {
        let answer = send(app(MockStore::new()), route, event).await;
        assert_eq!((answer.status, answer.code()), (status, code));
    }
    let too_many: StoreFailure = || StoreError::TooManyMails(Duration::from_secs(42));
    let cases: Vec<(StoreFailure, u16, &str, Option<&str>)> = vec![
        (|| StoreError::SessionEnded, 401, "session_ended", None),
        (too_many, 429, "too_many_requests", Some("42")),
        (unavailable, 503, "unavailable", Some("1")),
        (defect, 500, "internal", None),
    ];
    for (error, status, code, retry_after) in cases {
        let mut store = MockStore::new();
        store.expect_request_verification().once().returning(move |_| Err(error()));
        let answer = send(app(store), route, resend()).await;
        assert_eq!((answer.status, answer.code()), (status, code));
        let header = answer.headers.get("retry-after").map(|value| value.to_str().unwrap());
        assert_eq!(header, retry_after);
    }
}
