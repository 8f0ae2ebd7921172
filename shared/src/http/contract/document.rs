//! The document: every route, what they share, and an example of whatever has a shape.
#![expect(
    clippy::indexing_slicing,
    reason = "members are added to JSON objects that were made here"
)]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{Foreign, NOW, Operation, Schemas, Token, content, named};
use crate::http::Problem;

/// What an example's request is known by.
const REQUEST_ID: &str = "755bfac5-8ecc-4c50-9abe-1001340d3d0b";
/// The groups of routes, in the order in which somebody meets them.
const TAGS: [(&str, &str); 8] = [
    ("users", "Sign up, see and change oneself."),
    ("sessions", "Log in, renew, log out. An access token lasts minutes, a session until it ends."),
    ("e-mail", "An address is shown to be its user's by the code that was mailed there."),
    ("accounts", "One an owner and currency; what came in and what went out."),
    ("transfers", "Money from one account to another of the same currency."),
    ("rpc", "gRPC-Web and Connect."),
    ("original", "The JSON paths of the original's gateway, for its clients."),
    ("service", "The service itself."),
];

/// The `OpenAPI` document of these routes, which have different names, as JSON whose objects are sorted.
///
/// # Panics
/// When an operation's own example has a member that its answer does not have.
#[must_use]
pub fn document(operations: Vec<Operation>) -> Value {
    let mut schemas = Schemas::from([("Problem".to_owned(), problem_schema())]);
    let mut problems = BTreeMap::new();
    let mut paths = BTreeMap::<String, Map<String, Value>>::new();
    let used: BTreeSet<&str> = operations.iter().map(|operation| operation.tag).collect();
    let tags: Vec<Value> = TAGS
        .iter()
        .filter(|(name, _)| used.contains(name))
        .map(|(name, description)| json!({ "name": name, "description": description }))
        .collect();
    for operation in &operations {
        schemas.extend(operation.schemas.clone());
        for problem in &operation.problems {
            problems.entry(problem.code()).or_insert_with(|| problem.clone());
        }
    }
    for operation in operations {
        let (path, method) = (operation.path.clone(), operation.method.clone());
        paths.entry(path).or_default().insert(method, operation.into_json(&schemas));
    }
    let mut document = json!({
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://spec.openapis.org/oas/3.1/dialect/base",
        "info": {
            "title": "SimpleBank",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
            "description": "Accounts and transfers. Amounts are whole minor units, times are RFC 3339 in UTC, \
                bodies have 16 KiB at most. Refusals are `application/problem+json` (RFC 9457) with a `code` to \
                tell them apart; a bad request names every bad field at once. What is not yours looks like what \
                is not there.",
        },
        // Wherever the document is, there the API is.
        "servers": [{ "url": "." }],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas,
            "examples": examples(&problems),
            "headers": headers(),
            "securitySchemes": {
                "bearerAuth": {
                    "type": "http", "scheme": "bearer", "bearerFormat": "PASETO or JWT",
                    "description": "A log-in's or a renewal's `access_token`.",
                },
            },
        },
        "x-problems": problems.values().map(told).collect::<Vec<_>>(),
    });
    document.sort_all_objects();
    document
}

impl Operation {
    fn into_json(self, schemas: &Schemas) -> Value {
        let mut responses = self.responses();
        for (status, mut answer) in self.answers {
            with_examples(&mut answer, self.example.as_ref(), schemas);
            answer["headers"] = common_headers();
            if self.is_keyed {
                answer["headers"]["Idempotent-Replayed"] = header("Idempotent-Replayed");
            }
            responses.insert(status.to_string(), answer);
        }
        let mut operation = json!({
            "operationId": self.id,
            "tags": [self.tag],
            "summary": self.summary,
            "responses": responses,
        });
        if !self.description.is_empty() {
            operation["description"] = json!(self.description);
        }
        if !self.parameters.is_empty() {
            operation["parameters"] = json!(self.parameters);
        }
        if let Some(mut body) = self.body {
            with_examples(&mut body, None, schemas);
            operation["requestBody"] = body;
        }
        operation["security"] = match self.token {
            Token::Required => json!([{ "bearerAuth": [] }]),
            Token::Possible => json!([{}, { "bearerAuth": [] }]),
            Token::Ignored => json!([]),
        };
        operation
    }

    /// The refusals, by status.
    fn responses(&self) -> Map<String, Value> {
        let mut by_status = BTreeMap::<u16, Vec<&Problem>>::new();
        for problem in &self.problems {
            by_status.entry(problem.status().as_u16()).or_default().push(problem);
        }
        let foreign = self.foreign.as_ref();
        if let Some(Foreign { statuses, wordless, .. }) = foreign {
            for status in statuses.iter().chain(*wordless) {
                by_status.entry(*status).or_default();
            }
        }
        let responses = by_status.into_iter().map(|(status, problems)| {
            let titles: BTreeSet<&str> = problems.iter().map(|problem| problem.title()).collect();
            let titles = titles.into_iter().collect::<Vec<_>>().join(", ");
            let description = if titles.is_empty() { "Refused".to_owned() } else { titles };
            let mut headers = common_headers();
            if problems.iter().any(|problem| problem.retry_after_secs().is_some()) {
                headers["Retry-After"] = header("Retry-After");
            }
            if status == 401 {
                headers["WWW-Authenticate"] = header("WWW-Authenticate");
            }
            // A rule of money forbids it; gRPC says so by 400.
            let is_final = status == 422 || foreign.is_some() && status == 400;
            if self.is_keyed && is_final {
                headers["Idempotent-Replayed"] = header("Idempotent-Replayed");
            }
            let mut contents = Map::new();
            if !problems.is_empty() {
                let examples: Map<String, Value> = problems
                    .iter()
                    .map(|problem| {
                        let name = problem.code();
                        (
                            name.to_owned(),
                            json!({ "$ref": format!("#/components/examples/{name}") }),
                        )
                    })
                    .collect();
                contents.insert(
                    "application/problem+json".to_owned(),
                    json!({ "schema": named("Problem"), "examples": examples }),
                );
            }
            if self.has_pages {
                contents.insert("text/html".to_owned(), json!({ "schema": { "type": "string" } }));
            }
            if let Some(foreign) = foreign.filter(|foreign| foreign.statuses.contains(&status)) {
                let other = content(&["application/json"], &foreign.schema);
                contents.extend(other.as_object().cloned().unwrap_or_default());
            }
            let mut response = json!({ "description": description, "headers": headers });
            if !contents.is_empty() {
                response["content"] = contents.into();
            }
            (status.to_string(), response)
        });
        responses.collect()
    }
}

