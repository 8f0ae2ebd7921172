//! Whether an answer is one that the published document promises.

use std::{collections::HashMap, fs, sync::LazyLock};

use jsonschema::Validator;
use lambda_http::http::HeaderMap;
use serde_json::{Value, json};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../functions/docs/openapi.json");

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let text = fs::read(PATH).expect("openapi.json");
    serde_json::from_slice(&text).expect("JSON")
});

/// The schema of each answer, by its text.
static VALIDATORS: LazyLock<HashMap<String, Validator>> = LazyLock::new(|| {
    let paths = DOCUMENT["paths"].as_object().into_iter().flat_map(|paths| paths.values());
    let operations = paths.filter_map(Value::as_object).flat_map(|path| path.values());
    let responses = operations.filter_map(|operation| operation["responses"].as_object());
    let contents = responses
        .flat_map(|responses| responses.values())
        .filter_map(|response| response["content"].as_object())
        .flat_map(|contents| contents.values());
    let schemas = contents.map(|content| &content["schema"]);
    schemas.map(|schema| (schema.to_string(), validator(schema, &DOCUMENT))).collect()
});

/// Tells whether JSON is of a schema that stands in a document of `OpenAPI`, formats included.
///
/// # Panics
/// When it is no schema.
#[must_use]
pub fn validator(schema: &Value, document: &Value) -> Validator {
    let mut schema = schema.clone();
    // Where its references lead to.
    schema["components"] = json!({ "schemas": document["components"]["schemas"] });
    let options = jsonschema::draft202012::options().should_validate_formats(true);
    options.build(&schema).expect("a schema")
}

/// Asserts that the document has this status for the route, this problem if it is one, these headers and
/// such a body. A path may have its parameters filled in; one that no route has is the gateway's affair.
///
/// # Panics
/// When the answer is not promised.
pub fn assert_promised(method: &str, path: &str, status: u16, headers: &HeaderMap, body: &[u8]) {
    let Some(route) = route(method, path) else { return };
    let at = format!("{method} {path}: {status}");
    let promised =
        &DOCUMENT["paths"][route][method.to_lowercase()]["responses"][status.to_string()];
    assert!(promised.is_object(), "{at} is not in openapi.json");
    for header in ["Retry-After", "WWW-Authenticate", "Idempotent-Replayed"] {
        let is_promised = promised["headers"][header].is_object();
        assert!(
            is_promised || !headers.contains_key(header),
            "{at}: {header} is not in openapi.json"
        );
    }
    let media_type = headers.get("content-type").and_then(|value| value.to_str().ok());
    let Some(media_type) = media_type.filter(|_| !body.is_empty()) else {
        assert!(promised["content"].is_null(), "{at}: a body is in openapi.json");
        return;
    };
    let media_type = media_type.split(';').next().unwrap_or_default();
    let content = &promised["content"][media_type];
    assert!(content.is_object(), "{at}: {media_type} is not in openapi.json");
    if !media_type.ends_with("json") {
        return;
    }
    let body: Value = serde_json::from_slice(body).expect("JSON");
    let errors: Vec<String> = VALIDATORS[&content["schema"].to_string()]
        .iter_errors(&body)
        .map(|error| format!("{} {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{at}: {body} is not what openapi.json says: {errors:?}");
    if media_type == "application/problem+json" {
        let code = body["code"].as_str().unwrap_or_default();
        assert!(content["examples"][code].is_object(), "{at}: {code} is not in openapi.json");
    }
}

/// The route of the document that matches a path, the one with the fewest parameters first.
fn route(method: &str, path: &str) -> Option<&'static str> {
    let method = method.to_lowercase();
    let paths = DOCUMENT["paths"].as_object()?;
    let matches = |route: &str| {
        let (ours, theirs) = (route.split('/'), path.split('/'));
        ours.clone().count() == theirs.clone().count()
            && ours.zip(theirs).all(|(ours, theirs)| ours.starts_with('{') || ours == theirs)
    };
    paths
        .iter()
        .filter(|(route, operations)| operations[&method].is_object() && matches(route))
        .map(|(route, _)| route.as_str())
        .min_by_key(|route| route.matches('{').count())
}
