//! The REST API: its stage, routes, authorizers and gateway responses.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use regex::Regex;

use super::{
    API, Template, TemplateError,
    events::{Event, Route, RouteAuth},
    gateway_response::{self, ResponseRule},
    node::Node,
};

/// How long API Gateway keeps an authorizer's answer where the template does not say.
const DEFAULT_REAUTHORIZE_SECS: u64 = 300;

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

/// A function that decides over requests by a token.
#[derive(Debug)]
pub(crate) struct Authorizer {
    /// The binary's name.
    pub(crate) function: String,
    /// The header that carries the token.
    pub(crate) header: String,
    /// What the whole token has to look like.
    pub(crate) validation: Option<Regex>,
    /// How long an answer holds for its token.
    pub(crate) ttl: Duration,
}

impl Api {
    pub(super) fn read(template: &Template) -> Result<Self, TemplateError> {
        if let Some((id, _)) = template.resources("AWS::Serverless::HttpApi").next() {
            let problem = "an AWS::Serverless::HttpApi is not supported".to_owned();
            return Err(TemplateError::Invalid { at: format!("{id}.Type"), problem });
        }
        let mut apis = template.resources(API);
        let missing = || TemplateError::Parameter(format!("the template has no {API}"));
        let (id, resource) = apis.next().ok_or_else(missing)?;
        let api = Node::new(template, id.to_owned(), resource)?;
        if let Some((other, _)) = apis.next() {
            return Err(api.error(format!("only one API is supported, and there is also {other}")));
        }

        let properties = api.require("Properties")?;
        let auth = properties.get("Auth")?;
        let authorizers = match &auth {
            Some(auth) => auth.get("Authorizers")?.as_ref().map(Node::entries).transpose()?,
            None => None,
        };
        let authorizers: Result<_, _> = authorizers
            .into_iter()
            .flatten()
            .map(|(name, node)| Ok((name, authorizer(template, &node)?)))
            .collect();
        let binary = properties.get("BinaryMediaTypes")?.map(|types| types.texts()).transpose()?;
        let api = Self {
            stage: properties.require("StageName")?.text()?,
            routes: routes(template)?,
            authorizers: authorizers?,
            responses: gateway_response::read(properties.get("GatewayResponses")?)?,
            binary_media_types: binary
                .into_iter()
                .flatten()
                .map(|media_type| media_type.replace("~1", "/"))
                .collect(),
            default_authorizer: match &auth {
                Some(auth) => auth.text_of("DefaultAuthorizer")?,
                None => None,
            },
        };
        api.check(&properties)?;
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

    fn check(&self, properties: &Node<'_>) -> Result<(), TemplateError> {
        let mut seen = BTreeSet::new();
        for route in &self.routes {
            let Route { method, path, function, .. } = route;
            if !seen.insert((method, path)) {
                let problem = format!("{method} {path} of {function} has two functions");
                return Err(properties.error(problem));
            }
            if let Some(name) = self.authorizer_of(route)
                && !self.authorizers.contains_key(name)
            {
                let problem = format!("{method} {path} names an unknown authorizer, {name}");
                return Err(properties.error(problem));
            }
        }
        Ok(())
    }
}

fn routes(template: &Template) -> Result<Vec<Route>, TemplateError> {
    let mut routes = Vec::new();
    for function in template.functions()? {
        for Event::Api(route) in function.events()? {
            routes.push(route);
        }
    }
    Ok(routes)
}

fn authorizer(template: &Template, node: &Node<'_>) -> Result<Authorizer, TemplateError> {
    if let Some(kind) = node.get("FunctionPayloadType")?
        && kind.text()? != "TOKEN"
    {
        return Err(kind.error("only authorizers of type TOKEN are supported"));
    }
    let arn = node.require("FunctionArn")?;
    let name = arn.text()?.rsplit(':').next().unwrap_or_default().to_owned();
    if !template.functions()?.iter().any(|function| function.name == name) {
        return Err(arn.error(format!("{name} is not a function of this template")));
    }
    let identity = node.get("Identity")?;
    let text_of = |key| identity.as_ref().map_or(Ok(None), |identity| identity.text_of(key));
    let ttl_secs = match &identity {
        Some(identity) => identity.number_of("ReauthorizeEvery")?,
        None => None,
    };
    let validation = text_of("ValidationExpression")?;
    // API Gateway lets through what the expression matches as a whole.
    let validation =
        validation.map(|expression| Regex::new(&format!("^(?:{expression})$"))).transpose();
    Ok(Authorizer {
        function: name,
        header: text_of("Header")?.unwrap_or_else(|| "Authorization".to_owned()),
        validation: validation.map_err(|error| node.error(error.to_string()))?,
        ttl: Duration::from_secs(ttl_secs.unwrap_or(DEFAULT_REAUTHORIZE_SECS)),
    })
}
