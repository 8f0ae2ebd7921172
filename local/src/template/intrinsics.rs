//! `CloudFormation`'s intrinsic functions, as far as a value on this machine can need them.

use serde_yaml_ng::Value;

use super::{
    ACCOUNT_ID, FUNCTION, QUEUE, REGION, Template, kind_of, last_folder, parameters::scalar,
};

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
        match kind_of(self.resource(name)?) {
            Some(FUNCTION) => self.function_name(name),
            Some(QUEUE) => Ok(queue_url(&self.aws_endpoint, &self.queue_name(name)?)),
            _ => Ok(name.to_owned()),
        }
    }

    /// One resource, whatever its type.
    fn resource(&self, id: &str) -> Result<&Value, String> {
        let resource = self.document.get("Resources").and_then(|all| all.get(id));
        let resource =
            resource.ok_or_else(|| format!("{id} is neither a parameter nor a resource"))?;
        if self.exists(resource)? {
            Ok(resource)
        } else {
            Err(format!("{id} is not made: its condition does not hold"))
        }
    }

    /// Whether a resource has no condition, or one that holds.
    pub(super) fn exists(&self, resource: &Value) -> Result<bool, String> {
        resource.get("Condition").map_or(Ok(true), |name| self.condition(text(name)?, &[]))
    }

    /// A function goes by its binary.
    fn function_name(&self, id: &str) -> Result<String, String> {
        let code = self.resource(id)?.get("Properties").and_then(|all| all.get("CodeUri"));
        Ok(last_folder(&self.evaluate_text(code.unwrap_or(&Value::Null))?).to_owned())
    }

    /// A queue goes by its logical id if it has no name of its own.
    pub(super) fn queue_name(&self, id: &str) -> Result<String, String> {
        let name = self.resource(id)?.get("Properties").and_then(|all| all.get("QueueName"));
        name.map_or_else(|| Ok(id.to_owned()), |name| self.evaluate_text(name))
    }

    fn attribute(&self, name: &str) -> Result<String, String> {
        let unknown = || format!("{name} is not known on this machine");
        let (id, attribute) = name.split_once('.').ok_or_else(unknown)?;
        match (kind_of(self.resource(id)?), attribute) {
            (Some(FUNCTION), "Arn") => Ok(function_arn(&self.function_name(id)?)),
            (Some(QUEUE), "Arn") => Ok(queue_arn(&self.queue_name(id)?)),
            (Some(QUEUE), "QueueName") => self.queue_name(id),
            _ => Err(unknown()),
        }
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
        let holds = self.condition(text(condition)?, &[])?;
        self.evaluate(if holds { then } else { otherwise })
    }

    /// Whether a condition holds that those of the names in `within` are made of.
    fn condition(&self, name: &str, within: &[&str]) -> Result<bool, String> {
        if within.contains(&name) {
            return Err(format!("condition {name} is made of itself"));
        }
        let definition = self.document.get("Conditions").and_then(|all| all.get(name));
        let definition = definition.ok_or_else(|| format!("there is no condition {name}"))?;
        self.holds(definition, &[within, &[name]].concat())
    }

    fn holds(&self, definition: &Value, within: &[&str]) -> Result<bool, String> {
        let complaint = |problem| Err(format!("condition {}: {problem}", within.join(": ")));
        // Short for `!Condition`, which is no function by its name.
        if let Some(Value::String(other)) = definition.get("Condition") {
            return self.condition(other, within);
        }
        let Some((function, argument)) = intrinsic(definition) else {
            return complaint("a function is needed here");
        };
        let parts = list(argument);
        let mut results = parts.iter().map(|part| self.holds(part, within));
        match (function.as_str(), parts) {
            ("Condition", _) => self.condition(text(argument)?, within),
            ("Equals", [left, right]) => {
                Ok(self.evaluate_text(left)? == self.evaluate_text(right)?)
            }
            ("Not", [part]) => Ok(!self.holds(part, within)?),
            ("And", [_, _, ..]) => results.try_fold(true, |all, one| Ok(all && one?)),
            ("Or", [_, _, ..]) => results.try_fold(false, |any, one| Ok(any || one?)),
            _ => complaint("only Equals, Not, And, Or and Condition are supported"),
        }
    }
}

/// The ARN of a function that is run here.
pub(crate) fn function_arn(name: &str) -> String {
    format!("arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{name}")
}

/// The address of a queue of this template, where SQS or what plays it is at `endpoint`.
pub(crate) fn queue_url(endpoint: &str, name: &str) -> String {
    format!("{endpoint}/{ACCOUNT_ID}/{name}")
}

/// The ARN of a queue of this template.
pub(super) fn queue_arn(name: &str) -> String {
    format!("arn:aws:sqs:{REGION}:{ACCOUNT_ID}:{name}")
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
