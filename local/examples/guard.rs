//! An authorizer for the gateway's tests: the token says how it is to decide.

use std::sync::atomic::{AtomicU64, Ordering};

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::{Value, json};

/// How often this process has been asked.
static ASKED: AtomicU64 = AtomicU64::new(0);

#[tokio::main]
async fn main() -> Result<(), Error> {
    run(service_fn(handle)).await
}

async fn handle(invocation: LambdaEvent<Value>) -> Result<Value, Error> {
    let event = invocation.payload;
    let method_arn = event.get("methodArn").cloned().unwrap_or_default();
    let asked = ASKED.fetch_add(1, Ordering::SeqCst);
    let token = event.get("authorizationToken").and_then(Value::as_str).unwrap_or_default();
    match token.strip_prefix("Bearer ").unwrap_or_default() {
        "everything" => Ok(policy("Allow", &json!("*"), asked)),
        "this" => Ok(policy("Allow", &method_arn, asked)),
        "nothing" => Ok(policy("Deny", &json!("*"), asked)),
        "malformed" => Ok(json!({"principalId": "tester"})),
        "crash" => Err("the keys are missing".into()),
        _ => Err("Unauthorized".into()),
    }
}

fn policy(effect: &str, resource: &Value, asked: u64) -> Value {
    let statement = json!({"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource});
    json!({
        "principalId": "tester",
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {"asked": asked, "reason": "not today"},
    })
}
