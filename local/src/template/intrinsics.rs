//! `CloudFormation`'s intrinsic functions, as far as a value on this machine can need them.

use serde_yaml_ng::Value;

use super::{ACCOUNT_ID, FUNCTION, REGION, Template, kind_of, parameters::scalar, physical_name};

impl Template {
    /// Replaces a value that is an intrinsic function by its result; children are left alone.
    pub(super) fn evaluate(&self, value: &Value) -> Result<Value, String> {
        let Some((name, argument)) = intrinsic(value) else { return Ok(value.clone()) };
        match name.as_str() {
            "Ref" => match text(argument)? {
                "AWS::NoValue" => Ok(Value::Null),
                name => self.reference(name).map(Value::String),
            },
            "Sub" => self.substitute(text(argument)?).map(Value::String),
            "GetAtt" => self.attribute(&attribute_name(argument)?).map(Value::String),
            "Join" => self.join(argument).map(Value::String),
            "If" => self.choose(argument),
            _ => Err(format!("the intrinsic function {name} is not supported")),
        }
    }

    fn evaluate_text(&self, value: &Value) -> Result<String, String> {
        scalar(&self.evaluate(value)?).ok_or_else(|| "a text is needed here".to_owned())
    }

    fn reference(&self, name: &str) -> Result<String, String> {
        match name {
            "AWS::Region" => return Ok(REGION.to_owned()),
            "AWS::AccountId" => return Ok(ACCOUNT_ID.to_owned()),
            "AWS::Partition" => return Ok("aws".to_owned()),
            "AWS::URLSuffix" => return Ok("amazonaws.com".to_owned()),
            "AWS::StackName" => return Ok("local".to_owned()),
            _ => {}
        }
        if let Some(value) = self.parameters.get(name)? {
            return Ok(value);
        }
        let resource = self.resource(name);
        resource
            .map(|resource| physical_name(name, resource))
            .ok_or_else(|| format!("{name} is neither a parameter nor a resource"))
    }

    fn attribute(&self, name: &str) -> Result<String, String> {
        let unknown = || format!("{name} is not known on this machine");
        let (id, attribute) = name.split_once('.').ok_or_else(unknown)?;
        let resource = self.resource(id).ok_or_else(unknown)?;
        if attribute != "Arn" || kind_of(resource) != Some(FUNCTION) {
            return Err(unknown());
        }
        Ok(function_arn(&physical_name(id, resource)))
    }

    fn substitute(&self, text: &str) -> Result<String, String> {
        let mut result = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, tail) =
                after.split_once('}').ok_or_else(|| format!("${{ is not closed in {text:?}"))?;
            result.push_str(before);
            match name.strip_prefix('!') {
                Some(literal) => result.extend(["${", literal, "}"]),
                None if name.contains('.') => result.push_str(&self.attribute(name)?),
                None => result.push_str(&self.reference(name)?),
            }
            rest = tail;
        }
        result.push_str(rest);
        Ok(result)
    }

    fn join(&self, argument: &Value) -> Result<String, String> {
        let [separator, Value::Sequence(parts)] = list(argument) else {
            return Err("Join needs a separator and a list".to_owned());
        };
        let parts: Result<Vec<String>, String> =
            parts.iter().map(|part| self.evaluate_text(part)).collect();
        Ok(parts?.join(text(separator)?))
    }

    fn choose(&self, argument: &Value) -> Result<Value, String> {
        let [condition, then, otherwise] = list(argument) else {
            return Err("If needs a condition and two values".to_owned());
        };
        let holds = self.condition(text(condition)?)?;
        self.evaluate(if holds { then } else { otherwise })
    }

    fn condition(&self, name: &str) -> Result<bool, String> {
        let definition = self.document.get("Conditions").and_then(|all| all.get(name));
        let definition = definition.ok_or_else(|| format!("there is no condition {name}"))?;
        match intrinsic(definition) {
            Some((function, argument)) if function == "Equals" => match list(argument) {
                [left, right] => Ok(self.evaluate_text(left)? == self.evaluate_text(right)?),
                _ => Err(format!("condition {name}: Equals needs two values")),
            },
            _ => Err(format!("condition {name}: only Equals is supported")),
        }
    }
}

/// The ARN of a function that is run here.
pub(crate) fn function_arn(name: &str) -> String {
    format!("arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{name}")
}

/// The function's name and argument, if the value is `!Name argument` or `Fn::Name: argument`.
pub(super) fn intrinsic(value: &Value) -> Option<(String, &Value)> {
    if let Value::Tagged(tagged) = value {
        return Some((tagged.tag.to_string().trim_start_matches('!').to_owned(), &tagged.value));
    }
    let mapping = value.as_mapping().filter(|mapping| mapping.len() == 1)?;
    let (name, argument) = mapping.iter().next()?;
    let name = name.as_str()?;
    (name == "Ref")
        .then_some(name)
        .or_else(|| name.strip_prefix("Fn::"))
        .map(|name| (name.to_owned(), argument))
}

fn attribute_name(argument: &Value) -> Result<String, String> {
    match list(argument) {
        [] => text(argument).map(str::to_owned),
        parts => Ok(parts.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(".")),
    }
}

fn text(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| "only a plain text is supported here".to_owned())
}

fn list(value: &Value) -> &[Value] {
    value.as_sequence().map(Vec::as_slice).unwrap_or_default()
}

#[cfg(test)]
mod tests;
