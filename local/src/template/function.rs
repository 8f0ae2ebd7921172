//! The functions: what their resources say, laid over the template's globals.

use std::{collections::BTreeMap, time::Duration};

use serde_yaml_ng::Value;

use super::{
    Template, TemplateError, api, events, events::Event, intrinsics::intrinsic, last_folder,
    node::Node,
};

/// Lambda's own value where the template has none.
const DEFAULT_TIMEOUT_SECS: u64 = 3;
/// Lambda's own value where the template has none.
const DEFAULT_MEMORY_MB: u32 = 128;

/// How long a function may take to start and to be waited for, besides its own time-out.
const START_SECS: u64 = 15;

/// One function of the template.
pub(crate) struct Function<'t> {
    /// The resource's name in the template.
    pub(crate) logical_id: String,
    /// The name of the crate and of its binary: the last folder of the code's place.
    pub(crate) name: String,
    /// How long one invocation may take.
    pub(crate) timeout_secs: u64,
    /// The memory that would be reserved; here the function is only told.
    pub(crate) memory_mb: u32,
    /// The most instances that may run at a time, if the template bounds them.
    pub(crate) reserved_concurrency: Option<usize>,
    properties: Node<'t>,
}

impl<'t> Function<'t> {
    pub(super) fn read(
        template: &'t Template,
        id: &str,
        resource: &Value,
    ) -> Result<Self, TemplateError> {
        let globals = template.document.get("Globals").and_then(|globals| globals.get("Function"));
        let own = resource.get("Properties").unwrap_or(&Value::Null);
        let merged = merge(globals.unwrap_or(&Value::Null), own);
        let properties = Node::new(template, id.to_owned(), &merged)?;
        Ok(Self {
            logical_id: id.to_owned(),
            name: last_folder(&properties.require("CodeUri")?.text()?).to_owned(),
            timeout_secs: properties.number_of("Timeout")?.unwrap_or(DEFAULT_TIMEOUT_SECS),
            memory_mb: properties.number_of("MemorySize")?.unwrap_or(DEFAULT_MEMORY_MB),
            reserved_concurrency: properties.number_of("ReservedConcurrentExecutions")?,
            properties,
        })
    }

    /// The environment variables that the template sets. The API's address on AWS becomes `api_url`.
    pub(crate) fn environment(
        &self,
        api_url: &str,
    ) -> Result<BTreeMap<String, String>, TemplateError> {
        let aws_url = api::aws_url(self.template())?;
        let local = |value: String| match &aws_url {
            Some(aws_url) => value.replace(aws_url, api_url),
            None => value,
        };
        let variables = match self.properties.get("Environment")? {
            Some(environment) => environment.entries_of("Variables")?,
            None => Vec::new(),
        };
        variables.into_iter().map(|(name, value)| Ok((name, local(value.text()?)))).collect()
    }

    /// The variables with which Lambda tells a function how it is to log.
    pub(crate) fn logging(&self) -> Result<BTreeMap<String, String>, TemplateError> {
        let mut variables = BTreeMap::new();
        if let Some(logging) = self.properties.get("LoggingConfig")? {
            if let Some(format) = logging.text_of("LogFormat")? {
                variables.insert("AWS_LAMBDA_LOG_FORMAT".to_owned(), format);
            }
            if let Some(level) = logging.text_of("ApplicationLogLevel")? {
                variables.insert("AWS_LAMBDA_LOG_LEVEL".to_owned(), level);
            }
        }
        Ok(variables)
    }

    /// How long an answer is waited for where nobody outside waits for it.
    pub(crate) fn patience(&self) -> Duration {
        Duration::from_secs(self.timeout_secs.saturating_add(START_SECS))
    }

    /// What invokes the function, but for what is switched off.
    pub(super) fn events(&self) -> Result<Vec<Event>, TemplateError> {
        let mut events = Vec::new();
        for (name, event) in self.properties.entries_of("Events")? {
            events.extend(events::read(&name, &event, self)?);
        }
        Ok(events)
    }

    pub(super) fn template(&self) -> &'t Template {
        self.properties.template()
    }
}

/// SAM's rule for globals: mappings are merged, lists are appended, anything else is replaced.
fn merge(global: &Value, own: &Value) -> Value {
    match (global, own) {
        (_, Value::Null) => global.clone(),
        (Value::Mapping(global_map), Value::Mapping(own_map))
            if intrinsic(global).is_none() && intrinsic(own).is_none() =>
        {
            let mut merged = global_map.clone();
            for (key, value) in own_map {
                let value = merge(global_map.get(key).unwrap_or(&Value::Null), value);
                merged.insert(key.clone(), value);
            }
            Value::Mapping(merged)
        }
        (Value::Sequence(global), Value::Sequence(own)) => {
            Value::Sequence(global.iter().chain(own).cloned().collect())
        }
        _ => own.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::from_text;

    const TEMPLATE: &str = "
Parameters: {Url: {Type: String}}
Globals:
  Function:
    Timeout: 10
    Environment: {Variables: {STAGE: dev, LOG: info}}
    LoggingConfig: {LogFormat: JSON}
Resources:
  PayFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: target/lambda/pay/
      MemorySize: 1024
      Environment: {Variables: {LOG: debug, TTL: 60}}
  OldFunction:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: old, Timeout: 1, Environment: {Variables: {URL: !Ref Url}}}
";

    #[test]
    fn globals_are_merged_under_the_functions_own_properties() {
        let template = from_text(TEMPLATE, &[]);
        let functions = template.functions().unwrap();
        let [pay, old] = functions.as_slice() else { panic!("two functions") };
        assert_eq!((pay.name.as_str(), pay.timeout_secs, pay.memory_mb), ("pay", 10, 1024));
        assert_eq!((old.name.as_str(), old.timeout_secs, old.memory_mb), ("old", 1, 128));
        let environment: Vec<_> = pay.environment("").unwrap().into_iter().collect();
        let expected = [("LOG", "debug"), ("STAGE", "dev"), ("TTL", "60")];
        assert_eq!(environment, expected.map(|(name, value)| (name.into(), value.into())));
        assert_eq!(pay.logging().unwrap()["AWS_LAMBDA_LOG_FORMAT"], "JSON");
    }

    #[test]
    fn the_api_is_where_it_is_served() {
        let yaml = "
Resources:
  Api: {Type: AWS::Serverless::Api, Properties: {StageName: dev}}
  MailFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: mail
      Environment:
        Variables:
          LINK: !Sub 'at https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/dev/verify'
          OTHER: https://example.com/dev
";
        let template = from_text(yaml, &[]);
        let environment = template.functions().unwrap()[0].environment("http://here:1").unwrap();
        assert_eq!(environment["LINK"], "at http://here:1/verify");
        assert_eq!(environment["OTHER"], "https://example.com/dev");
    }

    #[test]
    fn a_parameter_is_missed_where_it_is_needed() {
        let template = from_text(TEMPLATE, &[]);
        let error = template.functions().unwrap()[1].environment("").unwrap_err();
        assert_eq!(
            error.to_string(),
            "OldFunction.Environment.Variables.URL: \
             template parameter Url has no value: pass --parameter Url=…"
        );
    }
}
