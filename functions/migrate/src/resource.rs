//! The custom resource: what `CloudFormation` asks for, and what it is told in any case.
//!
//! A stack waits for the answer, and nothing else ends its waiting. So it is sent whatever comes of the
//! work, and the work ends early enough for it.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html>

use std::{
    fmt,
    panic::AssertUnwindSafe,
    time::{Duration, SystemTime},
};

use futures_util::FutureExt;
use lambda_runtime::Error;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::{
    clock::{Clock, SystemClock},
    config::MigrationConfig,
    store::postgres::migrations::{Direction, schemas},
    telemetry::chain,
};

use crate::{
    deliver::deliver,
    handler::{State, make_ready},
};

/// Another one would have `CloudFormation` delete the resource that it takes for the one before.
const PHYSICAL_ID: &str = "schema";

/// What is kept of the function's time for the answer: a little more than its attempts take.
const RESERVE: Duration = Duration::from_secs(10);

/// An answer of more than 4,096 bytes is refused. Escaped, this is twice as long at most.
const MAX_REASON_BYTES: usize = 1_000;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ResourceRequest {
    pub(crate) request_type: RequestType,
    /// Signed: whoever has it may answer.
    #[serde(rename = "ResponseURL")]
    response_url: String,
    stack_id: String,
    request_id: String,
    logical_resource_id: String,
    /// Read later, so that unreadable ones are answered as well.
    #[serde(default)]
    resource_properties: Value,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(crate) enum RequestType {
    Create,
    Update,
    Delete,
    #[serde(other)]
    Unknown,
}

impl fmt::Debug for ResourceRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ResourceRequest")
            .field("type", &self.request_type)
            .finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Properties {
    schema: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Verdict {
    Success,
    Failed,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Answer<'a> {
    status: Verdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    physical_resource_id: &'static str,
    stack_id: &'a str,
    request_id: &'a str,
    logical_resource_id: &'a str,
}

/// Does what is asked for, before the deadline, and answers.
///
/// # Errors
/// When the answer cannot be delivered. That the work failed is none.
pub(crate) async fn answer(
    config: &MigrationConfig,
    request: ResourceRequest,
    deadline: SystemTime,
) -> Result<State, Error> {
    let left = deadline.duration_since(SystemClock.now().into()).unwrap_or_default();
    let worked = bounded(left.saturating_sub(RESERVE), Box::pin(work(config, &request))).await;
    match &worked {
        Ok(()) => tracing::info!(request = ?request.request_type, "done"),
        Err(error) => {
            let cause = chain(error.as_ref());
            tracing::error!(request = ?request.request_type, cause, "not done");
        }
    }
    let answer = Answer::new(&request, worked.err().as_ref());
    let text = serde_json::to_string(&answer)?;
    deliver(&request.response_url, &text).await.map_err(|error| {
        tracing::error!(cause = chain(error.as_ref()), answer = text, "nobody took the answer");
        "nobody took the answer"
    })?;
    Ok(State::Answered { status: answer.status })
}

pub(crate) async fn work(config: &MigrationConfig, request: &ResourceRequest) -> Result<(), Error> {
    match request.request_type {
        RequestType::Create | RequestType::Update => {
            let Properties { schema } = Properties::deserialize(&request.resource_properties)
                .map_err(|_| "the property Schema is missing")?;
            make_ready(config, direction(&schema)?).await?;
            Ok(())
        }
        // Data outlive their stack.
        RequestType::Delete => Ok(()),
        RequestType::Unknown => Err("there is no such RequestType".into()),
    }
}

/// Where a template's schema lies from here. A deployment that is taken back asks for an earlier one,
/// and the schema stays as it is: the release before works with it.
pub(crate) fn direction(schema: &str) -> Result<Direction, Error> {
    let known: Vec<String> = schemas().collect();
    match known.iter().rev().position(|one| one == schema) {
        Some(0) => Ok(Direction::Deploy),
        Some(_) => Ok(Direction::Stay),
        None => Err("the template and this function are of different releases: its Schema is \
                     none of the function's (make schema writes it)"
            .into()),
    }
}

/// The work, or why it did not come to an end. What is given up is dropped, its connection with it.
pub(crate) async fn bounded<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    match tokio::time::timeout(limit, AssertUnwindSafe(work).catch_unwind()).await {
        Ok(Ok(result)) => result,
        // What a panic says goes to standard error by itself.
        Ok(Err(_)) => Err("it panicked: see the function's log".into()),
        Err(_) => Err("it took too long and was given up".into()),
    }
}

impl<'a> Answer<'a> {
    pub(crate) fn new(request: &'a ResourceRequest, error: Option<&Error>) -> Self {
        Self {
            status: if error.is_none() { Verdict::Success } else { Verdict::Failed },
            reason: error.map(|error| one_line(&chain(error.as_ref()))),
            physical_resource_id: PHYSICAL_ID,
            stack_id: &request.stack_id,
            request_id: &request.request_id,
            logical_resource_id: &request.logical_resource_id,
        }
    }
}

/// As much of a text as there is room for, on one line.
fn one_line(text: &str) -> String {
    let (kept, _) = text.split_at(text.floor_char_boundary(MAX_REASON_BYTES));
    kept.replace(char::is_control, " ")
}
