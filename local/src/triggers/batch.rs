//! Messages of a queue as Lambda hands them to a function, and what the answer says about them.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_sqs::types::{Message, MessageAttributeValue};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::template::REGION;

/// The event for a function.
pub(super) fn event(messages: &[Message], queue_arn: &str) -> Value {
    let records: Vec<Value> = messages.iter().map(|message| record(message, queue_arn)).collect();
    json!({ "Records": records })
}

fn record(message: &Message, queue_arn: &str) -> Value {
    let attributes: BTreeMap<&str, &String> = message
        .attributes()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.as_str(), value))
        .collect();
    let message_attributes: BTreeMap<&String, Value> = message
        .message_attributes()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name, message_attribute(value)))
        .collect();
    let mut record = json!({
        "messageId": message.message_id(),
        "receiptHandle": message.receipt_handle(),
        "body": message.body(),
        "attributes": attributes,
        "messageAttributes": message_attributes,
        "md5OfBody": message.md5_of_body(),
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": REGION,
    });
    if let (Some(record), Some(md5)) = (record.as_object_mut(), message.md5_of_message_attributes())
    {
        record.insert("md5OfMessageAttributes".to_owned(), json!(md5));
    }
    record
}

fn message_attribute(value: &MessageAttributeValue) -> Value {
    let mut attribute = json!({
        "stringListValues": [],
        "binaryListValues": [],
        "dataType": value.data_type(),
    });
    if let Some(attribute) = attribute.as_object_mut() {
        if let Some(text) = value.string_value() {
            attribute.insert("stringValue".to_owned(), json!(text));
        }
        if let Some(bytes) = value.binary_value() {
            attribute.insert("binaryValue".to_owned(), json!(STANDARD.encode(bytes)));
        }
    }
    attribute
}

/// What a function with `ReportBatchItemFailures` answers.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BatchResponse {
    batch_item_failures: Option<Vec<ItemFailure>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ItemFailure {
    item_identifier: String,
}

/// The messages that the answer does not call done, by their ids; all of them have failed if it
/// cannot be understood, and then it says why.
pub(super) fn failures<'m>(
    answer: &[u8],
    messages: &'m [Message],
) -> Result<BTreeSet<&'m str>, String> {
    // An answer of null, or without a list, names none.
    let response: Option<BatchResponse> =
        serde_json::from_slice(answer).map_err(|error| error.to_string())?;
    let failures = response.and_then(|response| response.batch_item_failures).unwrap_or_default();
    failures
        .iter()
        .map(|ItemFailure { item_identifier }| {
            let mut ids = messages.iter().filter_map(Message::message_id);
            ids.find(|id| id == item_identifier)
                .ok_or_else(|| format!("{item_identifier:?} is none of the batch"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use aws_sdk_sqs::{primitives::Blob, types::MessageSystemAttributeName};

    use super::*;

    fn message(id: &str) -> Message {
        Message::builder().message_id(id).receipt_handle("handle").body("{}").build()
    }

    #[test]
    fn a_function_is_told_as_by_lambda() {
        let attribute = |data_type: &str| MessageAttributeValue::builder().data_type(data_type);
        let message = Message::builder()
            .message_id("1")
            .receipt_handle("handle")
            .body("{}")
            .md5_of_body("99914b932bd37a50b983c5e7c90ae93b")
            .md5_of_message_attributes("d41d8cd98f00b204e9800998ecf8427e")
            .attributes(MessageSystemAttributeName::ApproximateReceiveCount, "1")
            .attributes(MessageSystemAttributeName::SentTimestamp, "1700000000000")
            .message_attributes("a", attribute("String").string_value("x").build().unwrap())
            .message_attributes(
                "b",
                attribute("Binary").binary_value(Blob::new(b"\0")).build().unwrap(),
            )
            .build();
        let expected = json!({ "Records": [{
            "messageId": "1",
            "receiptHandle": "handle",
            "body": "{}",
            "attributes": { "ApproximateReceiveCount": "1", "SentTimestamp": "1700000000000" },
            "messageAttributes": {
                "a": {
                    "stringValue": "x",
                    "stringListValues": [],
                    "binaryListValues": [],
                    "dataType": "String",
                },
                "b": {
                    "binaryValue": "AA==",
                    "stringListValues": [],
                    "binaryListValues": [],
                    "dataType": "Binary",
                },
            },
            "md5OfBody": "99914b932bd37a50b983c5e7c90ae93b",
            "md5OfMessageAttributes": "d41d8cd98f00b204e9800998ecf8427e",
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn",
            "awsRegion": "us-east-1",
        }] });
        assert_eq!(event(&[message], "arn"), expected);
    }

    #[test]
    fn answers_are_understood_as_lambda_does() {
        let messages = [message("1"), message("2")];
        for (answer, expected) in [
            ("null", Some(vec![])),
            ("{}", Some(vec![])),
            (r#"{"other": 1}"#, Some(vec![])),
            (r#"{"batchItemFailures": null}"#, Some(vec![])),
            (r#"{"batchItemFailures": []}"#, Some(vec![])),
            (r#"{"batchItemFailures": [{"itemIdentifier": "2"}]}"#, Some(vec!["2"])),
            (
                r#"{"batchItemFailures": [{"itemIdentifier": "2"}, {"itemIdentifier": "2"}]}"#,
                Some(vec!["2"]),
            ),
            (r#"{"batchItemFailures": [{"itemIdentifier": ""}]}"#, None),
            (r#"{"batchItemFailures": [{"itemIdentifier": null}]}"#, None),
            (r#"{"batchItemFailures": [{"itemIdentifier": "3"}]}"#, None),
            (r#"{"batchItemFailures": [{"id": "1"}]}"#, None),
            (r#"{"batchItemFailures": ["1"]}"#, None),
            (r#"{"batchItemFailures": {}}"#, None),
            ("[]", None),
            ("\"done\"", None),
            ("", None),
            ("nonsense", None),
        ] {
            let expected = expected.map(|ids: Vec<&str>| ids.into_iter().collect());
            assert_eq!(failures(answer.as_bytes(), &messages).ok(), expected, "{answer}");
        }
    }
}
