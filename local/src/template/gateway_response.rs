//! The template's gateway responses: how the API answers when no function did.

use super::{TemplateError, node::Node};

/// Parts of the template language that plain substitution cannot honour.
const TEMPLATE_LANGUAGE: [&str; 6] = ["#set", "#if", "#foreach", "$input", "$util", "${"];

/// One gateway response.
#[derive(Debug, Default)]
pub(crate) struct ResponseRule {
    /// The status; without one the response type keeps its own.
    pub(crate) status: Option<u16>,
    /// Headers to set.
    pub(crate) headers: Vec<(String, HeaderSource)>,
    /// The template of an `application/json` body.
    pub(crate) body: Option<String>,
}

/// Where a header of a gateway response takes its value from.
#[derive(Debug, PartialEq)]
pub(crate) enum HeaderSource {
    /// The text itself.
    Static(String),
    /// A variable of `$context`, without that prefix.
    Context(String),
    /// A header of the request.
    RequestHeader(String),
}

impl ResponseRule {
    pub(super) fn read(response: &Node<'_>) -> Result<Self, TemplateError> {
        let headers = match response.get("ResponseParameters")? {
            Some(parameters) => parameters.entries_of("Headers")?,
            None => Vec::new(),
        };
        let headers: Result<_, _> =
            headers.into_iter().map(|(name, value)| Ok((name, source(&value)?))).collect();
        let body = match response.get("ResponseTemplates")? {
            Some(templates) => Some(body(&templates.require("application/json")?)?),
            None => None,
        };
        Ok(Self { status: response.number_of("StatusCode")?, headers: headers?, body })
    }
}

fn source(value: &Node<'_>) -> Result<HeaderSource, TemplateError> {
    let text = value.text()?;
    let literal = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
    if let Some(literal) = literal {
        Ok(HeaderSource::Static(literal.to_owned()))
    } else if let Some(variable) = text.strip_prefix("context.") {
        Ok(HeaderSource::Context(variable.to_owned()))
    } else if let Some(header) = text.strip_prefix("method.request.header.") {
        Ok(HeaderSource::RequestHeader(header.to_owned()))
    } else {
        Err(value.error("only 'text', context.… and method.request.header.… are supported"))
    }
}

fn body(template: &Node<'_>) -> Result<String, TemplateError> {
    let text = template.text()?;
    match TEMPLATE_LANGUAGE.iter().find(|construct| text.contains(**construct)) {
        Some(construct) => Err(template.error(format!("{construct} is not supported"))),
        None => Ok(text),
    }
}
