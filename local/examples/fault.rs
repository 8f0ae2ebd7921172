//! A function for the gateway's tests: it does what the path parameter `deed` says, good or bad. Outside
//! Lambda it says who it is and what it was given, and waits for the end.

use std::{path::Path, process, time::Duration};

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::{Value, json};
use tokio::{
    signal::unix::{SignalKind, signal},
    time::sleep,
};

#[tokio::main]
async fn main() -> Result<(), Error> {
    if variables().any(|(name, _)| name == "AWS_LAMBDA_RUNTIME_API") {
        return run(service_fn(handle)).await;
    }
    let mut terminate = signal(SignalKind::terminate())?;
    say(&json!({"pid": process::id(), "env": environment()}));
    terminate.recv().await;
    say(&json!("terminated"));
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the test listens there")]
fn say(what: &Value) {
    println!("{what}");
}

async fn handle(invocation: LambdaEvent<Value>) -> Result<Value, Error> {
    let (event, context) = invocation.into_parts();
    match text(&event, "/pathParameters/deed") {
        "pid" => Ok(answer(&process::id().to_string())),
        "bytes" => Ok(json!({
            "statusCode": 200,
            "headers": {"content-type": "application/octet-stream"},
            "body": event.get("body"),
            "isBase64Encoded": true,
        })),
        "meet" => meet(&event).await,
        "hang" => {
            sleep(Duration::from_hours(1)).await;
            Ok(answer("too late"))
        }
        "flood" => Ok(answer(&"x".repeat(7 * 1024 * 1024))),
        "exit" => process::exit(3),
        "fail" => Err("it went wrong".into()),
        "malformed" => Ok(json!("no answer to a request")),
        _ => Ok(answer(&echo(&event, context.deadline, &context.invoked_function_arn))),
    }
}

/// Leaves a file and waits until there are as many as should meet.
async fn meet(event: &Value) -> Result<Value, Error> {
    let place = Path::new(text(event, "/queryStringParameters/place"));
    let expected: usize = text(event, "/queryStringParameters/expected").parse()?;
    let pid = process::id().to_string();
    std::fs::write(place.join(&pid), "")?;
    while std::fs::read_dir(place)?.count() < expected {
        sleep(Duration::from_millis(5)).await;
    }
    Ok(answer(&pid))
}

fn echo(event: &Value, deadline_ms: u64, arn: &str) -> String {
    json!({"event": event, "deadlineMs": deadline_ms, "arn": arn, "env": environment()}).to_string()
}

fn environment() -> serde_json::Map<String, Value> {
    variables().map(|(name, value)| (name, Value::String(value))).collect()
}

#[expect(clippy::disallowed_methods, reason = "the test wants to see what the process was given")]
fn variables() -> std::env::Vars {
    std::env::vars()
}

fn answer(body: &str) -> Value {
    json!({"statusCode": 200, "body": body})
}

fn text<'e>(event: &'e Value, pointer: &str) -> &'e str {
    event.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}
