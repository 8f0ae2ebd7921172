//! The body's fields: taken if and only if the body is one JSON object in which each name stands once, and as
//! what they were sent as.
#![no_main]

use std::sync::Arc;

use fuzz::{block_on, members};
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};
use shared::{
    bank::BankError,
    http::{MAX_BODY_BYTES, Reply, Request},
    testing::{Event, send_to},
};

fuzz_target!(|data: &[u8]| {
    let object: Option<Map<String, Value>> = serde_json::from_slice(data).ok();
    let is_each_once = object
        .as_ref()
        .is_some_and(|object| str::from_utf8(data).is_ok_and(|text| members(text) == object.len()));
    let is_flat = object.as_ref().is_some_and(|object| {
        object.values().all(|value| match value.as_str() {
            Some(text) => !text.chars().any(char::is_control),
            None => value.as_i64().is_some(),
        })
    });

    let take_all = async |_: Arc<()>, request: Request| -> Result<Reply, BankError> {
        let mut fields = request.body_fields()?;
        let object = object.as_ref().expect("an object, since its fields were taken");
        for (name, sent) in object {
            assert!(fields.has(name));
            let is_sent = |value: Value| assert!(value == *sent || !is_each_once, "{name}");
            if sent.is_i64() {
                fields.integer(name, |number| Ok(is_sent(number.into())));
            } else {
                fields.text(name, |text| Ok(is_sent(text.into())));
            }
        }
        fields.finish(|| Some(()))?;
        Reply::ok(&())
    };
    let event = Event::new("POST /accounts").bytes("application/json", data);
    let answer = block_on(send_to(Arc::new(()), take_all, event));

    let expected = match () {
        () if data.len() > MAX_BODY_BYTES => (413, "payload_too_large"),
        () if object.is_none() => (400, "malformed_request"),
        () if is_each_once && is_flat => (200, ""),
        () => (400, "invalid_argument"),
    };
    assert_eq!((answer.status, answer.code()), expected);
    assert_eq!(answer.violated().is_empty(), expected.1 != "invalid_argument");
});
