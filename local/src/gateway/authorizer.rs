//! Asks the authorizer function about a token, and remembers its answer for a while.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use aws_lambda_events::{apigw::ApiGatewayCustomAuthorizerResponse, iam::IamPolicyStatement};
use axum::http::HeaderMap;
use serde_json::{Map, Value, json};

use super::{INTEGRATION_LIMIT, call::Call, gateway_response::ResponseType, policy};
use crate::{
    console,
    lambda::{Invocation, InvokeError, Invoker},
    template::Authorizer,
};

/// The most answers that are remembered at a time.
const MAX_CACHED: usize = 1000;

/// An authorizer and the answers it has given.
pub(super) struct Guard {
    settings: Authorizer,
    cache: Mutex<HashMap<String, Cached>>,
}

/// What the authorizer said about a token. The policy is evaluated anew for every request.
#[derive(Clone)]
struct Verdict {
    statements: Vec<IamPolicyStatement>,
    context: Map<String, Value>,
}

struct Cached {
    verdict: Verdict,
    until: Instant,
}

impl Guard {
    pub(super) fn new(settings: Authorizer) -> Self {
        Self { settings, cache: Mutex::default() }
    }

    /// Lets the call through or refuses it; what the authorizer told is noted in the call.
    pub(super) async fn authorize(
        &self,
        call: &mut Call,
        lambda: &Invoker,
    ) -> Result<(), ResponseType> {
        let token = self.token(&call.head.headers).ok_or(ResponseType::Unauthorized)?;
        let verdict = match self.remembered(&token) {
            Some(verdict) => verdict,
            None => self.ask(&token, call, lambda).await?,
        };
        call.authorizer = Some(verdict.context);
        if policy::allows(&verdict.statements, &call.method_arn()) {
            Ok(())
        } else {
            Err(ResponseType::AccessDenied)
        }
    }

    /// The one token of the request, if it looks like a token.
    fn token(&self, headers: &HeaderMap) -> Option<String> {
        let mut values = headers.get_all(&self.settings.header).iter();
        let token = values.next()?.to_str().ok()?;
        let looks_right =
            self.settings.validation.as_ref().is_none_or(|expression| expression.is_match(token));
        (values.next().is_none() && looks_right).then(|| token.to_owned())
    }

    async fn ask(
        &self,
        token: &str,
        call: &Call,
        lambda: &Invoker,
    ) -> Result<Verdict, ResponseType> {
        let asked = Instant::now();
        let event = json!({
            "type": "TOKEN",
            "authorizationToken": token,
            "methodArn": call.method_arn(),
        });
        let invocation =
            Invocation { payload: event.to_string().into(), trace_id: call.trace_id.clone() };
        let answer = lambda.invoke(&self.settings.function, invocation, INTEGRATION_LIMIT).await;
        let answer = answer.map_err(|error| failure(&error, call))?;
        let mut verdict = read(&answer).map_err(|problem| {
            console::log(&format!(
                "[gateway] {call}: malformed answer of the authorizer: {problem}"
            ));
            ResponseType::AuthorizerConfigurationError
        })?;
        self.remember(token, &verdict);
        let latency_ms = u64::try_from(asked.elapsed().as_millis()).unwrap_or(u64::MAX);
        note_latency(&mut verdict, latency_ms);
        Ok(verdict)
    }

    fn remembered(&self, token: &str) -> Option<Verdict> {
        let cache = self.cache();
        let mut verdict =
            cache.get(token).filter(|cached| Instant::now() < cached.until)?.verdict.clone();
        note_latency(&mut verdict, 0);
        Some(verdict)
    }

    fn remember(&self, token: &str, verdict: &Verdict) {
        let now = Instant::now();
        let Some(until) = now.checked_add(self.settings.ttl).filter(|until| *until > now) else {
            return;
        };
        let mut cache = self.cache();
        if cache.len() >= MAX_CACHED {
            cache.retain(|_, cached| now < cached.until);
        }
        // Still full of answers that hold: forgetting them only costs asking again.
        if cache.len() >= MAX_CACHED {
            cache.clear();
        }
        cache.insert(token.to_owned(), Cached { verdict: verdict.clone(), until });
    }

    fn cache(&self) -> MutexGuard<'_, HashMap<String, Cached>> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An authorizer says no to a token by failing with exactly this word.
fn failure(error: &InvokeError, call: &Call) -> ResponseType {
    match error {
        InvokeError::Function(error) if error.error_message == "Unauthorized" => {
            ResponseType::Unauthorized
        }
        InvokeError::Function(_)
        | InvokeError::FunctionTimeout(_)
        | InvokeError::CallerTimeout
        | InvokeError::Throttled
        | InvokeError::TooLarge
        | InvokeError::Unreachable(_) => {
            console::log(&format!("[gateway] {call}: the authorizer failed: {error}"));
            ResponseType::AuthorizerFailure
        }
    }
}

fn read(answer: &[u8]) -> Result<Verdict, String> {
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

fn note_latency(verdict: &mut Verdict, latency_ms: u64) {
    verdict.context.insert("integrationLatency".to_owned(), Value::from(latency_ms));
}

#[cfg(test)]
mod tests {
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
