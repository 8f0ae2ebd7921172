//! Asks the authorizer function about a token, and remembers its answer for a while.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use axum::http::HeaderMap;
use serde_json::json;

use super::{
    INTEGRATION_LIMIT, call::Call, response_type::ResponseType, verdict, verdict::Verdict,
};
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
        let asked = Instant::now();
        let verdict = match self.remembered(&token) {
            Some(verdict) => verdict,
            None => self.ask(&token, call, lambda).await?,
        };
        let allowed = verdict.allows(&call.method_arn());
        call.authorizer = Some(verdict.into_context(asked.elapsed()));
        if allowed { Ok(()) } else { Err(ResponseType::AccessDenied) }
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
        let event = json!({
            "type": "TOKEN",
            "authorizationToken": token,
            "methodArn": call.method_arn(),
        });
        let invocation =
            Invocation { payload: event.to_string().into(), trace_id: call.trace_id.clone() };
        let answer = lambda.invoke(&self.settings.function, invocation, INTEGRATION_LIMIT).await;
        let answer = answer.map_err(|error| failure(&error, call))?;
        let verdict = verdict::read(&answer).map_err(|problem| {
            console::log(&format!(
                "[gateway] {call}: malformed answer of the authorizer: {problem}"
            ));
            ResponseType::AuthorizerConfigurationError
        })?;
        self.remember(token, &verdict);
        Ok(verdict)
    }

    fn remembered(&self, token: &str) -> Option<Verdict> {
        let cache = self.cache();
        let cached = cache.get(token).filter(|cached| Instant::now() < cached.until)?;
        Some(cached.verdict.clone())
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
