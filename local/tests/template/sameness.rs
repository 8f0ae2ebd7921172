//! What runs on one machine is what is deployed: the tool reads from the template what AWS's
//! transform makes of it.

use std::{
    fs, iter,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::{Map, Value, json};

use crate::{
    DEFAULTS, OTHERS,
    deployed::{Template, items, number, references, root, text, transform},
};

/// Where an emulator of AWS is said to be.
const AWS: &str = "http://aws.test";

/// All that the tool reads, with the same parameters.
fn local(template: &Template, given: &[(&str, &str)]) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bank-local"));
    command.args(["describe", "--port", "8080", "--env", &format!("AWS_ENDPOINT_URL={AWS}")]);
    let stored = template.stored();
    let stored = stored.iter().map(|(name, value)| (*name, value.as_str()));
    for (name, value) in given.iter().copied().chain(stored) {
        command.args(["--parameter", &format!("{name}={value}")]);
    }
    let output = command.current_dir(root()).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The same, of what is deployed.
fn deployed(template: &Template) -> Value {
    let identities = template.of_type("AWS::SES::EmailIdentity");
    json!({
        "stage": template.stage()["StageName"],
        "binary_media_types": template.body()["x-amazon-apigateway-binary-media-types"],
        "routes": routes(template),
        "authorizers": authorizers(template),
        "gateway_responses": gateway_responses(template),
        "functions": functions(template),
        "queues": queues(template),
        "queue_triggers": queue_triggers(template),
        "schedules": schedules(template),
        "mail_identities":
            identities.map(|(_, one)| &one["Properties"]["EmailIdentity"]).collect::<Vec<_>>(),
    })
}

fn routes(template: &Template) -> Map<String, Value> {
    let routes = template.routes().map(|(route, operation)| {
        let uri = operation["x-amazon-apigateway-integration"]["uri"].as_str().unwrap();
        let schemes = items(&operation["security"]).into_iter().filter_map(Value::as_object);
        let authorizer = schemes.flat_map(Map::keys).find(|name| *name != "NONE");
        (route, json!({ "function": template.invoked(uri), "authorizer": authorizer }))
    });
    routes.collect()
}

fn authorizers(template: &Template) -> Map<String, Value> {
    let schemes = template.body()["components"]["securitySchemes"].as_object().unwrap();
    let authorizers = schemes.iter().map(|(name, scheme)| {
        let settings = &scheme["x-amazon-apigateway-authorizer"];
        let function = template.invoked(settings["authorizerUri"].as_str().unwrap());
        let validation = settings["identityValidationExpression"].as_str();
        let description = json!({
            "type": settings["type"],
            "function": function.trim_end_matches(":$LATEST"),
            "header": (scheme["in"] == "header").then_some(&scheme["name"]),
            "validation": validation.map(|expression| format!("^(?:{expression})$")),
            "ttl_secs": number(&settings["authorizerResultTtlInSeconds"]).unwrap_or(300),
        });
        (name.clone(), description)
    });
    authorizers.collect()
}

fn gateway_responses(template: &Template) -> Map<String, Value> {
    let responses = &template.body()["x-amazon-apigateway-gateway-responses"];
    let responses = responses.as_object().unwrap().iter().map(|(kind, response)| {
        let parameters = response["responseParameters"].as_object().into_iter().flatten();
        let headers: Map<String, Value> = parameters
            .map(|(name, value)| (name.replace("gatewayresponse.header.", ""), value.clone()))
            .collect();
        let description = json!({
            "status": number(&response["statusCode"]),
            "headers": headers,
            "body": response["responseTemplates"]["application/json"],
        });
        (kind.clone(), description)
    });
    responses.collect()
}

fn functions(template: &Template) -> Map<String, Value> {
    let functions = template.functions().map(|function| {
        let variables = function.variables();
        let environment: Map<String, Value> = variables
            .map(|(name, value)| (name.to_owned(), here(template, &value).into()))
            .collect();
        let logging = &function.properties["LoggingConfig"];
        let description = json!({
            "logical_id": function.id,
            "timeout_secs": function.timeout_secs(),
            "memory_mb": number(&function.properties["MemorySize"]).unwrap_or(128),
            "reserved_concurrency": function.reserved(),
            "environment": environment,
            "logging": {
                "AWS_LAMBDA_LOG_FORMAT": logging["LogFormat"],
                "AWS_LAMBDA_LOG_LEVEL": logging["ApplicationLogLevel"],
            },
        });
        (function.name.to_owned(), description)
    });
    functions.collect()
}

/// A value as it reads on one machine, where queues and the API have addresses.
fn here(template: &Template, value: &str) -> String {
    let (api, _) = template.only("AWS::ApiGateway::RestApi");
    let stage = text(&template.stage()["StageName"]);
    let api = format!("https://${{{api}}}.execute-api.us-east-1.amazonaws.com/{stage}");
    let mut value = value.replace(&api, "http://127.0.0.1:8080");
    for (id, queue) in template.of_type("AWS::SQS::Queue") {
        let name = text(&queue["Properties"]["QueueName"]);
        let arn = format!("arn:aws:sqs:us-east-1:000000000000:{name}");
        value = value.replace(&format!("${{{id}.Arn}}"), &arn);
        value = value.replace(&format!("${{{id}}}"), &format!("{AWS}/000000000000/{name}"));
    }
    value
}

/// The name of the queue whose ARN this is.
fn queue_name(template: &Template, arn: &Value) -> String {
    let id = references(arn.as_str().unwrap())[0].trim_end_matches(".Arn");
    text(&template.resources[id]["Properties"]["QueueName"])
}

fn queues(template: &Template) -> Map<String, Value> {
    let attributes = [
        "DelaySeconds",
        "MaximumMessageSize",
        "MessageRetentionPeriod",
        "ReceiveMessageWaitTimeSeconds",
        "VisibilityTimeout",
    ];
    let queues = template.of_type("AWS::SQS::Queue").map(|(_, queue)| {
        let properties = &queue["Properties"];
        let set = attributes.iter().filter_map(|name| Some((*name, properties.get(*name)?)));
        let attributes: Map<String, Value> =
            set.map(|(name, value)| (name.to_owned(), text(value).into())).collect();
        let redrive = properties.get("RedrivePolicy").map(|policy| {
            json!({
                "dead_letter_queue": queue_name(template, &policy["deadLetterTargetArn"]),
                "max_receive_count": number(&policy["maxReceiveCount"]),
            })
        });
        let description = json!({ "attributes": attributes, "redrive": redrive });
        (text(&properties["QueueName"]), description)
    });
    queues.collect()
}

fn queue_triggers(template: &Template) -> Map<String, Value> {
    let mappings = template.of_type("AWS::Lambda::EventSourceMapping");
    let mappings = mappings.map(|(_, mapping)| &mapping["Properties"]);
    let triggers = mappings.filter(|mapping| mapping["Enabled"] != false).map(|mapping| {
        let description = json!({
            "function": template.invoked(mapping["FunctionName"].as_str().unwrap()),
            "queue_arn": here(template, mapping["EventSourceArn"].as_str().unwrap()),
            "batch_size": number(&mapping["BatchSize"]).unwrap_or(10),
            "window_secs": number(&mapping["MaximumBatchingWindowInSeconds"]).unwrap_or(0),
            // Lambda begins with five, and has no more here unless it is said.
            "max_concurrency": number(&mapping["ScalingConfig"]["MaximumConcurrency"]).unwrap_or(5),
            "reports_failures":
                mapping["FunctionResponseTypes"] == json!(["ReportBatchItemFailures"]),
        });
        (queue_name(template, &mapping["EventSourceArn"]), description)
    });
    triggers.collect()
}

fn schedules(template: &Template) -> Map<String, Value> {
    let rules = template.of_type("AWS::Events::Rule");
    let rules = rules.filter(|(_, rule)| rule["Properties"]["State"] != "DISABLED");
    let schedules = rules.map(|(id, rule)| {
        let properties = &rule["Properties"];
        let target = &properties["Targets"][0];
        let description = json!({
            "function": template.invoked(target["Arn"].as_str().unwrap()),
            "timing": timing(properties["ScheduleExpression"].as_str().unwrap()),
            "input": target["Input"],
        });
        (properties.get("Name").map_or_else(|| id.to_owned(), text), description)
    });
    schedules.collect()
}

fn timing(expression: &str) -> Value {
    let (kind, argument) = expression.trim_end_matches(')').split_once('(').unwrap();
    if kind == "cron" {
        return json!({ "cron": format!("0 {argument}") });
    }
    let (count, unit) = argument.split_once(' ').unwrap();
    let unit_secs = match unit.trim_end_matches('s') {
        "minute" => 60,
        "hour" => 60 * 60,
        "day" => 24 * 60 * 60,
        _ => panic!("{unit}"),
    };
    json!({ "every_secs": count.parse::<u64>().unwrap() * unit_secs })
}

/// Where two descriptions differ, and how.
fn differences(at: &str, local: &Value, deployed: &Value, found: &mut Vec<String>) {
    match (local, deployed) {
        (Value::Object(one), Value::Object(other)) => {
            let only_there = other.keys().filter(|key| !one.contains_key(*key));
            for key in one.keys().chain(only_there) {
                let at = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
                differences(&at, &local[key], &deployed[key], found);
            }
        }
        _ if local == deployed => {}
        _ => found.push(format!("{at}: {local} on this machine, {deployed} on AWS")),
    }
}

fn compare(local: &Value, template: &Template) -> Vec<String> {
    let mut found = Vec::new();
    differences("", local, &deployed(template), &mut found);
    found
}

#[test]
fn what_runs_here_is_what_is_deployed() {
    assert_eq!(compare(&local(&DEFAULTS, &[]), &DEFAULTS), [""; 0]);
    assert_eq!(compare(&local(&OTHERS, &crate::OTHER), &OTHERS), [""; 0]);
}

#[test]
fn what_cannot_be_deployed_is_named() {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("invalid.yaml");
    let function = "{Type: AWS::Serverless::Function, Properties: {CodeUri: a, Runtime: 1}}";
    fs::write(&path, format!("Resources: {{PayFunction: {function}}}")).unwrap();
    let output = transform(path.to_str().unwrap(), iter::empty());
    assert_eq!(output.status.code(), Some(1));
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert!(output.stdout.is_empty() && complaint.contains("PayFunction"), "{complaint}");
}

/// Where things are in the transformed template and in the description, and what to change of them.
type Changes = (&'static str, &'static str, Vec<(&'static str, Value, &'static str)>);

fn changes_of_the_api() -> Vec<Changes> {
    let latest = json!("functions/${LoginFunction.Arn}/invocations");
    vec![
        (
            "Api/Properties/Body/paths/~1accounts/get",
            "routes.GET /accounts",
            vec![
                ("security", json!([{ "NONE": [] }]), ".authorizer"),
                ("security", Value::Null, ".authorizer"),
            ],
        ),
        (
            "Api/Properties/Body/paths/~1users~1login",
            "routes.POST /users/login",
            vec![
                ("post", Value::Null, ""),
                ("post/x-amazon-apigateway-integration/uri", latest, ".function"),
            ],
        ),
        (
            "Api/Properties/Body/components/securitySchemes/AccessToken",
            "authorizers.AccessToken",
            vec![("name", json!("X-Token"), ".header"), ("in", json!("query"), ".header")],
        ),
        (
            "Api/Properties/Body/components/securitySchemes/AccessToken/\
             x-amazon-apigateway-authorizer",
            "authorizers.AccessToken",
            vec![
                ("type", json!("request"), ".type"),
                ("authorizerResultTtlInSeconds", json!(0), ".ttl_secs"),
                ("identityValidationExpression", json!(".*"), ".validation"),
            ],
        ),
        (
            "Api/Properties/Body/x-amazon-apigateway-gateway-responses",
            "gateway_responses",
            vec![
                ("DEFAULT_5XX", Value::Null, ".DEFAULT_5XX"),
                ("UNAUTHORIZED/statusCode", json!("403"), ".UNAUTHORIZED.status"),
                ("UNAUTHORIZED/responseParameters", json!({}), ".UNAUTHORIZED.headers"),
                ("UNAUTHORIZED/responseTemplates", json!({}), ".UNAUTHORIZED.body"),
            ],
        ),
        (
            "Api/Properties/Body",
            "",
            vec![("x-amazon-apigateway-binary-media-types", json!([]), "binary_media_types")],
        ),
        ("ApiStage/Properties", "stage", vec![("StageName", json!("other"), "")]),
    ]
}

fn changes_of_functions() -> Vec<Changes> {
    vec![
        (
            "LoginFunction/Properties",
            "functions.login",
            vec![
                ("Timeout", json!(11), ".timeout_secs"),
                ("MemorySize", json!(512), ".memory_mb"),
                ("ReservedConcurrentExecutions", json!(1), ".reserved_concurrency"),
                ("Environment/Variables/STAGE", json!("other"), ".environment.STAGE"),
                ("Environment/Variables/NEW", json!("1"), ".environment.NEW"),
                ("LoggingConfig/LogFormat", json!("Text"), ".logging"),
                ("LoggingConfig/ApplicationLogLevel", json!("WARN"), ".logging"),
            ],
        ),
        (
            "SendVerifyEmailFunctionTasks/Properties",
            "queue_triggers.simplebank-dev-verify-email",
            vec![
                ("BatchSize", json!(1), ".batch_size"),
                ("MaximumBatchingWindowInSeconds", json!(1), ".window_secs"),
                ("ScalingConfig", Value::Null, ".max_concurrency"),
                ("FunctionResponseTypes", Value::Null, ".reports_failures"),
                ("FunctionName", json!("${SendVerifyEmailFunction}"), ".function"),
                ("Enabled", json!(false), ""),
            ],
        ),
        (
            "VerifyFunctionEveryNight/Properties",
            "schedules.VerifyFunctionEveryNight",
            vec![
                ("ScheduleExpression", json!("rate(1 day)"), ".timing"),
                ("State", json!("DISABLED"), ""),
                ("Targets/0/Arn", json!("${VerifyFunction.Arn}"), ".function"),
                ("Targets/0/Input", Value::Null, ".input"),
            ],
        ),
        (
            "VerifyEmailQueue/Properties",
            "queues.simplebank-dev-verify-email",
            vec![
                ("VisibilityTimeout", json!(30), ".attributes.VisibilityTimeout"),
                ("MessageRetentionPeriod", json!(60), ".attributes.MessageRetentionPeriod"),
                ("RedrivePolicy/maxReceiveCount", json!(6), ".redrive.max_receive_count"),
            ],
        ),
        ("MailIdentity/Properties", "mail", vec![("EmailIdentity", json!("x"), "_identities")]),
    ]
}

#[test]
fn a_difference_is_seen_where_it_is() {
    let local = local(&DEFAULTS, &[]);
    for (parent, expected, changes) in [changes_of_the_api(), changes_of_functions()].concat() {
        for (key, value, place) in changes {
            let expected = format!("{expected}{place}");
            let found = compare(&local, &DEFAULTS.planted(&format!("{parent}/{key}"), &value));
            let is_seen = found.iter().any(|difference| difference.starts_with(&expected));
            assert!(is_seen, "{value} at {parent}/{key}: {found:?}");
        }
    }
}
