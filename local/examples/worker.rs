//! A function for the gateway's tests: it prints every event, and does what the messages in it say.
//! A request it answers with its environment.

use std::{
    io::{Write, stdout},
    path::Path,
    time::Duration,
};

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::{Map, Value, json};
use tokio::time::sleep;

#[tokio::main]
async fn main() -> Result<(), Error> {
    run(service_fn(handle)).await
}

async fn handle(invocation: LambdaEvent<Value>) -> Result<Value, Error> {
    let event = invocation.payload;
    let Some(records) = event.get("Records").and_then(Value::as_array) else {
        let environment: Map<String, Value> =
            variables().map(|(name, value)| (name, Value::String(value))).collect();
        return Ok(json!({"statusCode": 200, "body": Value::Object(environment).to_string()}));
    };
    writeln!(stdout(), "event {event}")?;
    let mut failures = Vec::new();
    for record in records {
        let body = record.get("body").and_then(Value::as_str).unwrap_or_default();
        if let Some(file) = body.strip_prefix("wait for ") {
            writeln!(stdout(), "waiting")?;
            while !Path::new(file).exists() {
                sleep(Duration::from_millis(5)).await;
            }
        }
        match body {
            "fail" => failures.push(json!({"itemIdentifier": record.get("messageId")})),
            "hang" => sleep(Duration::from_hours(1)).await,
            "nonsense" => return Ok(json!({"batchItemFailures": [{"itemIdentifier": "?"}]})),
            "panic" => planted(),
            _ => {}
        }
    }
    Ok(json!({"batchItemFailures": failures}))
}

#[expect(clippy::panic, reason = "what the function is for")]
fn planted() {
    panic!("planted");
}

#[expect(clippy::disallowed_methods, reason = "the test wants to see what the process was given")]
fn variables() -> std::env::Vars {
    std::env::vars()
}
