//! What a handler sees of an event, whichever payload version brought it.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr},
};

use lambda_http::{
    Body, RequestExt, aws_lambda_events::query_map::QueryMap, http::HeaderMap,
    request::RequestContext,
};
use serde_json::Value;

const MAX_USER_AGENT_CHARS: usize = 255;

/// One request.
///
/// The path as such is not in it: the gateway has matched it, and what counts is the route that
/// was matched and its parameters.
#[derive(Debug)]
pub struct Request {
    pub(super) route: String,
    pub(super) id: String,
    pub(super) path_parameters: QueryMap,
    pub(super) query: QueryMap,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
    pub(super) authorizer: HashMap<String, Value>,
    client_ip: String,
}

impl Request {
    /// Reads an event.
    #[must_use]
    pub fn new(event: lambda_http::Request) -> Self {
        let path_parameters = event.path_parameters();
        let query = event.query_string_parameters();
        let context = Context::of(&event, &path_parameters);
        let (parts, body) = event.into_parts();
        Self {
            route: context.route,
            id: context.request_id.unwrap_or_default(),
            path_parameters,
            query,
            headers: parts.headers,
            body,
            authorizer: context.authorizer,
            client_ip: context.client_ip,
        }
    }

    /// The route that was matched, as in `POST /accounts/{id}/deposits`.
    #[must_use]
    pub fn route(&self) -> &str {
        &self.route
    }

    /// The gateway's number for this request.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The address that the gateway saw, never one that a header claims.
    #[must_use]
    pub fn client_ip(&self) -> &str {
        &self.client_ip
    }

    /// Whether the client asks for a page: a browser does when a person is waiting.
    #[must_use]
    pub fn wants_page(&self) -> bool {
        let accept = self.headers.get("accept").and_then(|value| value.to_str().ok());
        accept.is_some_and(|accept| accept.contains("text/html"))
    }

    /// What the client calls itself, without control characters and cut to 255 characters.
    #[must_use]
    pub fn user_agent(&self) -> String {
        let agent = self.headers.get("user-agent").and_then(|value| value.to_str().ok());
        agent
            .unwrap_or_default()
            .chars()
            .filter(|character| !character.is_control())
            .take(MAX_USER_AGENT_CHARS)
            .collect()
    }
}

/// What the two payload versions say in different places.
struct Context {
    route: String,
    request_id: Option<String>,
    client_ip: String,
    authorizer: HashMap<String, Value>,
}

impl Context {
    fn of(event: &lambda_http::Request, path_parameters: &QueryMap) -> Self {
        let unknown_ip = || IpAddr::V4(Ipv4Addr::UNSPECIFIED).to_string();
        match event.request_context_ref() {
            Some(RequestContext::ApiGatewayV1(context)) => Self {
                route: route(
                    context.http_method.as_str(),
                    context.resource_path.as_deref().unwrap_or_default(),
                ),
                request_id: context.request_id.clone(),
                client_ip: context.identity.source_ip.clone().unwrap_or_else(unknown_ip),
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
                client_ip: context.http.source_ip.clone().unwrap_or_else(unknown_ip),
                authorizer: context
                    .authorizer
                    .as_ref()
                    .map(|authorizer| authorizer.fields.clone())
                    .unwrap_or_default(),
            },
            Some(_) | None => Self {
                route: String::new(),
                request_id: None,
                client_ip: unknown_ip(),
                authorizer: HashMap::new(),
            },
        }
    }
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
