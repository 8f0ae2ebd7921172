//! How long, how many and for how long: what waits for what, and what there is enough of.

use std::{collections::BTreeSet, fs};

use super::*;
use crate::deployed::{Function, items, number, references, root, text};

/// How long API Gateway waits for a function, and for an authorizer of ours.
const GATEWAY_SECS: u64 = 29;
const AUTHORIZER_SECS: u64 = 10;
/// The connections of the database where infra/database.yaml does not say.
const CONNECTIONS: u64 = 400;
/// An account has a thousand environments, and keeps a hundred that nobody may reserve.
const ENVIRONMENTS: u64 = 900;
const FOURTEEN_DAYS_SECS: u64 = 14 * 24 * 60 * 60;

pub(super) fn functions_log_and_trace(template: &Template) -> Vec<String> {
    let logs: BTreeSet<String> =
        template.of_type("AWS::Logs::LogGroup").map(|(id, _)| format!("${{{id}}}")).collect();
    let functions = template.functions().filter_map(|Function { name, properties, .. }| {
        let logging = &properties["LoggingConfig"];
        let is_right = logging["LogFormat"] == "JSON"
            && logs.contains(&text(&logging["LogGroup"]))
            && properties["TracingConfig"]["Mode"] == "Active";
        (!is_right).then(|| format!("{name}: {logging} and {}", properties["TracingConfig"]))
    });
    functions.collect()
}

pub(super) fn logs_are_forgotten(template: &Template) -> Vec<String> {
    let logs = template.of_type("AWS::Logs::LogGroup");
    let logs = logs.filter(|(_, log)| number(&log["Properties"]["RetentionInDays"]).is_none());
    logs.map(|(id, _)| format!("{id} is kept forever")).collect()
}

/// Lambda takes 256 characters, of which a release needs eleven.
pub(super) fn descriptions_fit(template: &Template) -> Vec<String> {
    const MOST: usize = 256 - 11;
    let long = template
        .functions()
        .filter(|function| text(&function.properties["Description"]).chars().count() > MOST);
    long.map(|function| format!("{} describes itself at length", function.name)).collect()
}

/// Who is waited for, and who waits: the latter gives up last.
pub(super) fn who_waits_waits_longest(template: &Template) -> Vec<String> {
    let mut found = Vec::new();
    for (route, operation) in template.routes() {
        let uri = text(&operation["x-amazon-apigateway-integration"]["uri"]);
        let secs = template.invoked_function(&uri).timeout_secs();
        if !(handler_secs() < secs && secs < GATEWAY_SECS) {
            found.push(format!("{route} takes {secs} s"));
        }
    }
    let schemes = template.body()["components"]["securitySchemes"].as_object();
    for scheme in schemes.into_iter().flatten().map(|(_, scheme)| scheme) {
        let uri = text(&scheme["x-amazon-apigateway-authorizer"]["authorizerUri"]);
        let secs = template.invoked_function(&uri).timeout_secs();
        if secs > AUTHORIZER_SECS {
            found.push(format!("an authorizer takes {secs} s"));
        }
    }
    for (id, mapping) in template.of_type("AWS::Lambda::EventSourceMapping") {
        let properties = &mapping["Properties"];
        let secs = template.invoked_function(&text(&properties["FunctionName"])).timeout_secs();
        let arn = text(&properties["EventSourceArn"]);
        let queue = &template.resources[references(&arn)[0].trim_end_matches(".Arn")];
        let hidden_secs = number(&queue["Properties"]["VisibilityTimeout"]).unwrap_or(30);
        if hidden_secs < 6 * secs {
            found.push(format!("{id}: messages are hidden for {hidden_secs} s, 6 × {secs} s"));
        }
    }
    for (id, rule) in template.of_type("AWS::Events::Rule") {
        let expression = text(&rule["Properties"]["ScheduleExpression"]);
        for target in items(&rule["Properties"]["Targets"]) {
            let function = template.invoked_function(&text(&target["Arn"]));
            let secs = function.timeout_secs();
            if function.reserved() != Some(1) && secs >= interval_secs(&expression) {
                found.push(format!("{id}: {secs} s, and again at {expression}"));
            }
        }
    }
    for (id, resource) in &template.resources {
        let Some(token) = resource["Properties"]["ServiceToken"].as_str() else { continue };
        let secs = template.invoked_function(token).timeout_secs();
        if number(&resource["Properties"]["ServiceTimeout"]).is_none_or(|waits| waits <= secs) {
            found.push(format!("{id} does not wait for {secs} s"));
        }
    }
    found
}

