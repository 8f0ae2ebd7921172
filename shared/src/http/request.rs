//! What a handler sees of an event, whichever payload version brought it.

use std::collections::HashMap;

use lambda_http::{
    Body, RequestExt, aws_lambda_events::query_map::QueryMap, http::HeaderMap,
    request::RequestContext,
};
use serde_json::Value;

use crate::domain::Client;

/// One request.
///
/// The path as such is not in it: the gateway has matched it, and what counts is the route that
/// was matched and its parameters.
#[derive(Debug)]
pub struct Request {
    pub(super) route: String,
    pub(super) id: String,
    pub(super) trace_id: String,
    pub(super) path_parameters: QueryMap,
    pub(super) query: QueryMap,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
    pub(super) authorizer: HashMap<String, Value>,
    client: Client,
}

impl Request {
    /// Reads an event.
    #[must_use]
    pub fn new(event: lambda_http::Request) -> Self {
        let path_parameters = event.path_parameters();
        let query = event.query_string_parameters();
        let context = Context::of(&event, &path_parameters);
        let trace_id = trace_id(&event).unwrap_or_default();
        let (parts, body) = event.into_parts();
        Self {
            route: context.route,
            id: context.request_id.unwrap_or_default(),
            trace_id,
            path_parameters,
            query,
            headers: parts.headers,
            body,
            authorizer: context.authorizer,
            client: context.client,
        }
    }

    /// The route that was matched, as in `POST /accounts/{id}/deposits`.
    #[must_use]
    pub fn route(&self) -> &str {
        &self.route
    }

    /// The method and the path: the route's, with the parameters where the path had them.
    pub(super) fn address(&self) -> (&str, String) {
        let (method, resource) = self.route.split_once(' ').unwrap_or_default();
        let segments: Vec<&str> = resource
            .split('/')
            .map(|segment| {
                let name = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
                name.and_then(|name| self.path_parameters.first(name)).unwrap_or(segment)
            })
            .collect();
        (method, segments.join("/"))
    }

    /// The gateway's number for this request.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The client as the gateway saw it.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Whether the client asks for a page: a browser does when a person is waiting.
    #[must_use]
    pub fn wants_page(&self) -> bool {
        let accept = self.headers.get("accept").and_then(|value| value.to_str().ok());
        accept.is_some_and(|accept| accept.contains("text/html"))
    }
}

/// What the two payload versions say in different places.
struct Context {
    route: String,
    request_id: Option<String>,
    client: Client,
    authorizer: HashMap<String, Value>,
}

impl Context {
    fn of(event: &lambda_http::Request, path_parameters: &QueryMap) -> Self {
        let agent = |seen: &Option<String>| seen.clone().or_else(|| header(event, "user-agent"));
        match event.request_context_ref() {
            Some(RequestContext::ApiGatewayV1(context)) => Self {
                route: route(
                    context.http_method.as_str(),
                    context.resource_path.as_deref().unwrap_or_default(),
                ),
                request_id: context.request_id.clone(),
                client: Client::new(
                    agent(&context.identity.user_agent).as_deref(),
                    context.identity.source_ip.as_deref(),
                ),
                authorizer: context.authorizer.fields.clone(),
            },
            Some(RequestContext::ApiGatewayV2(context)) => Self {
                route: match context.route_key.as_deref() {
                    None | Some("$default") => route(
                        context.http.method.as_str(),
                        &resource(event.raw_http_path(), path_parameters),
                    ),
                    Some(key) => key.to_owned(),
                },
                request_id: context.request_id.clone(),
                client: Client::new(
                    agent(&context.http.user_agent).as_deref(),
                    context.http.source_ip.as_deref(),
                ),
                authorizer: context
                    .authorizer
                    .as_ref()
                    .map(|authorizer| authorizer.fields.clone())
                    .unwrap_or_default(),
            },
            Some(_) | None => Self {
                route: String::new(),
                request_id: None,
                client: Client::new(None, None),
                authorizer: HashMap::new(),
            },
        }
    }
}

/// The number of the trace that X-Ray knows the invocation by.
fn trace_id(event: &lambda_http::Request) -> Option<String> {
    let header = event.lambda_context_ref()?.xray_trace_id.as_deref()?;
    header.split(';').find_map(|part| part.strip_prefix("Root=")).map(str::to_owned)
}

fn header(event: &lambda_http::Request, name: &str) -> Option<String> {
    event.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

fn route(method: &str, resource: &str) -> String {
    format!("{method} {resource}")
}

/// The route's template, put together again from a path and its parameters. `cargo lambda watch`
/// matches routes but does not say which one it found.
fn resource(path: &str, parameters: &QueryMap) -> String {
    let segments: Vec<String> = path
        .split('/')
        .map(|segment| {
            parameters
                .iter()
                .find(|(_, value)| !segment.is_empty() && *value == segment)
                .map_or_else(|| segment.to_owned(), |(name, _)| format!("{{{name}}}"))
        })
        .collect();
    segments.join("/")
}
