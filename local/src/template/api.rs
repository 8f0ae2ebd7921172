//! The REST API: its stage, routes, authorizers and gateway responses.

use std::collections::BTreeMap;

use super::{
    API, REGION, Template, TemplateError,
    authorizer::Authorizer,
    events::{Event, Route, RouteAuth},
    gateway_response::ResponseRule,
    node::Node,
};

/// What is served as it would be deployed, or makes no difference on one machine.
const PROPERTIES: [&str; 12] = [
    "AccessLogSetting",
    "Auth",
    "BinaryMediaTypes",
    "Description",
    "EndpointConfiguration",
    "GatewayResponses",
    "MethodSettings",
    "Name",
    "OpenApiVersion",
    "StageName",
    "Tags",
    "TracingEnabled",
];

/// The one REST API of a template.
#[derive(Debug)]
pub(crate) struct Api {
    /// The stage's name.
    pub(crate) stage: String,
    /// The routes, in the order of the template.
    pub(crate) routes: Vec<Route>,
    /// The authorizers, by name.
    pub(crate) authorizers: BTreeMap<String, Authorizer>,
    /// The gateway responses, by response type.
    pub(crate) responses: BTreeMap<String, ResponseRule>,
    /// The media types whose bodies are bytes, such as `*/*`.
    pub(crate) binary_media_types: Vec<String>,
    default_authorizer: Option<String>,
}

impl Api {
    pub(super) fn read(template: &Template) -> Result<Self, TemplateError> {
        let (id, properties) = only_api(template)?;
        properties.only(&PROPERTIES)?;
        if template.document.get("Globals").is_some_and(|globals| globals.get("Api").is_some()) {
            let problem = "is not supported: write it at the API".to_owned();
            return Err(TemplateError::Invalid { at: "Globals.Api".to_owned(), problem });
        }
        let mut authorizers = BTreeMap::new();
        let mut default_authorizer = None;
        if let Some(auth) = properties.get("Auth")? {
            auth.only(&["Authorizers", "DefaultAuthorizer"])?;
            default_authorizer = auth.text_of("DefaultAuthorizer")?;
            for (name, authorizer) in auth.entries_of("Authorizers")? {
                authorizers.insert(name, Authorizer::read(template, &authorizer)?);
            }
        }
        let mut responses = BTreeMap::new();
        for (kind, response) in properties.entries_of("GatewayResponses")? {
            responses.insert(kind, ResponseRule::read(&response)?);
        }
        let binary = properties.texts_of("BinaryMediaTypes")?;
        let api = Self {
            stage: properties.require("StageName")?.text()?,
            routes: routes(template)?,
            authorizers,
            responses,
            binary_media_types: binary.iter().map(|one| one.replace("~1", "/")).collect(),
            default_authorizer,
        };
        api.check(&id)?;
        Ok(api)
    }

    /// The name of the authorizer that guards a route, if one does.
    pub(crate) fn authorizer_of<'a>(&'a self, route: &'a Route) -> Option<&'a str> {
        match &route.auth {
            RouteAuth::Default => self.default_authorizer.as_deref(),
            RouteAuth::Open => None,
            RouteAuth::Named(name) => Some(name),
        }
    }

    fn check(&self, id: &str) -> Result<(), TemplateError> {
        let mut seen = BTreeMap::new();
        for route in &self.routes {
            let error = |problem| Err(TemplateError::Invalid { at: route.at.clone(), problem });
            let Route { method, path, function, .. } = route;
            if let Some(other) = seen.insert((method, path), function) {
                return error(format!("{method} {path} is {other}'s already"));
            }
            if route.api != id {
                return error(format!("{} is not the API that is served, {id}", route.api));
            }
            match self.authorizer_of(route) {
                Some(name) if !self.authorizers.contains_key(name) => {
                    return error(format!("there is no authorizer {name}"));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Where the API would answer on AWS, if there is one: what values of the template say.
pub(super) fn aws_url(template: &Template) -> Result<Option<String>, TemplateError> {
    let Some((id, api)) = template.resources(API)?.into_iter().next() else { return Ok(None) };
    let properties = Node::new(template, id.to_owned(), api)?.require("Properties")?;
    let stage = properties.require("StageName")?.text()?;
    Ok(Some(format!("https://{id}.execute-api.{REGION}.amazonaws.com/{stage}")))
}

/// The API's logical id and properties.
fn only_api(template: &Template) -> Result<(String, Node<'_>), TemplateError> {
    if let Some((id, _)) = template.resources("AWS::Serverless::HttpApi")?.first() {
        let problem = "an AWS::Serverless::HttpApi is not supported".to_owned();
        return Err(TemplateError::Invalid { at: format!("{id}.Type"), problem });
    }
    let mut apis = template.resources(API)?.into_iter();
    let Some((id, resource)) = apis.next() else {
        let (at, problem) = ("Resources".to_owned(), format!("there is no {API}"));
        return Err(TemplateError::Invalid { at, problem });
    };
    let api = Node::new(template, id.to_owned(), resource)?;
    match apis.next() {
        Some((other, _)) => Err(api.error(format!("there is also {other}; one API can be served"))),
        None => Ok((id.to_owned(), api.require("Properties")?)),
    }
}

fn routes(template: &Template) -> Result<Vec<Route>, TemplateError> {
    let events = template.events()?.into_iter();
    let routes = events.filter_map(|event| match event {
        Event::Api(route) => Some(route),
        Event::Queue(_) | Event::Schedule(_) => None,
    });
    Ok(routes.collect())
}

#[cfg(test)]
mod tests;
