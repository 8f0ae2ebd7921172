//! A function for tests: it runs in the bank's own loop, and panics, hangs or ends when asked to. A package of
//! its own, so that it can be built just as the functions are.

use std::{future, process, sync::Arc};

use serde_json::json;
use shared::{
    bank::BankError,
    http::{Error, Reply, Request, serve},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve((), handle).await
}

#[expect(clippy::panic, reason = "what the function is for")]
async fn handle(_app: Arc<()>, request: Request) -> Result<Reply, BankError> {
    match request.route() {
        "GET /panic" => panic!("planted"),
        "GET /hang" => future::pending().await,
        "GET /exit" => process::exit(3),
        _ => Reply::ok(&json!({})),
    }
}
