//! The published document is what the functions say of their routes.
#![expect(clippy::disallowed_methods, reason = "a test, which is told so")]

use std::{fs, path::Path};

use serde_json::Value;
use shared::http::contract::document;

/// With `UPDATE=1`, as `make openapi` has it, the document is written anew instead.
#[test]
fn the_document_is_up_to_date() {
    let operations = [
        create_user::operations(),
        update_user::operations(),
        login::operations(),
        renew_token::operations(),
        sessions::operations(),
        verify_email::operations(),
        accounts::operations(),
        transfer::operations(),
        rpc::operations(),
        docs::operations(),
    ];
    let current = document(operations.into_iter().flatten().collect());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, serde_json::to_string_pretty(&current).unwrap() + "\n").unwrap();
    }
    let published: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert!(published == current, "openapi.json is out of date: run `make openapi`");
}