/// What [`Problem::body`] writes.
fn problem_schema() -> Value {
    let text = || json!({ "type": "string" });
    json!({
        "type": "object",
        "description": "RFC 9457. `code` tells problems apart, `instance` is the request's number.",
        "required": ["type", "title", "status", "detail", "code", "instance"],
        "properties": {
            "type": { "type": "string", "format": "uri" },
            "title": text(),
            "status": { "type": "integer", "minimum": 400, "maximum": 599 },
            "detail": text(),
            "code": text(),
            "instance": text(),
            "violations": {
                "type": "array",
                "description": "Every bad field.",
                "items": {
                    "type": "object",
                    "required": ["field", "description"],
                    "properties": { "field": text(), "description": text() },
                },
            },
        },
    })
}

fn examples(problems: &BTreeMap<&str, Problem>) -> Value {
    problems
        .iter()
        .map(|(code, problem)| {
            let body: Value = serde_json::from_slice(&problem.body(REQUEST_ID)).unwrap_or_default();
            ((*code).to_owned(), json!({ "summary": problem.title(), "value": body }))
        })
        .collect::<Map<_, _>>()
        .into()
}

fn told(problem: &Problem) -> Value {
    json!({
        "code": problem.code(),
        "status": problem.status().as_u16(),
        "title": problem.title(),
        "detail": problem.detail(),
    })
}

fn headers() -> Value {
    let header =
        |description: &str, schema: Value| json!({ "description": description, "schema": schema });
    json!({
        "Cache-Control": header("Nothing is kept.", json!({ "type": "string", "const": "no-store" })),
        "X-Content-Type-Options":
            header("The type is what it says.", json!({ "type": "string", "const": "nosniff" })),
        "X-Request-Id":
            header("The request's number, if a function has answered.", json!({ "type": "string" })),
        "Retry-After": header("In how many seconds to come back.", json!({ "type": "integer", "minimum": 1 })),
        "WWW-Authenticate": header("RFC 6750.", json!({ "type": "string" })),
        "Idempotent-Replayed": header(
            "Only if this is the first answer to the key again.",
            json!({ "type": "string", "const": "true" }),
        ),
    })
}

fn common_headers() -> Value {
    ["Cache-Control", "X-Content-Type-Options", "X-Request-Id"]
        .into_iter()
        .map(|name| (name.to_owned(), header(name)))
        .collect::<Map<_, _>>()
        .into()
}

fn header(name: &str) -> Value {
    json!({ "$ref": format!("#/components/headers/{name}") })
}

/// Gives each content of a body or an answer an example of its schema, in which some of it is `own`.
fn with_examples(part: &mut Value, own: Option<&Value>, schemas: &Schemas) {
    let contents = part.get_mut("content").and_then(Value::as_object_mut);
    for (_, content) in contents.into_iter().flatten() {
        let mut example = example(&content["schema"], schemas);
        if let Some(own) = own {
            example = overlaid(example, own);
        }
        if !example.is_null() {
            content["example"] = example;
        }
    }
}

/// An example in which some of it is other.
fn overlaid(example: Value, other: &Value) -> Value {
    match (example, other) {
        (Value::Object(mut members), Value::Object(others)) => {
            for (name, other) in others {
                assert!(members.contains_key(name), "the answer has no member {name}");
                let member = members.remove(name).unwrap_or_default();
                members.insert(name.clone(), overlaid(member, other));
            }
            members.into()
        }
        (Value::Array(items), Value::Array(others)) => {
            let item = items.into_iter().next().unwrap_or_default();
            others.iter().map(|other| overlaid(item.clone(), other)).collect()
        }
        (_, other) => other.clone(),
    }
}

/// An example of a schema, put together from those of its parts.
fn example(schema: &Value, schemas: &Schemas) -> Value {
    if let Some(given) = schema["examples"].get(0).or_else(|| schema.get("example")) {
        return given.clone();
    }
    if schema["format"] == "date-time" {
        return json!(NOW);
    }
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap_or_default();
        return schemas.get(name).map_or(Value::Null, |schema| example(schema, schemas));
    }
    if let Some(properties) = schema["properties"].as_object() {
        let members =
            properties.iter().map(|(name, property)| (name.clone(), example(property, schemas)));
        return members.collect::<Map<_, _>>().into();
    }
    if schema.get("items").is_some() {
        return json!([example(&schema["items"], schemas)]);
    }
    let alternatives = ["oneOf", "anyOf", "allOf"].iter().find_map(|kind| schema[kind].as_array());
    alternatives
        .into_iter()
        .flatten()
        .map(|schema| example(schema, schemas))
        .find(|example| !example.is_null())
        .unwrap_or_default()
}
