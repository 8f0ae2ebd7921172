//! The template as AWS's own transform leaves it, with the values that are known before there is a
//! stack.
//!
//! What only a stack can know stands there as it would in `Fn::Sub`: `${VerifyEmailQueue.Arn}`. The
//! value of a parameter in the Parameter Store is its name, `<DatabaseUrl>`. Nothing of the tool
//! that is tested helps to find out any of this.

use std::{
    collections::BTreeMap,
    path::Path,
    process::{Command, Output},
};

use serde_json::{Map, Value};

/// What reads of a parameter that must not be shown.
pub(crate) const HIDDEN: &str = "<hidden ";

/// One transformed template and one set of parameters.
pub(crate) struct Template {
    /// The resources that are made.
    pub(crate) resources: Map<String, Value>,
    /// What the transform printed.
    source: Value,
    given: BTreeMap<String, String>,
}

/// A function of the template.
pub(crate) struct Function<'t> {
    /// The name of its crate and binary.
    pub(crate) name: &'t str,
    /// Its name in the template.
    pub(crate) id: &'t str,
    /// The whole resource.
    pub(crate) resource: &'t Value,
    /// Its properties.
    pub(crate) properties: &'t Value,
}

impl Template {
    /// Has the template transformed with these parameters.
    pub(crate) fn transformed(given: &[(&str, &str)]) -> Self {
        let pairs = given.iter().map(|(name, value)| format!("{name}={value}"));
        let output = transform("template.yaml", pairs);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let source = serde_json::from_slice(&output.stdout).unwrap();
        let given = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Self::new(source, given.collect())
    }

    fn new(source: Value, given: BTreeMap<String, String>) -> Self {
        let mut template = Self { resources: Map::new(), source, given };
        let mut resources = Map::new();
        for (id, resource) in template.source["Resources"].as_object().unwrap() {
            if resource["Condition"].as_str().is_none_or(|name| template.holds_by_name(name)) {
                resources.insert(id.clone(), template.resolved(resource).unwrap());
            }
        }
        template.resources = resources;
        template
    }

    /// The same with another value at one place, such as `LoginFunction/Properties/Timeout`, or
    /// without that place if the value is null.
    pub(crate) fn planted(&self, place: &str, value: &Value) -> Self {
        let mut source = self.source.clone();
        let place = if place.starts_with('/') { place } else { &format!("/Resources/{place}") };
        let (parent, key) = place.rsplit_once('/').unwrap();
        let key = key.replace("~1", "/");
        match source.pointer_mut(parent).unwrap_or_else(|| panic!("there is no {parent}")) {
            Value::Array(items) if key == "-" => items.push(value.clone()),
            Value::Array(items) => items[key.parse::<usize>().unwrap()] = value.clone(),
            Value::Object(map) if value.is_null() => {
                map.remove(&key).unwrap_or_else(|| panic!("there is no {place}"));
            }
            Value::Object(map) => drop(map.insert(key, value.clone())),
            _ => panic!("nothing can be planted at {place}"),
        }
        Self::new(source, self.given.clone())
    }

    /// The resources of a type, with their names.
    pub(crate) fn of_type(&self, kind: &str) -> impl Iterator<Item = (&str, &Value)> {
        let all = self.resources.iter().map(|(id, resource)| (id.as_str(), resource));
        all.filter(move |(_, resource)| resource["Type"] == kind)
    }

    /// The only resource of a type, and its name.
    pub(crate) fn only(&self, kind: &str) -> (&str, &Value) {
        let mut all = self.of_type(kind);
        let one = all.next().unwrap_or_else(|| panic!("there is no {kind}"));
        assert!(all.next().is_none(), "there are several of {kind}");
        one
    }

