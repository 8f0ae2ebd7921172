//! Reads the SAM template into what the gateway needs to know.
//!
//! Only this folder turns YAML into types, and it does so lazily: a property that nobody asks for is
//! never evaluated, so an output or an IAM policy may use what this tool does not understand.

mod api;
mod authorizer;
mod events;
mod function;
mod gateway_response;
mod intrinsics;
mod node;
mod parameters;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde_yaml_ng::Value;
use thiserror::Error;

use self::parameters::Parameters;
pub(crate) use self::{
    api::Api,
    authorizer::Authorizer,
    events::ANY,
    function::Function,
    gateway_response::{HeaderSource, ResponseRule},
    intrinsics::function_arn,
    parameters::Supplied,
};

/// The region that everything on this machine claims to be in.
pub(crate) const REGION: &str = "us-east-1";
/// The account that everything on this machine claims to belong to.
pub(crate) const ACCOUNT_ID: &str = "000000000000";

const FUNCTION: &str = "AWS::Serverless::Function";
const API: &str = "AWS::Serverless::Api";

/// A template that cannot be read or cannot be served.
#[derive(Debug, Error)]
pub(crate) enum TemplateError {
    /// The file cannot be opened.
    #[error("{} cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file is not YAML.
    #[error("{} is not YAML: {source}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where it stops being YAML.
        source: serde_yaml_ng::Error,
    },
    /// A value for a parameter is wrong, or there is no such parameter.
    #[error("{0}")]
    Parameter(String),
    /// A property holds what this tool cannot serve.
    #[error("{at}: {problem}")]
    Invalid {
        /// Resource and property, separated by dots.
        at: String,
        /// What is wrong there.
        problem: String,
    },
}

/// A SAM template together with the values of its parameters.
pub(crate) struct Template {
    document: Value,
    parameters: Parameters,
}

impl Template {
    /// Reads the file and checks the parameters that were given against what it declares.
    pub(crate) fn read(path: &Path, supplied: Supplied) -> Result<Self, TemplateError> {
        let text = fs::read_to_string(path)
            .map_err(|source| TemplateError::Read { path: path.to_owned(), source })?;
        let document = serde_yaml_ng::from_str(&text)
            .map_err(|source| TemplateError::Syntax { path: path.to_owned(), source })?;
        Self::new(document, supplied)
    }

    fn new(document: Value, supplied: Supplied) -> Result<Self, TemplateError> {
        let parameters = Parameters::new(document.get("Parameters"), supplied)
            .map_err(TemplateError::Parameter)?;
        Ok(Self { document, parameters })
    }

    /// The one REST API of the template, with its routes.
    pub(crate) fn api(&self) -> Result<Api, TemplateError> {
        Api::read(self)
    }

    /// Every function, in the order of the template.
    pub(crate) fn functions(&self) -> Result<Vec<Function<'_>>, TemplateError> {
        let mut functions: Vec<Function<'_>> = Vec::new();
        for (id, resource) in self.resources(FUNCTION) {
            if resource.get("Condition").is_some() {
                let problem = "a function under a condition is not supported".to_owned();
                return Err(TemplateError::Invalid { at: format!("{id}.Condition"), problem });
            }
            let function = Function::read(self, id, resource)?;
            if let Some(twin) = functions.iter().find(|other| other.name == function.name) {
                let problem = format!("{} has this binary already", twin.logical_id);
                return Err(TemplateError::Invalid { at: format!("{id}.CodeUri"), problem });
            }
            functions.push(function);
        }
        Ok(functions)
    }

    /// The resources of one type: logical id and definition.
    fn resources<'t>(&'t self, kind: &'t str) -> impl Iterator<Item = (&'t str, &'t Value)> {
        let resources = self.document.get("Resources").and_then(Value::as_mapping);
        resources
            .into_iter()
            .flatten()
            .filter_map(|(id, resource)| Some((id.as_str()?, resource)))
            .filter(move |(_, resource)| kind_of(resource) == Some(kind))
    }

    /// One resource, whatever its type.
    fn resource(&self, id: &str) -> Option<&Value> {
        self.document.get("Resources")?.get(id)
    }
}

fn kind_of(resource: &Value) -> Option<&str> {
    resource.get("Type")?.as_str()
}

/// A resource's name at runtime: a function goes by its binary, anything else by its logical id.
fn physical_name(id: &str, resource: &Value) -> String {
    let code = resource.get("Properties").and_then(|properties| properties.get("CodeUri"));
    match code.and_then(Value::as_str) {
        Some(code) if kind_of(resource) == Some(FUNCTION) => last_folder(code).to_owned(),
        _ => id.to_owned(),
    }
}

fn last_folder(path: &str) -> &str {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
}

/// A template from text, with parameters given as pairs.
#[cfg(test)]
fn from_text(text: &str, parameters: &[(&str, &str)]) -> Template {
    let supplied = parameters.iter().map(|(name, value)| ((*name).into(), (*value).into()));
    Template::new(serde_yaml_ng::from_str(text).unwrap(), supplied.collect()).unwrap()
}
