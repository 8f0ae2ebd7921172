//! What the API promises, in `OpenAPI` 3.1's words: a function says it of its own routes, and the published
//! document is put together from all of them.
//!
//! Shapes come from the types that leave and from the domain's own; statuses, codes and words of refusals
//! from [`Problem`]. What every route has in common is added here, once.
#![expect(
    clippy::indexing_slicing,
    reason = "members are added to JSON objects that were made here"
)]

mod document;
mod schemas;

use std::{collections::BTreeMap, time::Duration};

use lambda_http::http::StatusCode;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::Problem;
use crate::{bank::BankError, domain::IdempotencyKey};

pub use document::document;
pub use schemas::{Cursor, NewPassword, OfferedPassword, PageNumber, PageSize};

/// When it is in the examples.
pub const NOW: &str = "2026-01-31T12:00:00.123456Z";
/// When an access token of now expires.
pub const TOKEN_END: &str = "2026-01-31T12:15:00.123456Z";
/// When a session of now expires, unless it is renewed.
pub const SESSION_END: &str = "2026-02-01T12:00:00.123456Z";

/// Schemas by the names under which they are referred to.
type Schemas = BTreeMap<String, Value>;

/// A named value of a body or a query.
pub struct Field {
    name: &'static str,
    schema: Value,
    is_required: bool,
    schemas: Schemas,
}

/// A field that has to be there.
#[must_use]
pub fn required<T: ToSchema>(name: &'static str) -> Field {
    let mut schemas = Schemas::new();
    Field { name, schema: reference::<T>(&mut schemas), is_required: true, schemas }
}

/// A field that may be absent.
#[must_use]
pub fn optional<T: ToSchema>(name: &'static str) -> Field {
    Field { is_required: false, ..required::<T>(name) }
}

impl Field {
    /// Another example than its type's.
    #[must_use]
    pub fn such_as(mut self, example: impl Into<Value>) -> Self {
        self.schema["examples"] = json!([example.into()]);
        self
    }
}

/// How a request is refused on this route, where it is not by problem+json.
struct Foreign {
    schema: Value,
    statuses: &'static [u16],
    /// Those without a body.
    wordless: &'static [u16],
}

/// What one route takes and answers.
pub struct Operation {
    method: String,
    path: String,
    id: &'static str,
    tag: &'static str,
    summary: &'static str,
    description: &'static str,
    token: Token,
    is_keyed: bool,
    has_pages: bool,
    parameters: Vec<Value>,
    body: Option<Value>,
    answers: BTreeMap<u16, Value>,
    example: Option<Value>,
    problems: Vec<Problem>,
    foreign: Option<Foreign>,
    schemas: Schemas,
}

/// Whether a route looks for an access token.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Token {
    Ignored,
    Possible,
    Required,
}

impl Operation {
    /// A route as the template has it, `GET /accounts/{id}`, the name that clients call it by, and what it
    /// does in a few words.
    ///
    /// It refuses what every route may refuse; the rest is said by the other methods.
    #[must_use]
    pub fn new(route: &str, tag: &'static str, id: &'static str, summary: &'static str) -> Self {
        let (method, path) = route.split_once(' ').unwrap_or_default();
        let operation = Self {
            method: method.to_lowercase(),
            path: path.to_owned(),
            id,
            tag,
            summary,
            description: "",
            token: Token::Ignored,
            is_keyed: false,
            has_pages: false,
            parameters: Vec::new(),
            body: None,
            answers: BTreeMap::new(),
            example: None,
            problems: Vec::new(),
            foreign: None,
            schemas: Schemas::new(),
        };
        // The firewall's, the gateway's and everybody's.
        operation.refuses([
            BankError::Malformed("The request could not be read."),
            BankError::PermissionDenied,
            BankError::PayloadTooLarge,
            BankError::TooManyFailures(Duration::from_secs(1)),
            BankError::Internal("".into()),
            BankError::Unavailable("".into()),
            BankError::OutcomeUnknown("".into()),
        ])
    }

    /// More about it, as Markdown.
    #[must_use]
    pub fn describe(self, description: &'static str) -> Self {
        Self { description, ..self }
    }

    /// It is done for somebody, whose access token it needs.
    #[must_use]
    pub fn with_token(self) -> Self {
        Self { token: Token::Required, ..self }.refuses([
            BankError::Unauthenticated,
            BankError::InvalidToken,
            BankError::TokenExpired,
            BankError::SessionEnded,
        ])
    }

