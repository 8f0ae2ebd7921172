use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use aws_lambda_events::event::sqs::SqsEvent;
use serde_json::json;
use shared::{
    bank::MailingTools,
    domain::{Addressee, Claim, Username, VerificationId},
    store::StoreError,
    tasks::{Letter, MailError, Mailer},
    testing::{MockStore, unavailable},
};

use crate::handler::handle;

/// Whoever is addressed decides what happens.
#[derive(Clone, Default)]
struct Post(Arc<Mutex<Vec<String>>>);

#[async_trait]
impl Mailer for Post {
    async fn send(&self, letter: &Letter) -> Result<(), MailError> {
        match letter.to.as_str() {
            "refused@example.com" => {
                return Err(MailError { reason: "MessageRejected".to_owned() });
            }
            "panic@example.com" => panic!("a defect"),
            "hangs@example.com" => std::future::pending().await,
            to => self.0.lock().unwrap().push(to.to_owned()),
        }
        Ok(())
    }
}

fn addressee(email: &str) -> Claim {
    let username = Username::parse("alice").unwrap();
    Claim::Granted(Addressee { email: email.to_owned(), username })
}

/// What the store says of each task.
fn claim(id: VerificationId) -> Result<Claim, StoreError> {
    Ok(match id.0 {
        1 => addressee("one@example.com"),
        2 => addressee("two@example.com"),
        3 => addressee("refused@example.com"),
        4 => addressee("panic@example.com"),
        5 => addressee("hangs@example.com"),
        6 => Claim::Done,
        7 => Claim::Busy,
        8 => addressee("eight@example.com\r\nBcc: everybody@example.com"),
        9 => return Err(unavailable()),
        _ => addressee("unmarked@example.com"),
    })
}

fn store() -> MockStore {
    let mut store = MockStore::new();
    store.expect_claim_verification().returning(|id, _, _, _| claim(id));
    store.expect_finish_verification().returning(|id, _| {
        assert!([1, 2, 10].contains(&id.0), "{id:?} was not mailed");
        if id.0 == 10 { Err(unavailable()) } else { Ok(()) }
    });
    store.expect_release_verification().returning(|id, _| {
        assert!([3, 8].contains(&id.0), "{id:?} did not come to an end");
        Ok(())
    });
    store
}

/// The messages that failed, and the mails.
async fn work(bodies: &[&str]) -> (Vec<String>, Vec<String>) {
    let records: Vec<_> = bodies
        .iter()
        .enumerate()
        .map(|(number, body)| {
            json!({ "messageId": format!("m{number}"), "body": body, "eventSource": "aws:sqs" })
        })
        .collect();
    let event: SqsEvent = serde_json::from_value(json!({ "Records": records })).unwrap();
    let post = Post::default();
    let tools = MailingTools {
        store: Box::new(store()),
        mailer: Box::new(post.clone()),
        public_url: "https://api.example.com".to_owned(),
    };
    let answer = handle(&tools, event).await;
    let failures = answer.batch_item_failures.into_iter().map(|item| item.item_identifier);
    let mut mails = post.0.lock().unwrap().clone();
    mails.sort();
    (failures.collect(), mails)
}

#[tokio::test]
async fn an_empty_list_of_failures_says_that_all_is_well() {
    let (failures, mails) = work(&[r#"{"email_id":1}"#, r#"{"email_id":2}"#]).await;
    assert_eq!(
        (failures.len(), mails),
        (0, vec!["one@example.com".into(), "two@example.com".into()])
    );
    assert_eq!(work(&[]).await, (vec![], vec![]));
    assert_eq!(work(&[r#"{"email_id":6}"#]).await, (vec![], vec![]), "it was mailed before");
}

#[tokio::test]
async fn messages_of_one_task_are_one() {
    let one = r#"{"email_id":1}"#;
    assert_eq!(work(&[one, one, one]).await, (vec![], vec!["one@example.com".into()]));
    let (failures, mails) = work(&[r#"{"email_id":3}"#, r#"{"email_id":3}"#]).await;
    assert_eq!((failures, mails.len()), (vec!["m0".into(), "m1".into()], 0));
}

/// Whatever happens to one of them, time stood still included, the others are mailed.
#[tokio::test(start_paused = true)]
async fn each_message_is_worked_on_by_itself() {
    let bodies: Vec<String> = (1..=10).map(|id| format!("{{\"email_id\":{id}}}")).collect();
    let mut bodies: Vec<&str> = bodies.iter().map(String::as_str).collect();
    bodies.extend(["{", "", r#"{"email_id":"1"}"#, r#"{"username":"alice"}"#]);
    let (mut failures, mails) = work(&bodies).await;
    failures.sort();
    // Busy, refused, panicked, hung, unwritable, without a store, not marked; and those that are no tasks.
    let mut expected: Vec<String> =
        [2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13].map(|number| format!("m{number}")).to_vec();
    expected.sort();
    assert_eq!(failures, expected);
    let mailed = ["one@example.com", "two@example.com", "unmarked@example.com"];
    assert_eq!(mails, mailed.map(str::to_owned));
}
