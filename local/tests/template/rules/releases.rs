//! How a release reaches those who call, and the database before them.

use std::collections::BTreeSet;

use super::{policies::statements_of, *};
use crate::deployed::{items, references, text};

/// Called by their own names, and so by no alias that could be moved bit by bit.
const AT_ONCE: [&str; 3] = ["authorizer", "migrate", "verify"];
/// Either takes a release back.
const ALARMS: [&str; 3] =
    ["${ReleaseErrorsAlarm}", "${ReleaseJobErrorsAlarm}", "${ReleaseServerErrorsAlarm}"];

/// Requests, messages and the clock reach the version that was released, not what is uploaded.
pub(super) fn calls_go_through_the_alias(template: &Template) -> Vec<String> {
    let mut calls: Vec<(String, String)> = template
        .routes()
        .map(|(route, operation)| {
            (route, text(&operation["x-amazon-apigateway-integration"]["uri"]))
        })
        .collect();
    for (id, mapping) in template.of_type("AWS::Lambda::EventSourceMapping") {
        calls.push((id.to_owned(), text(&mapping["Properties"]["FunctionName"])));
    }
    for (id, rule) in template.of_type("AWS::Events::Rule") {
        let targets = items(&rule["Properties"]["Targets"]).into_iter();
        calls.extend(targets.map(|target| (id.to_owned(), text(&target["Arn"]))));
    }
    let wrong = calls.into_iter().filter(|(_, text)| template.invoked(text).contains(':'));
    wrong.map(|(who, text)| format!("{who} calls {text}")).collect()
}

/// A release is another version of every function, whether its code or only a parameter is new: SAM
/// by itself looks at the template and not at what its parameters are.
pub(super) fn settings_are_released(template: &Template) -> Vec<String> {
    let release = template.parameter("Release").unwrap_or_default();
    let mut found = Vec::new();
    for function in template.functions() {
        let version = template.resources.iter().find(|(_, resource)| {
            resource["Type"] == "AWS::Lambda::Version"
                && resource["Properties"]["FunctionName"] == format!("${{{}}}", function.id)
        });
        let wanted = format!("{}Version{}", function.id, &release[..release.len().min(10)]);
        match version {
            Some((id, _)) if id.starts_with(&wanted) => {}
            other => found.push(format!("{} has {other:?}, not {wanted}", function.name)),
        }
    }
    found
}

pub(super) fn releases_are_gradual(template: &Template) -> Vec<String> {
    let is_gradual = template.parameter("GradualDeployment").as_deref() == Some("true");
    let mut found = Vec::new();
    for (id, alias) in template.of_type("AWS::Lambda::Alias") {
        let name = template.invoked(&format!("${{{id}}}"));
        let update = &alias["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"];
        if !is_gradual || AT_ONCE.contains(&name.as_str()) {
            if !update.is_null() {
                found.push(format!("{name} is released bit by bit"));
            }
            continue;
        }
        let group = text(&update["DeploymentGroupName"]);
        let group = references(&group).pop().and_then(|id| template.resources.get(id));
        let group = group.map_or(&Value::Null, |group| &group["Properties"]);
        let alarms = &group["AlarmConfiguration"];
        let names: BTreeSet<String> =
            items(&alarms["Alarms"]).into_iter().map(|alarm| text(&alarm["Name"])).collect();
        let is_right = alarms["Enabled"] == true
            && names == ALARMS.map(str::to_owned).into()
            && group["AutoRollbackConfiguration"]["Enabled"] == true
            && text(&group["DeploymentConfigName"]).contains("Canary");
        if !is_right {
            found.push(format!("{name} is released at once, or whatever happens: {group}"));
        }
    }
    found
}

/// The alarm that looks at functions knows every one that answers requests, but for the one of
/// `/healthz`: an alarm takes ten metrics.
pub(super) fn releases_are_watched(template: &Template) -> Vec<String> {
    // They have no traffic to shift: they are called by their own names.
    const UNSHIFTED: [&str; 3] = ["authorizer", "migrate", "verify"];
    let watched: BTreeSet<String> = ["ReleaseErrorsAlarm", "ReleaseJobErrorsAlarm"]
        .into_iter()
        .flat_map(|alarm| items(&template.resources[alarm]["Properties"]["Metrics"]))
        .map(|metric| text(&metric["MetricStat"]["Metric"]["Dimensions"][0]["Value"]))
        .collect();
    let shifted = template.functions().filter(|function| !UNSHIFTED.contains(&function.name));
    let missing = shifted
        .map(|function| text(&function.properties["FunctionName"]))
        .filter(|name| !watched.contains(name));
    missing.map(|name| format!("nobody looks at {name}")).collect()
}

