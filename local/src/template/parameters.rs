//! The template's parameters: what it declares, what was supplied, and which value wins.
//!
//! A missing value is an error only when something asks for it, so that `routes` or one function can
//! be looked at without every secret of the bank.

use std::collections::BTreeMap;

use serde_yaml_ng::{Mapping, Value};

/// Values from the command line, by parameter name.
pub(crate) type Supplied = BTreeMap<String, String>;

/// Declarations and values together.
pub(super) struct Parameters {
    declared: Mapping,
    supplied: Supplied,
}

impl Parameters {
    /// Refuses a value for a parameter that the template does not declare or does not allow.
    pub(super) fn new(declared: Option<&Value>, supplied: Supplied) -> Result<Self, String> {
        let declared = declared.and_then(Value::as_mapping).cloned().unwrap_or_default();
        for (name, value) in &supplied {
            let declaration = declared
                .get(name.as_str())
                .ok_or_else(|| format!("the template has no parameter {name}"))?;
            check(declaration, value).map_err(|rule| format!("parameter {name}: {rule}"))?;
        }
        Ok(Self { declared, supplied })
    }

    /// The value of a parameter, or `None` if the template declares none of that name.
    pub(super) fn get(&self, name: &str) -> Result<Option<String>, String> {
        let Some(declaration) = self.declared.get(name) else { return Ok(None) };
        if let Some(value) = self.supplied.get(name) {
            return Ok(Some(value.clone()));
        }
        match declaration.get("Default").and_then(scalar) {
            // The name of a parameter in AWS's store, which is not asked.
            Some(_) if is_stored(declaration) => Ok(Some(String::new())),
            Some(default) => Ok(Some(default)),
            None => {
                Err(format!("template parameter {name} has no value: pass --parameter {name}=…"))
            }
        }
    }
}

/// Whether `CloudFormation` takes the value from Systems Manager.
fn is_stored(declaration: &Value) -> bool {
    let kind = declaration.get("Type").and_then(Value::as_str);
    kind.is_some_and(|kind| kind.starts_with("AWS::SSM::Parameter::Value<"))
}

fn check(declaration: &Value, value: &str) -> Result<(), String> {
    if let Some(allowed) = declaration.get("AllowedValues").and_then(Value::as_sequence) {
        let allowed: Vec<String> = allowed.iter().filter_map(scalar).collect();
        if !allowed.iter().any(|one| one == value) {
            return Err(format!("{value:?} is not one of {}", allowed.join(", ")));
        }
    }
    if declaration.get("Type").and_then(Value::as_str) == Some("Number") {
        check_number(declaration, value)?;
    }
    Ok(())
}

fn check_number(declaration: &Value, value: &str) -> Result<(), String> {
    let bound = |name: &str| declaration.get(name).and_then(Value::as_i64);
    let number: i64 = value.parse().map_err(|_| format!("{value:?} is not a whole number"))?;
    match (bound("MinValue"), bound("MaxValue")) {
        (Some(least), _) if number < least => Err(format!("{number} is less than {least}")),
        (_, Some(most)) if number > most => Err(format!("{number} is more than {most}")),
        _ => Ok(()),
    }
}

/// A YAML scalar as `CloudFormation` passes it on: as text.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Sequence(_) | Value::Mapping(_) | Value::Tagged(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DECLARED: &str = "
Stage: {Type: String, Default: dev, AllowedValues: [dev, prod]}
Secret: {Type: String}
Ttl: {Type: Number, Default: 600, MinValue: 1, MaxValue: 3600}
Url: {Type: AWS::SSM::Parameter::Value<String>, Default: /bank/dev/url}
";

    fn parameters(supplied: &[(&str, &str)]) -> Result<Parameters, String> {
        let declared: Value = serde_yaml_ng::from_str(DECLARED).unwrap();
        let supplied = supplied.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        Parameters::new(Some(&declared), supplied.collect())
    }

    #[test]
    fn a_supplied_value_wins_over_the_default() {
        let given = parameters(&[("Ttl", "5")]).unwrap();
        assert_eq!(given.get("Ttl"), Ok(Some("5".into())));
        assert_eq!(given.get("Stage"), Ok(Some("dev".into())));
        assert_eq!(given.get("Unknown"), Ok(None));
    }

    #[test]
    fn what_stands_in_a_store_is_supplied_or_empty() {
        assert_eq!(parameters(&[]).unwrap().get("Url"), Ok(Some(String::new())));
        let given = parameters(&[("Url", "postgres://here")]).unwrap();
        assert_eq!(given.get("Url"), Ok(Some("postgres://here".into())));
    }

    #[test]
    fn a_missing_value_says_what_to_pass() {
        let message = parameters(&[]).unwrap().get("Secret").unwrap_err();
        assert_eq!(message, "template parameter Secret has no value: pass --parameter Secret=…");
    }

    #[test]
    fn a_value_the_template_does_not_allow_is_refused() {
        let cases = [
            ("Stage", "test", "parameter Stage: \"test\" is not one of dev, prod"),
            ("Ttl", "0", "parameter Ttl: 0 is less than 1"),
            ("Ttl", "3601", "parameter Ttl: 3601 is more than 3600"),
            ("Ttl", "soon", "parameter Ttl: \"soon\" is not a whole number"),
            ("Nothing", "x", "the template has no parameter Nothing"),
        ];
        for (name, value, message) in cases {
            assert_eq!(parameters(&[(name, value)]).err().as_deref(), Some(message));
        }
    }
}
