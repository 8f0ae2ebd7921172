//! Invokes functions: in processes of this machine, or through somebody else's invoke endpoint.
//!
//! Nothing here knows of HTTP requests or of the template's YAML.

mod endpoint;
mod pool;
mod process;
mod report;
mod runtime_api;
mod spec;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::body::Bytes;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::time::timeout;
use uuid::Uuid;

use self::pool::Pool;
pub(crate) use self::{
    endpoint::Endpoint,
    runtime_api::RuntimeApi,
    spec::{AWS_ENDPOINT_URL, Common, DUMMY_KEY, FunctionSpec, MissingBinary, aws_variables},
};
use crate::clock;

/// The largest payload and the largest answer that Lambda takes.
pub(crate) const MAX_PAYLOAD_BYTES: usize = 6 * 1024 * 1024;

/// One call of a function.
#[derive(Clone, Debug)]
pub(crate) struct Invocation {
    /// The event, as JSON.
    pub(crate) payload: Bytes,
    /// The X-Ray header that the function is given.
    pub(crate) trace_id: String,
}

impl Invocation {
    /// A name for a trace that begins here, as X-Ray would give it.
    pub(crate) fn new_trace_id() -> String {
        let random = Uuid::new_v4().simple().to_string();
        let since_1970_secs = clock::now_ms() / 1000;
        format!("Root=1-{since_1970_secs:08x}-{}", random.get(..24).unwrap_or_default())
    }
}

/// What a function, or the runtime in its place, says about a failure.
#[derive(Clone, Debug, Deserialize, Error, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[error("{error_type}: {error_message}")]
pub(crate) struct FunctionError {
    /// The kind of failure, such as `Runtime.ExitError`.
    #[serde(default)]
    pub(crate) error_type: String,
    /// The failure in words.
    #[serde(default)]
    pub(crate) error_message: String,
}

/// Why an invocation has no answer.
#[derive(Debug, Error)]
pub(crate) enum InvokeError {
    /// The function failed.
    #[error("{0}")]
    Function(FunctionError),
    /// The function took longer than its own time-out.
    #[error("{0}")]
    FunctionTimeout(FunctionError),
    /// The caller's patience ended first; the function goes on.
    #[error("no answer in time")]
    CallerTimeout,
    /// Every process was busy for as long as the caller would wait.
    #[error("too many requests at a time")]
    Throttled,
    /// The event is larger than Lambda takes.
    #[error("the payload is too large")]
    TooLarge,
    /// Nobody answers at the invoke endpoint.
    #[error("{0}")]
    Unreachable(String),
}

/// Where functions run.
pub(crate) enum Invoker {
    /// In processes of this machine, by function name.
    Processes(BTreeMap<String, Arc<Pool>>),
    /// Behind an invoke endpoint.
    Endpoint(Box<Endpoint>),
}

impl Invoker {
    /// Runs each function in processes of its own; none is started before its first invocation.
    pub(crate) fn processes(functions: Vec<FunctionSpec>, runtime_api: &RuntimeApi) -> Self {
        let pools = functions
            .into_iter()
            .map(|spec| (spec.name.clone(), Pool::new(spec, runtime_api.clone())));
        Self::Processes(pools.collect())
    }

    /// Invokes a function and waits for its answer, for no longer than `patience`.
    pub(crate) async fn invoke(
        &self,
        function: &str,
        invocation: Invocation,
        patience: Duration,
    ) -> Result<Bytes, InvokeError> {
        if invocation.payload.len() > MAX_PAYLOAD_BYTES {
            return Err(InvokeError::TooLarge);
        }
        match self {
            Self::Processes(pools) => {
                let pool = pools.get(function).ok_or_else(|| unknown_function(function))?;
                pool.invoke(invocation, patience).await
            }
            Self::Endpoint(endpoint) => {
                let answer = timeout(patience, endpoint.invoke(function, invocation)).await;
                answer.unwrap_or(Err(InvokeError::CallerTimeout))
            }
        }
    }

    /// Ends, for as long as it is awaited, the processes that have been idle for `idle`.
    pub(crate) async fn reap(&self, idle: Duration) {
        let Self::Processes(pools) = self else { return std::future::pending().await };
        let mut ticks = tokio::time::interval(idle.min(Duration::from_secs(1)));
        loop {
            ticks.tick().await;
            let now = Instant::now();
            for pool in pools.values() {
                pool.reap(now, idle);
            }
        }
    }
}

fn unknown_function(name: &str) -> InvokeError {
    InvokeError::Function(FunctionError {
        error_type: "ResourceNotFoundException".to_owned(),
        error_message: format!("Function not found: {name}"),
    })
}