/// A call that is made by a function's name is made once: retries are settings of a qualifier, and
/// SAM's are the alias's.
pub(super) fn retries_are_where_the_calls_are(template: &Template) -> Vec<String> {
    let by_name: BTreeSet<String> = template
        .resources
        .values()
        .filter_map(|resource| resource["Properties"]["ServiceToken"].as_str())
        .map(|token| template.invoked(token))
        .collect();
    let configs = template.of_type("AWS::Lambda::EventInvokeConfig");
    let configured: Vec<String> = configs
        .map(|(_, config)| {
            let name = template.invoked(&text(&config["Properties"]["FunctionName"]));
            match config["Properties"]["Qualifier"].as_str() {
                Some("$LATEST") => name,
                _ => name.replace(":$LATEST", ""),
            }
        })
        .collect();
    by_name
        .iter()
        .filter(|name| !configured.contains(name))
        .map(|name| format!("{name} is called again if it fails, {configured:?} are not"))
        .collect()
}

pub(super) fn who_needs_the_database_reaches_it(template: &Template) -> Vec<String> {
    let network = json!({ "SubnetIds": "<Subnets>", "SecurityGroupIds": ["<SecurityGroup>"] });
    let mut found = Vec::new();
    for function in template.functions() {
        let needs = function.has_database();
        let is_inside = function.properties["VpcConfig"] == network;
        let is_outside = function.properties["VpcConfig"].is_null();
        let may_enter = statements_of(template, &function).iter().any(|statement| {
            items(&statement["Action"]).iter().any(|action| text(action).starts_with("ec2:"))
        });
        if (needs, needs) != (is_inside, may_enter) || is_inside == is_outside {
            found.push(format!("{} is not where it has to be", function.name));
        }
        let waits = items(&function.resource["DependsOn"]).iter().any(|id| *id == "Migrations");
        if waits != (needs && function.name != "migrate") {
            found.push(format!("{} and the migrations are in the wrong order", function.name));
        }
    }
    found
}

/// Whether it is the right one, `shared/tests/tidy.rs` knows.
pub(super) fn the_schema_is_named(template: &Template) -> Vec<String> {
    let schema = text(&template.resources["Migrations"]["Properties"]["Schema"]);
    let is_digest =
        schema.len() == 64 && schema.bytes().all(|sign| matches!(sign, b'0'..=b'9' | b'a'..=b'f'));
    if is_digest { Vec::new() } else { vec![schema] }
}

#[test]
fn what_breaks_a_rule_of_releases_is_seen() {
    let at = |start: &str, rest: &str| format!("{start}/Properties/{rest}");
    let login = "LoginFunction";
    let uri = "Body/paths/~1users~1login/post/x-amazon-apigateway-integration/uri";
    let group = "LoginFunctionDeploymentGroup";
    let update = "LoginFunctionAliaslive/UpdatePolicy".to_owned();
    let network = json!({ "SubnetIds": "<Subnets>", "SecurityGroupIds": ["<SecurityGroup>"] });
    let calls: Rule = calls_go_through_the_alias;
    let reaches: Rule = who_needs_the_database_reaches_it;
    each_breaks_its_rule(
        &DEFAULTS,
        vec![
            (calls, at("Api", uri), json!("functions/${LoginFunction.Arn}/invocations")),
            (calls, at("LoginFunctionAliaslive", "Name"), json!("other")),
            (
                calls,
                at("SendVerifyEmailFunctionTasks", "FunctionName"),
                json!("${SendVerifyEmailFunction}"),
            ),
            (
                calls,
                at("VerifyFunctionEveryNight", "Targets/0/Arn"),
                json!("${VerifyFunction.Arn}"),
            ),
            (releases_are_gradual, update.clone(), Value::Null),
            (releases_are_gradual, at(group, "AlarmConfiguration"), Value::Null),
            (
                releases_are_gradual,
                at(group, "AlarmConfiguration/Alarms/1"),
                json!({ "Name": "other" }),
            ),
            (
                releases_are_gradual,
                at(group, "DeploymentConfigName"),
                json!("CodeDeployDefault.LambdaAllAtOnce"),
            ),
            (releases_are_watched, at("ReleaseErrorsAlarm", "Metrics/1"), json!({})),
            (retries_are_where_the_calls_are, "MigrateFunctionRetries".into(), Value::Null),
            (
                retries_are_where_the_calls_are,
                at("MigrateFunctionRetries", "Qualifier"),
                json!("live"),
            ),
            (reaches, at(login, "VpcConfig"), Value::Null),
            (reaches, at(login, "VpcConfig/SubnetIds"), json!(["subnet-1"])),
            (reaches, at("DocsFunction", "VpcConfig"), network),
            (reaches, "LoginFunction/DependsOn".into(), Value::Null),
            (reaches, at("LoginRole", "ManagedPolicyArns/1"), json!({ "Ref": "LogPolicy" })),
            (the_schema_is_named, at("Migrations", "Schema"), json!("newest")),
            (the_schema_is_named, at("Migrations", "Schema"), Value::Null),
        ],
    );
    let policy = json!({ "CodeDeployLambdaAliasUpdate": { "ApplicationName": "x" } });
    let version = "LoginFunctionVersion7f83b1657f".to_owned();
    let gradual: Rule = releases_are_gradual;
    let settings: Rule = settings_are_released;
    let others = vec![(gradual, update, policy), (settings, version, Value::Null)];
    each_breaks_its_rule(&OTHERS, others);
}