    /// Every function.
    pub(crate) fn functions(&self) -> impl Iterator<Item = Function<'_>> {
        self.of_type("AWS::Lambda::Function").map(|(id, resource)| {
            let properties = &resource["Properties"];
            let code = properties["Code"]["S3Key"].as_str().unwrap().trim_end_matches('/');
            Function { name: code.rsplit('/').next().unwrap(), id, resource, properties }
        })
    }

    /// Who is invoked by a text with a reference in it: a function's name if it is by the alias
    /// `live`, or else with the version behind it, as in `login:$LATEST`.
    pub(crate) fn invoked(&self, text: &str) -> String {
        let reference =
            references(text).pop().unwrap_or_else(|| panic!("{text} refers to nothing"));
        let name_of = |id: &str| {
            let mut all = self.functions();
            let found = all.find(|function| function.id == id).map(|function| function.name);
            found.unwrap_or_else(|| panic!("{id} is no function")).to_owned()
        };
        let id = reference.trim_end_matches(".Arn");
        let properties = &self.resources[id]["Properties"];
        if self.resources[id]["Type"] != "AWS::Lambda::Alias" {
            return format!("{}:$LATEST", name_of(id));
        }
        let name = name_of(references(properties["FunctionName"].as_str().unwrap())[0]);
        match properties["Name"].as_str().unwrap() {
            "live" => name,
            alias => format!("{name}:{alias}"),
        }
    }

    /// The function that is invoked by a text with a reference in it.
    pub(crate) fn invoked_function(&self, text: &str) -> Function<'_> {
        let name = self.invoked(text);
        let name = name.split(':').next().unwrap();
        self.functions().find(|function| function.name == name).unwrap()
    }

    /// The REST API's `OpenAPI` document.
    pub(crate) fn body(&self) -> &Value {
        &self.only("AWS::ApiGateway::RestApi").1["Properties"]["Body"]
    }

    /// The properties of the REST API's stage.
    pub(crate) fn stage(&self) -> &Value {
        &self.only("AWS::ApiGateway::Stage").1["Properties"]
    }

    /// Method and path of every route, and its operation.
    pub(crate) fn routes(&self) -> impl Iterator<Item = (String, &Value)> {
        let paths = self.body()["paths"].as_object().unwrap();
        paths.iter().flat_map(|(path, methods)| {
            methods.as_object().unwrap().iter().map(move |(method, operation)| {
                let method = match method.as_str() {
                    "x-amazon-apigateway-any-method" => "ANY".to_owned(),
                    method => method.to_uppercase(),
                };
                (format!("{method} {path}"), operation)
            })
        })
    }

    /// The parameters that the Parameter Store has, and what reads for their values.
    pub(crate) fn stored(&self) -> Vec<(&str, String)> {
        let declared = self.source["Parameters"].as_object().unwrap();
        let stored = declared.iter().filter(|(_, declaration)| {
            declaration["Type"].as_str().unwrap().starts_with("AWS::SSM::Parameter::Value<")
        });
        stored.map(|(name, _)| (name.as_str(), format!("<{name}>"))).collect()
    }

    /// The value of a parameter, if there is one of this name.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        let declaration = self.source["Parameters"].get(name)?;
        if declaration["NoEcho"] == true {
            return Some(format!("{HIDDEN}{name}>"));
        }
        let mut stored = self.stored().into_iter();
        let value = self.given.get(name).cloned();
        value
            .or_else(|| stored.find(|(other, _)| *other == name).map(|(_, value)| value))
            .or_else(|| declaration.get("Default").map(text))
    }

    /// A value without intrinsic functions; nothing for `AWS::NoValue`.
    fn resolved(&self, value: &Value) -> Option<Value> {
        match value {
            Value::Array(items) => {
                Some(items.iter().filter_map(|item| self.resolved(item)).collect())
            }
            Value::Object(map) => {
                let only = map.iter().next().filter(|_| map.len() == 1);
                let is_call = |name: &str| name == "Ref" || name.starts_with("Fn::");
                if let Some((name, argument)) = only.filter(|(name, _)| is_call(name)) {
                    return self.call(name, argument);
                }
                let entries = map.iter();
                let entries =
                    entries.filter_map(|(key, value)| Some((key.clone(), self.resolved(value)?)));
                Some(Value::Object(entries.collect()))
            }
            plain => Some(plain.clone()),
        }
    }

    fn call(&self, name: &str, argument: &Value) -> Option<Value> {
        match (name, argument) {
            ("Ref", Value::String(name)) if name == "AWS::NoValue" => None,
            ("Ref", Value::String(name)) => Some(self.referred(name).into()),
            ("Fn::GetAtt", Value::String(name)) => Some(format!("${{{name}}}").into()),
            ("Fn::GetAtt", Value::Array(parts)) => {
                let parts: Vec<&str> = parts.iter().filter_map(Value::as_str).collect();
                Some(format!("${{{}}}", parts.join(".")).into())
            }
            ("Fn::Sub", Value::String(text)) => Some(self.substituted(text, &Value::Null).into()),
            ("Fn::Sub", Value::Array(parts)) => {
                Some(self.substituted(parts[0].as_str().unwrap(), &parts[1]).into())
            }
            ("Fn::If", Value::Array(parts)) => {
                let holds = self.holds_by_name(parts[0].as_str().unwrap());
                self.resolved(&parts[if holds { 1 } else { 2 }])
            }
            _ => panic!("{name} of {argument} is not known to this test"),
        }
    }

    fn referred(&self, name: &str) -> String {
        match name {
            "AWS::AccountId" => "000000000000".to_owned(),
            "AWS::Partition" => "aws".to_owned(),
            "AWS::Region" => "us-east-1".to_owned(),
            "AWS::StackName" => "local".to_owned(),
            "AWS::URLSuffix" => "amazonaws.com".to_owned(),
            name => self.parameter(name).unwrap_or_else(|| format!("${{{name}}}")),
        }
    }

    fn substituted(&self, text: &str, names: &Value) -> String {
        let mut parts = text.split("${");
        let mut result = parts.next().unwrap().to_owned();
        for part in parts {
            let (name, rest) = part.split_once('}').unwrap();
            match names.get(name) {
                Some(value) => result.push_str(&text_of(self.resolved(value).as_ref())),
                None => result.push_str(&self.referred(name)),
            }
            result.push_str(rest);
        }
        result
    }

    fn holds_by_name(&self, name: &str) -> bool {
        let definition = &self.source["Conditions"][name];
        let (function, argument) = definition.as_object().unwrap().iter().next().unwrap();
        self.holds(function, argument)
    }

    fn holds(&self, function: &str, argument: &Value) -> bool {
        let of = |part: &Value| {
            let (function, argument) = part.as_object().unwrap().iter().next().unwrap();
            self.holds(function, argument)
        };
        let value = |index: usize| text_of(self.resolved(&argument[index]).as_ref());
        match function {
            "Fn::Equals" => value(0) == value(1),
            "Fn::Not" => !of(&argument[0]),
            "Fn::And" => argument.as_array().unwrap().iter().all(of),
            "Fn::Or" => argument.as_array().unwrap().iter().any(of),
            "Condition" => self.holds_by_name(argument.as_str().unwrap()),
            _ => panic!("the condition {function} is not known to this test"),
        }
    }
}