    /// It looks for a token in some cases only.
    #[must_use]
    pub fn with_token_perhaps(self) -> Self {
        Self { token: Token::Possible, ..self }
    }

    /// It moves money, once for each key.
    #[must_use]
    pub fn with_key(self) -> Self {
        let description = "A new one for each intended effect. Whatever is sent under a key takes effect once, for ever.";
        self.key(true, description).refuses([
            BankError::IdempotencyKeyMissing,
            BankError::InvalidArgument(Vec::new()),
            BankError::RequestInFlight,
            BankError::KeyReused,
        ])
    }

    /// It moves money in some cases only, and needs a key in those.
    #[must_use]
    pub fn with_key_perhaps(self) -> Self {
        self.key(false, "For what moves money.")
    }

    fn key(mut self, is_required: bool, description: &str) -> Self {
        let schema = reference::<IdempotencyKey>(&mut self.schemas);
        self.is_keyed = true;
        self.parameters.push(json!({
            "name": "Idempotency-Key", "in": "header", "required": is_required, "schema": schema,
            "description": description,
        }));
        self
    }

    /// A parameter of the path.
    #[must_use]
    pub fn path<T: ToSchema>(mut self, name: &str) -> Self {
        let schema = reference::<T>(&mut self.schemas);
        self.parameters
            .push(json!({ "name": name, "in": "path", "required": true, "schema": schema }));
        self.refuses([BankError::NotFound])
    }

    /// The parameters of the query. Others are refused.
    #[must_use]
    pub fn query(mut self, fields: impl IntoIterator<Item = Field>) -> Self {
        for Field { name, schema, is_required, schemas } in fields {
            self.schemas.extend(schemas);
            self.parameters.push(json!({
                "name": name, "in": "query", "required": is_required, "schema": schema,
            }));
        }
        self.refuses([BankError::InvalidArgument(Vec::new())])
    }

    /// The members of the JSON body. Others are refused.
    #[must_use]
    pub fn body(self, name: &str, fields: impl IntoIterator<Item = Field>) -> Self {
        self.body_in(&["application/json"], name, fields)
    }

    /// The members of a body that may be written in several ways. Others are refused.
    #[must_use]
    pub fn body_in(
        self,
        media_types: &[&str],
        name: &str,
        fields: impl IntoIterator<Item = Field>,
    ) -> Self {
        self.members(media_types, name, fields, false)
            .refuses([BankError::InvalidArgument(Vec::new()), BankError::UnsupportedMediaType])
    }

    /// The members of a body in which others are passed over.
    #[must_use]
    pub fn lenient_body(self, name: &str, fields: impl IntoIterator<Item = Field>) -> Self {
        self.members(&["application/json"], name, fields, true)
    }

    /// Where one of these members of a body is, the other has to be as well.
    #[must_use]
    pub fn body_needs(mut self, name: &str, members: &[&str], other: &str) -> Self {
        let needs = members.iter().map(|member| ((*member).to_owned(), json!([other])));
        if let Some(schema) = self.schemas.get_mut(name) {
            schema["dependentRequired"] = needs.collect::<Map<_, _>>().into();
        }
        self
    }

    /// A JSON object that has no schema of ours.
    #[must_use]
    pub fn any_body(mut self) -> Self {
        let contents = content(&["application/json"], &json!({ "type": "object" }));
        self.body = Some(json!({ "required": true, "content": contents }));
        self
    }

    fn members(
        mut self,
        media_types: &[&str],
        name: &str,
        fields: impl IntoIterator<Item = Field>,
        is_lenient: bool,
    ) -> Self {
        let mut required = Vec::new();
        let mut properties = Map::new();
        for field in fields {
            self.schemas.extend(field.schemas);
            if field.is_required {
                required.push(field.name);
            }
            // There, null is how a member is absent.
            let is_nullable = is_lenient && !field.is_required;
            let schema = if is_nullable {
                json!({ "anyOf": [field.schema, { "type": "null" }] })
            } else {
                field.schema
            };
            properties.insert(field.name.to_owned(), schema);
        }
        let mut schema = json!({
            "type": "object", "properties": properties, "additionalProperties": is_lenient,
        });
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        self.schemas.insert(name.to_owned(), schema);
        self.body =
            Some(json!({ "required": true, "content": content(media_types, &named(name)) }));
        self
    }

