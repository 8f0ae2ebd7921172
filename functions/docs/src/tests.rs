use serde_json::json;
use shared::testing::{Event, send};

use crate::handler::handle;

#[tokio::test]
async fn health_needs_nothing() {
    let answer = send((), handle, Event::new("GET /healthz")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body, json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }));
}
