//! A function for a test: it runs in the bank's own loop and panics when asked to.

use std::sync::Arc;

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
        _ => Reply::ok(&json!({})),
    }
}