    /// 200 with a JSON body.
    #[must_use]
    pub fn ok<T: ToSchema>(self, description: &str) -> Self {
        self.ok_in::<T>(&["application/json"], description)
    }

    /// 200 with a body that is not always JSON.
    #[must_use]
    pub fn ok_in<T: ToSchema>(mut self, media_types: &[&str], description: &str) -> Self {
        let schema = reference::<T>(&mut self.schemas);
        self.answers(StatusCode::OK, description, &content(media_types, &schema))
    }

    /// 200 with a list as its JSON body.
    #[must_use]
    pub fn ok_list<T: ToSchema>(mut self, description: &str) -> Self {
        let items = reference::<T>(&mut self.schemas);
        let schema = json!({ "type": "array", "items": items });
        self.answers(StatusCode::OK, description, &content(&["application/json"], &schema))
    }

    /// 201 with a JSON body.
    #[must_use]
    pub fn created<T: ToSchema>(mut self, description: &str) -> Self {
        let schema = reference::<T>(&mut self.schemas);
        self.answers(StatusCode::CREATED, description, &content(&["application/json"], &schema))
    }

    /// What an example of the answer has otherwise than those of its types: members of objects, and as many items
    /// of a list as there are here.
    #[must_use]
    pub fn such_as(self, example: Value) -> Self {
        Self { example: Some(example), ..self }
    }

    /// 202 without a body.
    #[must_use]
    pub fn accepted(self, description: &str) -> Self {
        self.answers(StatusCode::ACCEPTED, description, &json!({}))
    }

    /// 204.
    #[must_use]
    pub fn no_content(self, description: &str) -> Self {
        self.answers(StatusCode::NO_CONTENT, description, &json!({}))
    }

    /// 200 with a page, for a person: alone, or instead of what else it answers.
    #[must_use]
    pub fn page(mut self, description: &str) -> Self {
        let answer = self.answers.entry(StatusCode::OK.as_u16());
        let answer = answer.or_insert_with(|| json!({ "description": description, "content": {} }));
        answer["content"]["text/html"] = json!({ "schema": { "type": "string" } });
        self
    }

    /// Its refusals are pages too, for a person.
    #[must_use]
    pub fn refuses_by_pages(self) -> Self {
        Self { has_pages: true, ..self }
    }

    /// 200 with something that has no schema of ours.
    #[must_use]
    pub fn ok_other(self, media_types: &[&str], description: &str) -> Self {
        self.answers(StatusCode::OK, description, &content(media_types, &json!({})))
    }

    fn answers(mut self, status: StatusCode, description: &str, contents: &Value) -> Self {
        let mut answer = json!({ "description": description });
        if contents.as_object().is_some_and(|contents| !contents.is_empty()) {
            answer["content"] = contents.clone();
        }
        self.answers.insert(status.as_u16(), answer);
        self
    }

    /// The ways in which it may say no, besides those that the other methods bring.
    #[must_use]
    pub fn refuses(mut self, errors: impl IntoIterator<Item = BankError>) -> Self {
        self.problems.extend(errors.into_iter().map(|error| Problem::from(&error)));
        self
    }

    /// The function says no in JSON of another shape, by these statuses. The gateway's own refusals are
    /// what they are elsewhere.
    #[must_use]
    pub fn refuses_as<T: ToSchema>(mut self, statuses: &'static [u16]) -> Self {
        let schema = reference::<T>(&mut self.schemas);
        self.foreign = Some(Foreign { schema, statuses, wordless: &[] });
        self
    }

    /// And by these without a body.
    #[must_use]
    pub fn refuses_without_words(mut self, statuses: &'static [u16]) -> Self {
        if let Some(foreign) = &mut self.foreign {
            foreign.wordless = statuses;
        }
        self
    }
}

/// A reference to a type's schema, which is added with all that it refers to.
fn reference<T: ToSchema>(schemas: &mut Schemas) -> Value {
    let mut needed = vec![(T::name().into_owned(), T::schema())];
    T::schemas(&mut needed);
    schemas.extend(needed.into_iter().map(|(name, schema)| (name, json!(schema))));
    named(&T::name())
}

fn named(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn content(media_types: &[&str], schema: &Value) -> Value {
    media_types.iter().map(|media| ((*media).to_owned(), json!({ "schema": schema }))).collect()
}