/// How long a request may be worked at, as the code says.
fn handler_secs() -> u64 {
    let code = fs::read_to_string(root().join("shared/src/guard.rs")).unwrap();
    let limit = code.split("const TIMEOUT: Duration = Duration::from_secs(").nth(1).unwrap();
    limit.split(')').next().unwrap().parse().unwrap()
}

/// The least time between two moments of a schedule; nothing if that is not obvious.
fn interval_secs(expression: &str) -> u64 {
    let (kind, argument) = expression.trim_end_matches(')').split_once('(').unwrap();
    let parts: Vec<&str> = argument.split(' ').collect();
    match (kind, parts.as_slice()) {
        ("rate", [count, unit]) => {
            let unit_secs = match unit.trim_end_matches('s') {
                "minute" => 60,
                "hour" => 60 * 60,
                _ => 24 * 60 * 60,
            };
            count.parse::<u64>().unwrap() * unit_secs
        }
        ("cron", [minute, hour, ..])
            if [minute, hour].iter().all(|part| part.parse::<u8>().is_ok()) =>
        {
            24 * 60 * 60
        }
        _ => 0,
    }
}

pub(super) fn connections_suffice(template: &Template) -> Vec<String> {
    let mut found = Vec::new();
    let is_reserved = template.parameter("ReserveConcurrency").as_deref() == Some("true");
    let (mut environments, mut connections) = (0, 0);
    for function in template.functions() {
        let reserved = function.reserved();
        if reserved.is_some() != is_reserved {
            found.push(format!("{} has {reserved:?} environments", function.name));
        }
        environments += reserved.unwrap_or_default();
        connections += if function.has_database() { reserved.unwrap_or_default() } else { 0 };
    }
    let most = most_connections() * 8 / 10;
    if connections > most {
        found.push(format!("{connections} connections may be wanted, and {most} are there"));
    }
    if environments > ENVIRONMENTS {
        found.push(format!("{environments} environments are reserved"));
    }
    for (id, mapping) in template.of_type("AWS::Lambda::EventSourceMapping") {
        let properties = &mapping["Properties"];
        let function = template.invoked_function(&text(&properties["FunctionName"]));
        let wanted = number(&properties["ScalingConfig"]["MaximumConcurrency"]);
        let Some(reserved) = function.reserved() else { continue };
        if wanted.is_none_or(|wanted| wanted > reserved) {
            found.push(format!("{id} asks for {wanted:?} of {reserved} at once"));
        }
    }
    found
}

fn most_connections() -> u64 {
    let Ok(template) = fs::read_to_string(root().join("infra/database.yaml")) else {
        return CONNECTIONS;
    };
    let template: serde_yaml_ng::Value = serde_yaml_ng::from_str(&template).unwrap();
    template["Parameters"]["MaxConnections"]["Default"].as_u64().unwrap()
}

