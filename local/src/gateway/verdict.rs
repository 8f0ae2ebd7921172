//! What an authorizer answers: a policy and what it knows about the caller.

use std::time::Duration;

use aws_lambda_events::{apigw::ApiGatewayCustomAuthorizerResponse, iam::IamPolicyStatement};
use serde_json::{Map, Value};

use super::policy;

/// What the authorizer said about a token. The policy is evaluated anew for every request.
#[derive(Clone)]
pub(super) struct Verdict {
    statements: Vec<IamPolicyStatement>,
    context: Map<String, Value>,
}

impl Verdict {
    /// Whether the caller may do what the ARN names.
    pub(super) fn allows(&self, method_arn: &str) -> bool {
        policy::allows(&self.statements, method_arn)
    }

    /// What a function is told about its caller, and how long it took to find out.
    pub(super) fn into_context(mut self, latency: Duration) -> Map<String, Value> {
        let latency_ms = u64::try_from(latency.as_millis()).unwrap_or(u64::MAX);
        self.context.insert("integrationLatency".to_owned(), Value::from(latency_ms));
        self.context
    }
}

/// Reads what the authorizer answered, or says what is wrong with it.
pub(super) fn read(answer: &[u8]) -> Result<Verdict, String> {
    let answer: ApiGatewayCustomAuthorizerResponse =
        serde_json::from_slice(answer).map_err(|error| error.to_string())?;
    let principal = answer.principal_id.ok_or("principalId is missing")?;
    let mut context = match answer.context {
        Value::Null => Map::new(),
        Value::Object(context) => context.into_iter().map(text).collect::<Result<_, _>>()?,
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            return Err("context is not an object".to_owned());
        }
    };
    context.insert("principalId".to_owned(), Value::String(principal));
    let statements = answer.policy_document.statement;
    if statements.iter().any(|statement| statement.condition.is_some()) {
        return Err("conditions in policies are not supported".to_owned());
    }
    Ok(Verdict { statements, context })
}

/// A function is given every value of the context as text.
fn text((key, value): (String, Value)) -> Result<(String, Value), String> {
    match value {
        Value::String(_) => Ok((key, value)),
        Value::Bool(_) | Value::Number(_) => Ok((key, Value::String(value.to_string()))),
        Value::Null | Value::Array(_) | Value::Object(_) => {
            Err(format!("context.{key} is not a text, a number or a boolean"))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn context_values_become_texts() {
        let answer = json!({
            "principalId": "me",
            "policyDocument": {"Version": "2012-10-17", "Statement": []},
            "context": {"name": "Ada", "age": 36, "admin": true},
        });
        let verdict = read(answer.to_string().as_bytes()).unwrap();
        let expected = json!({"principalId": "me", "name": "Ada", "age": "36", "admin": "true"});
        assert_eq!(Value::Object(verdict.context), expected);
    }

    #[test]
    fn a_malformed_answer_is_told_apart() {
        let policy = json!({"Statement": []});
        let cases = [
            json!(null),
            json!({}),
            json!({"principalId": "me"}),
            json!({"policyDocument": policy}),
            json!({"principalId": "me", "policyDocument": policy, "context": []}),
            json!({"principalId": "me", "policyDocument": policy, "context": {"a": []}}),
        ];
        for answer in cases {
            assert!(read(answer.to_string().as_bytes()).is_err(), "{answer}");
        }
    }
}