impl Function<'_> {
    /// Its environment variables.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&str, String)> {
        let variables = self.properties["Environment"]["Variables"].as_object();
        variables.into_iter().flatten().map(|(name, value)| (name.as_str(), text(value)))
    }

    /// Whether it has a connection to the database.
    pub(crate) fn has_database(&self) -> bool {
        self.variables().any(|(name, _)| name.ends_with("DATABASE_URL"))
    }

    /// How long an invocation may take.
    pub(crate) fn timeout_secs(&self) -> u64 {
        number(&self.properties["Timeout"]).unwrap_or(3)
    }

    /// The most environments at a time, if it has some of its own.
    pub(crate) fn reserved(&self) -> Option<u64> {
        number(&self.properties["ReservedConcurrentExecutions"])
    }
}

/// Runs the transform.
pub(crate) fn transform(template: &str, pairs: impl Iterator<Item = String>) -> Output {
    let mut command = Command::new("python");
    command.args(["infra/transform.py", template]).args(pairs).current_dir(root());
    command.output().expect("`make test` has a python on the PATH")
}

/// The folder of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The names between `${` and `}`.
pub(crate) fn references(text: &str) -> Vec<&str> {
    text.split("${").skip(1).filter_map(|part| part.split('}').next()).collect()
}

/// A plain value as `CloudFormation` passes it on.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn text_of(value: Option<&Value>) -> String {
    value.map(text).unwrap_or_default()
}

/// A number, which may be written as text.
pub(crate) fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// The items of a list; a single value is a list of one.
pub(crate) fn items(value: &Value) -> Vec<&Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(items) => items.iter().collect(),
        one => vec![one],
    }
}
