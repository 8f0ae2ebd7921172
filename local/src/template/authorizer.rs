//! The functions that decide over requests.

use std::time::Duration;

use regex::Regex;

use super::{Template, TemplateError, node::Node};

/// How long API Gateway keeps an authorizer's answer where the template does not say.
const DEFAULT_REAUTHORIZE_SECS: u64 = 300;
/// The header that carries the token where the template does not say.
const DEFAULT_HEADER: &str = "Authorization";

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

impl Authorizer {
    pub(super) fn read(template: &Template, node: &Node<'_>) -> Result<Self, TemplateError> {
        if let Some(kind) = node.get("FunctionPayloadType")?
            && kind.text()? != "TOKEN"
        {
            return Err(kind.error("only authorizers of type TOKEN are supported"));
        }
        let mut authorizer = Self {
            function: function(template, &node.require("FunctionArn")?)?,
            header: DEFAULT_HEADER.to_owned(),
            validation: None,
            ttl: Duration::from_secs(DEFAULT_REAUTHORIZE_SECS),
        };
        let Some(identity) = node.get("Identity")? else { return Ok(authorizer) };
        if let Some(header) = identity.text_of("Header")? {
            authorizer.header = header;
        }
        if let Some(secs) = identity.number_of("ReauthorizeEvery")? {
            authorizer.ttl = Duration::from_secs(secs);
        }
        if let Some(expression) = identity.get("ValidationExpression")? {
            // API Gateway lets through what the expression matches as a whole.
            let whole = Regex::new(&format!("^(?:{})$", expression.text()?));
            authorizer.validation =
                Some(whole.map_err(|error| expression.error(error.to_string()))?);
        }
        Ok(authorizer)
    }
}

fn function(template: &Template, arn: &Node<'_>) -> Result<String, TemplateError> {
    let name = arn.text()?.rsplit(':').next().unwrap_or_default().to_owned();
    if template.functions()?.iter().any(|function| function.name == name) {
        Ok(name)
    } else {
        Err(arn.error(format!("{name} is not a function of this template")))
    }
}
