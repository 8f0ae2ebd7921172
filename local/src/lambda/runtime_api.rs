//! The Lambda Runtime API, version 2018-06-01: what a function's process talks to.
//!
//! One listener on the loopback interface serves all processes: each has a path prefix of its own,
//! and whatever it asks is put into the mailbox of the [`Process`](super::process::Process).

use std::{
    collections::HashMap,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State, rejection::BytesRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::json;
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot},
};
use uuid::Uuid;

use super::MAX_PAYLOAD_BYTES;

/// What a process says.
pub(super) enum RuntimeCall {
    /// It is ready for work. A sender whose receiver is gone belongs to a process that is gone.
    Next(oneshot::Sender<Work>),
    /// It has answered an invocation.
    Response { request_id: String, body: Bytes },
    /// It has failed in an invocation.
    Error { request_id: String, body: Bytes },
    /// It cannot start.
    InitError(Bytes),
}

/// An invocation as a process is given it.
pub(super) struct Work {
    pub(super) request_id: String,
    pub(super) deadline_ms: i64,
    pub(super) function_arn: String,
    pub(super) trace_id: String,
    pub(super) payload: Bytes,
}

impl IntoResponse for Work {
    fn into_response(self) -> Response {
        let headers = [
            ("content-type", "application/json".to_owned()),
            ("lambda-runtime-aws-request-id", self.request_id),
            ("lambda-runtime-deadline-ms", self.deadline_ms.to_string()),
            ("lambda-runtime-invoked-function-arn", self.function_arn),
            ("lambda-runtime-trace-id", self.trace_id),
        ];
        (headers, self.payload).into_response()
    }
}

/// The running server.
#[derive(Clone)]
pub(crate) struct RuntimeApi {
    address: SocketAddr,
    mailboxes: Arc<Mutex<HashMap<String, mpsc::UnboundedSender<RuntimeCall>>>>,
}

impl RuntimeApi {
    /// Starts to listen on a free port.
    pub(crate) async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let api = Self { address: listener.local_addr()?, mailboxes: Arc::default() };
        let router = Router::new()
            .route("/{instance}/2018-06-01/runtime/invocation/next", get(next))
            .route("/{instance}/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/{instance}/2018-06-01/runtime/invocation/{id}/error", post(error))
            .route("/{instance}/2018-06-01/runtime/init/error", post(init_error))
            .layer(DefaultBodyLimit::max(MAX_PAYLOAD_BYTES))
            .with_state(api.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(api)
    }

    /// Opens a mailbox for a process that is about to start.
    pub(super) fn open_mailbox(&self) -> Mailbox {
        let (sender, calls) = mpsc::unbounded_channel();
        let instance = Uuid::new_v4().to_string();
        self.lock().insert(instance.clone(), sender);
        Mailbox { api: self.clone(), instance, calls }
    }

    fn deliver(&self, instance: &str, call: RuntimeCall) -> StatusCode {
        match self.lock().get(instance).map(|mailbox| mailbox.send(call)) {
            Some(Ok(())) => StatusCode::ACCEPTED,
            // Its process has been given up.
            Some(Err(_)) | None => StatusCode::GONE,
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, mpsc::UnboundedSender<RuntimeCall>>> {
        self.mailboxes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one process has said; closed when it is dropped.
pub(super) struct Mailbox {
    api: RuntimeApi,
    instance: String,
    calls: mpsc::UnboundedReceiver<RuntimeCall>,
}

impl Mailbox {
    /// The value of `AWS_LAMBDA_RUNTIME_API` for the process.
    pub(super) fn address(&self) -> String {
        // The scheme is needed: without one, an address with a path is not a URI to the runtime.
        format!("http://{}/{}", self.api.address, self.instance)
    }

    /// The next call; never ends while the mailbox is open.
    pub(super) async fn next(&mut self) -> RuntimeCall {
        match self.calls.recv().await {
            Some(call) => call,
            None => std::future::pending().await,
        }
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        self.api.lock().remove(&self.instance);
    }
}

async fn next(State(api): State<RuntimeApi>, Path(instance): Path<String>) -> Response {
    let (poll, work) = oneshot::channel();
    match api.deliver(&instance, RuntimeCall::Next(poll)) {
        StatusCode::ACCEPTED => match work.await {
            Ok(work) => work.into_response(),
            Err(_) => StatusCode::GONE.into_response(),
        },
        status => status.into_response(),
    }
}

async fn response(
    State(api): State<RuntimeApi>,
    Path((instance, request_id)): Path<(String, String)>,
    body: Result<Bytes, BytesRejection>,
) -> StatusCode {
    let call = match body {
        Ok(body) => RuntimeCall::Response { request_id, body },
        Err(_) => RuntimeCall::Error { request_id, body: response_too_large() },
    };
    api.deliver(&instance, call)
}

async fn error(
    State(api): State<RuntimeApi>,
    Path((instance, request_id)): Path<(String, String)>,
    body: Bytes,
) -> StatusCode {
    api.deliver(&instance, RuntimeCall::Error { request_id, body })
}

async fn init_error(
    State(api): State<RuntimeApi>,
    Path(instance): Path<String>,
    body: Bytes,
) -> StatusCode {
    api.deliver(&instance, RuntimeCall::InitError(body))
}

fn response_too_large() -> Bytes {
    let message = format!("Response payload size exceeded {MAX_PAYLOAD_BYTES} bytes");
    let error = json!({"errorType": "Function.ResponseSizeTooLarge", "errorMessage": message});
    Bytes::from(error.to_string())
}