pub(super) fn queues_keep_what_fails(template: &Template) -> Vec<String> {
    let queues: Vec<(&str, &Value)> =
        template.of_type("AWS::SQS::Queue").map(|(id, queue)| (id, &queue["Properties"])).collect();
    let mut found = Vec::new();
    for (id, properties) in &queues {
        if properties["SqsManagedSseEnabled"] != true && properties.get("KmsMasterKeyId").is_none()
        {
            found.push(format!("{id} is not encrypted"));
        }
        let arn = format!("${{{id}.Arn}}");
        let sources: Vec<String> = queues
            .iter()
            .filter(|(_, other)| other["RedrivePolicy"]["deadLetterTargetArn"] == arn)
            .map(|(_, other)| {
                format!("arn:aws:sqs:us-east-1:000000000000:{}", text(&other["QueueName"]))
            })
            .collect();
        let target = &properties["RedrivePolicy"]["deadLetterTargetArn"];
        let allows = &properties["RedriveAllowPolicy"];
        let is_right = if sources.is_empty() {
            queues.iter().any(|(other, _)| *target == format!("${{{other}.Arn}}"))
        } else {
            target.is_null()
                && number(&properties["MessageRetentionPeriod"]) == Some(FOURTEEN_DAYS_SECS)
                && allows["redrivePermission"] == "byQueue"
                && allows["sourceQueueArns"] == json!(sources)
        };
        if !is_right {
            found.push(format!("{id}, with what failed in {sources:?}: {properties}"));
        }
    }
    found
}

#[test]
fn what_breaks_a_bound_is_seen() {
    let at = |start: &str, rest: &str| format!("{start}/Properties/{rest}");
    let (task, dead) = ("VerifyEmailQueue", "VerifyEmailDeadLetterQueue");
    let tasks = "SendVerifyEmailFunctionTasks";
    let waits: Rule = who_waits_waits_longest;
    let suffice: Rule = connections_suffice;
    each_breaks_its_rule(
        &DEFAULTS,
        vec![
            (
                functions_log_and_trace,
                at("LoginFunction", "LoggingConfig/LogFormat"),
                json!("Text"),
            ),
            (functions_log_and_trace, at("LoginFunction", "LoggingConfig/LogGroup"), Value::Null),
            (descriptions_fit, at("LoginFunction", "Description"), json!("in ".repeat(82))),
            (
                functions_log_and_trace,
                at("LoginFunction", "LoggingConfig/LogGroup"),
                json!("/aws/lambda/login"),
            ),
            (
                functions_log_and_trace,
                at("DocsFunction", "TracingConfig/Mode"),
                json!("PassThrough"),
            ),
            (logs_are_forgotten, at("AccessLog", "RetentionInDays"), Value::Null),
            (waits, at("LoginFunction", "Timeout"), json!(29)),
            (waits, at("LoginFunction", "Timeout"), json!(8)),
            (waits, at("LoginFunction", "Timeout"), Value::Null),
            (waits, at("AuthorizerFunction", "Timeout"), json!(11)),
            (waits, at("SendVerifyEmailFunction", "Timeout"), json!(31)),
            (waits, at(task, "VisibilityTimeout"), Value::Null),
            (waits, at("MigrateFunction", "Timeout"), json!(360)),
            (waits, at("Migrations", "ServiceTimeout"), Value::Null),
            (suffice, at("LoginFunction", "ReservedConcurrentExecutions"), Value::Null),
            (suffice, at(tasks, "ScalingConfig/MaximumConcurrency"), json!(6)),
            (suffice, "/Parameters/MoneyConcurrency/Default".into(), json!(120)),
            (suffice, "/Parameters/AuthorizerConcurrency/Default".into(), json!(800)),
            (queues_keep_what_fails, at(task, "SqsManagedSseEnabled"), json!(false)),
            (queues_keep_what_fails, at(task, "RedrivePolicy"), Value::Null),
            (queues_keep_what_fails, at(dead, "MessageRetentionPeriod"), json!(345_600)),
            (queues_keep_what_fails, at(dead, "RedriveAllowPolicy"), Value::Null),
            (
                queues_keep_what_fails,
                at(dead, "RedriveAllowPolicy/redrivePermission"),
                json!("allowAll"),
            ),
            (queues_keep_what_fails, at(dead, "RedriveAllowPolicy/sourceQueueArns"), json!([])),
        ],
    );
    let concurrency = at("RelayOutboxFunction", "ReservedConcurrentExecutions");
    let others = vec![
        (waits, at("RelayOutboxFunction", "Timeout"), json!(60)),
        (waits, at("VerifyFunctionEveryNight", "ScheduleExpression"), json!("cron(* * * * ? *)")),
        (suffice, concurrency, json!(1)),
    ];
    each_breaks_its_rule(&OTHERS, others);
}
