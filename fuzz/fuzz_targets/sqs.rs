//! The worker's batches: each message that is a task is claimed, each other one is named as failed, and the
//! mail of one task is one.
#![no_main]

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use aws_lambda_events::event::sqs::SqsEvent;
use fuzz::block_on;
use libfuzzer_sys::fuzz_target;
use shared::{
    bank::MailingTools,
    domain::{Addressee, Claim, MAX_MINOR_UNITS, VerificationId},
    tasks::TaskMessage,
    testing::{MockMailer, MockStore},
};

/// Tasks of odd numbers are wanted.
fn claim(id: VerificationId) -> Claim {
    let addressee =
        Addressee { email: format!("user{}@example.com", id.0), full_name: "Alice".to_owned() };
    if id.0 % 2 == 1 { Claim::Granted(addressee) } else { Claim::Done }
}

fuzz_target!(|data: &[u8]| {
    let Ok(event) = serde_json::from_slice::<SqsEvent>(data) else { return };
    let (mut tasks, mut strangers) = (BTreeSet::new(), Vec::new());
    for record in &event.records {
        match record.body.as_deref().and_then(TaskMessage::parse) {
            Some(task) => {
                assert!((1..=MAX_MINOR_UNITS).contains(&task.id.0));
                assert_eq!(TaskMessage::parse(&task.text()), Some(task));
                tasks.insert(task.id);
            }
            None => strangers.push(record.message_id.clone().unwrap_or_default()),
        }
    }

    let claimed = Arc::new(Mutex::new(Vec::new()));
    let mut store = MockStore::new();
    let seen = Arc::clone(&claimed);
    store.expect_claim_verification().returning(move |id, _, _, _| {
        seen.lock().unwrap().push(id);
        Ok(claim(id))
    });
    let wanted = tasks.iter().filter(|id| id.0 % 2 == 1).count();
    store.expect_finish_verification().times(wanted).returning(|_, _| Ok(()));
    let mut mailer = MockMailer::new();
    mailer.expect_send().times(wanted).returning(|_| Ok(()));
    let public_url = "https://api.example.com".to_owned();
    let tools = MailingTools { store: Box::new(store), mailer: Box::new(mailer), public_url };
    let answer = block_on(send_verify_email::handle(&tools, event));

    let mut claimed = claimed.lock().unwrap().clone();
    claimed.sort();
    assert_eq!(claimed, tasks.into_iter().collect::<Vec<_>>());
    let failed: Vec<String> =
        answer.batch_item_failures.into_iter().map(|item| item.item_identifier).collect();
    assert_eq!(failed, strangers);
});
