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
mod services;
mod triggers;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde_yaml_ng::Value;
use thiserror::Error;

pub(crate) use self::{
    api::Api,
    authorizer::Authorizer,
    events::ANY,
    function::Function,
    gateway_response::{HeaderSource, ResponseRule},
    intrinsics::{function_arn, queue_url},
    parameters::Supplied,
    services::{Queue, Redrive, Services},
    triggers::{QueueTrigger, ScheduleTrigger, Timing},
};
use self::{events::Event, parameters::Parameters};

/// The region that everything on this machine claims to be in.
pub(crate) const REGION: &str = "us-east-1";
/// The account that everything on this machine claims to belong to.
pub(crate) const ACCOUNT_ID: &str = "000000000000";

const FUNCTION: &str = "AWS::Serverless::Function";
const API: &str = "AWS::Serverless::Api";
const QUEUE: &str = "AWS::SQS::Queue";

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
    aws_endpoint: String,
}

impl Template {
    /// Reads the file and checks the parameters that were given against what it declares. The
    /// addresses of queues begin with `aws_endpoint`.
    pub(crate) fn read(
        path: &Path,
        supplied: Supplied,
        aws_endpoint: &str,
    ) -> Result<Self, TemplateError> {
        let text = fs::read_to_string(path)
            .map_err(|source| TemplateError::Read { path: path.to_owned(), source })?;
        let document = serde_yaml_ng::from_str(&text)
            .map_err(|source| TemplateError::Syntax { path: path.to_owned(), source })?;
        Self::new(document, supplied, aws_endpoint)
    }

    fn new(document: Value, supplied: Supplied, aws_endpoint: &str) -> Result<Self, TemplateError> {
        let parameters = Parameters::new(document.get("Parameters"), supplied)
            .map_err(TemplateError::Parameter)?;
        Ok(Self { document, parameters, aws_endpoint: aws_endpoint.to_owned() })
    }

    /// Where AWS, or what plays it, is for the functions.
    pub(crate) fn aws_endpoint(&self) -> &str {
        &self.aws_endpoint
    }

    /// The one REST API of the template, with its routes.
    pub(crate) fn api(&self) -> Result<Api, TemplateError> {
        Api::read(self)
    }

    /// Every function, in the order of the template.
    pub(crate) fn functions(&self) -> Result<Vec<Function<'_>>, TemplateError> {
        let mut functions: Vec<Function<'_>> = Vec::new();
        for (id, resource) in self.resources(FUNCTION)? {
            let function = Function::read(self, id, resource)?;
            if let Some(twin) = functions.iter().find(|other| other.name == function.name) {
                let problem = format!("{} has this binary already", twin.logical_id);
                return Err(TemplateError::Invalid { at: format!("{id}.CodeUri"), problem });
            }
            functions.push(function);
        }
        Ok(functions)
    }

    /// What invokes functions besides requests.
    pub(crate) fn triggers(
        &self,
    ) -> Result<(Vec<QueueTrigger>, Vec<ScheduleTrigger>), TemplateError> {
        let (mut queues, mut schedules) = (Vec::new(), Vec::new());
        for event in self.events()? {
            match event {
                Event::Api(_) => {}
                Event::Queue(trigger) => queues.push(trigger),
                Event::Schedule(trigger) => schedules.push(trigger),
            }
        }
        Ok((queues, schedules))
    }

    /// What the functions use of AWS besides Lambda.
    pub(crate) fn services(&self) -> Result<Services, TemplateError> {
        Services::read(self)
    }

    /// What invokes functions, in the order of the template.
    fn events(&self) -> Result<Vec<Event>, TemplateError> {
        let mut events = Vec::new();
        for function in self.functions()? {
            events.extend(function.events()?);
        }
        Ok(events)
    }

    /// The resources of one type: logical id and definition. One under a condition that does not
    /// hold is not there.
    fn resources(&self, kind: &str) -> Result<Vec<(&str, &Value)>, TemplateError> {
        let all = self.document.get("Resources").and_then(Value::as_mapping);
        let mut found = Vec::new();
        for (id, resource) in all.into_iter().flatten() {
            let Some(id) = id.as_str() else { continue };
            let exists = || {
                self.exists(resource).map_err(|problem| TemplateError::Invalid {
                    at: format!("{id}.Condition"),
                    problem,
                })
            };
            if kind_of(resource) == Some(kind) && exists()? {
                found.push((id, resource));
            }
        }
        Ok(found)
    }
}

fn kind_of(resource: &Value) -> Option<&str> {
    resource.get("Type")?.as_str()
}

fn last_folder(path: &str) -> &str {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
}

/// A template from text, with parameters given as pairs.
#[cfg(test)]
fn from_text(text: &str, parameters: &[(&str, &str)]) -> Template {
    let supplied = parameters.iter().map(|(name, value)| ((*name).into(), (*value).into()));
    let document = serde_yaml_ng::from_str(text).unwrap();
    Template::new(document, supplied.collect(), "http://aws.test").unwrap()
}
