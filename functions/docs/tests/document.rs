//! The published document is what the functions say of their routes.
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test, which is told so")]

use std::fs;

use serde_json::Value;
use shared::{http::contract::document, testing::validator};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");

fn published() -> Value {
    serde_json::from_slice(&fs::read(PATH).unwrap()).unwrap()
}

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
    if std::env::var_os("UPDATE").is_some() {
        fs::write(PATH, serde_json::to_string_pretty(&current).unwrap() + "\n").unwrap();
    }
    assert!(published() == current, "openapi.json is out of date: run `make openapi`");
}

/// Every content with an example, and where it stands.
fn with_examples<'a>(part: &'a Value, at: &str, found: &mut Vec<(String, &'a Value)>) {
    if part.get("schema").is_some() && part.get("example").is_some() {
        found.push((at.to_owned(), part));
    }
    for (name, member) in part.as_object().into_iter().flatten() {
        with_examples(member, &format!("{at} {name}"), found);
    }
}

#[test]
fn every_example_is_of_its_schema() {
    let published = published();
    let mut found = Vec::new();
    with_examples(&published["paths"], "", &mut found);
    assert!(found.len() > 20, "{} examples", found.len());
    for (at, content) in found {
        let validator = validator(&content["schema"], &published);
        let violations: Vec<String> =
            validator.iter_errors(&content["example"]).map(|error| error.to_string()).collect();
        assert!(violations.is_empty(), "{at}: {violations:?}");
    }
}
