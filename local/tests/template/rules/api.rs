//! The API: who may call it, how often, and what it says and writes down by itself.

use serde_json::Value;

use super::*;
use crate::deployed::{items, number, references, text};

/// Who calls these has no token yet, or brings one in the body, or is asked for it by the function.
const OPEN: [&str; 14] = [
    "GET /docs",
    "GET /docs/{asset}",
    "GET /healthz",
    "GET /openapi.json",
    "GET /verify_email",
    "PATCH /v1/update_user",
    "POST /simplebank.v1.SimpleBank/{method}",
    "POST /tokens/renew_access",
    "POST /users",
    "POST /users/login",
    "POST /v1/create_user",
    "POST /v1/login_user",
    "POST /v1/verify_email",
    "POST /verify_email",
];

/// Each of these hashes a password, or writes to somebody.
const DEAR: [&str; 8] = [
    "PATCH /users/{username}",
    "PATCH /v1/update_user",
    "POST /simplebank.v1.SimpleBank/{method}",
    "POST /users",
    "POST /users/login",
    "POST /v1/create_user",
    "POST /v1/login_user",
    "POST /verify_email/resend",
];

/// What an access log may tell: nothing that a client wrote, and nothing of who it is.
const LOGGED: [&str; 15] = [
    "authorizer.error",
    "authorizer.latency",
    "authorizer.status",
    "error.responseType",
    "httpMethod",
    "integrationErrorMessage",
    "integrationLatency",
    "integrationStatus",
    "requestId",
    "requestTime",
    "resourcePath",
    "responseLatency",
    "responseLength",
    "status",
    "waf.status",
];

pub(super) fn routes_need_a_token(template: &Template) -> Vec<String> {
    let mut found = Vec::new();
    for (route, operation) in template.routes() {
        let security = &operation["security"];
        let is_guarded = *security == json!([{ "AccessToken": [] }]);
        if is_guarded == OPEN.contains(&route.as_str()) {
            found.push(format!("{route} has {security}"));
        }
    }
    found
}

pub(super) fn the_access_log_knows_nobody(template: &Template) -> Vec<String> {
    let stage = template.stage();
    let log = &stage["AccessLogSetting"];
    let format = log["Format"].as_str().unwrap_or_default();
    let mut found = Vec::new();
    for variable in format.split('$').skip(1) {
        let is_name = |sign: char| sign.is_ascii_alphanumeric() || ".-_".contains(sign);
        let end = variable.find(|sign| !is_name(sign)).unwrap_or(variable.len());
        let name = variable[..end].strip_prefix("context.").unwrap_or_default();
        if !LOGGED.contains(&name) {
            found.push(format!("it logs ${variable}"));
        }
    }
    if format.is_empty() || !is_log(template, &log["DestinationArn"]) {
        found.push(format!("there is no log: {log}"));
    }
    for setting in items(&stage["MethodSettings"]) {
        if setting["DataTraceEnabled"] != false {
            found.push(format!("it logs bodies of {}", setting["ResourcePath"]));
        }
    }
    if stage["TracingEnabled"] != false {
        found.push("traces tell who it was, and queries".to_owned());
    }
    found
}

/// Whether this is the ARN of a log group of the template.
fn is_log(template: &Template, arn: &Value) -> bool {
    let names = references(arn.as_str().unwrap_or_default());
    template.of_type("AWS::Logs::LogGroup").any(|(id, _)| names == [format!("{id}.Arn")])
}

/// Requests a second and at once, where both are said.
fn throttle(setting: &Value) -> Option<(u64, u64)> {
    Some((number(&setting["ThrottlingRateLimit"])?, number(&setting["ThrottlingBurstLimit"])?))
}

pub(super) fn methods_are_throttled(template: &Template) -> Vec<String> {
    let routes: Vec<String> = template.routes().map(|(route, _)| route).collect();
    let mut found = Vec::new();
    let mut throttled = Vec::new();
    let mut default = None;
    for setting in items(&template.stage()["MethodSettings"]) {
        let path = text(&setting["ResourcePath"]).replacen('/', "", 1).replace("~1", "/");
        let route = format!("{} {path}", text(&setting["HttpMethod"]));
        let Some(throttle) = throttle(setting) else {
            found.push(format!("{route} has no throttle"));
            continue;
        };
        if route == "* *" {
            default = Some(throttle);
        } else if routes.contains(&route) {
            throttled.push((route, throttle));
        } else {
            found.push(format!("{route} is no route"));
        }
    }
    let Some((rate, burst)) = default else {
        found.push("there is no throttle for every method".to_owned());
        return found;
    };
    for dear in DEAR {
        let throttle = throttled.iter().find(|(route, _)| route == dear);
        if throttle
            .is_none_or(|(_, (its_rate, its_burst))| *its_rate >= rate || *its_burst >= burst)
        {
            found.push(format!("{dear} has no lower throttle"));
        }
    }
    found
}

pub(super) fn the_gateway_speaks_of_problems(template: &Template) -> Vec<String> {
    let responses = &template.body()["x-amazon-apigateway-gateway-responses"];
    let mut found = Vec::new();
    for kind in ["DEFAULT_4XX", "DEFAULT_5XX", "UNAUTHORIZED", "ACCESS_DENIED", "THROTTLED"] {
        if responses.get(kind).is_none() {
            found.push(format!("{kind} has API Gateway's own words"));
        }
    }
    for (kind, response) in responses.as_object().into_iter().flatten() {
        let kind_of_body = &response["responseParameters"]["gatewayresponse.header.Content-Type"];
        if kind_of_body != "'application/problem+json'" {
            found.push(format!("{kind} is {kind_of_body}"));
        }
        let body = response["responseTemplates"]["application/json"].as_str().unwrap_or_default();
        if !serde_json::from_str::<Value>(body).is_ok_and(|body| body["code"].is_string()) {
            found.push(format!("{kind} says {body}"));
        }
    }
    found
}

pub(super) fn the_web_acl_is_there_if_wanted(template: &Template) -> Vec<String> {
    let of = |kind| template.of_type(kind).collect::<Vec<_>>();
    let acls = of("AWS::WAFv2::WebACL");
    let associations = of("AWS::WAFv2::WebACLAssociation");
    if template.parameter("WebFirewall").as_deref() != Some("true") {
        let unwanted = acls.iter().chain(&associations);
        return unwanted.map(|(id, _)| format!("{id} is not wanted")).collect();
    }
    let (api, _) = template.only("AWS::ApiGateway::RestApi");
    let (stage, _) = template.only("AWS::ApiGateway::Stage");
    let stage = format!("arn:aws:apigateway:us-east-1::/restapis/${{{api}}}/stages/${{{stage}}}");
    let guards = |association: &Value| {
        let acl = text(&association["WebACLArn"]);
        association["ResourceArn"] == stage
            && acls.iter().any(|(id, _)| acl == format!("${{{id}.Arn}}"))
    };
    if associations.iter().any(|(_, association)| guards(&association["Properties"])) {
        Vec::new()
    } else {
        vec!["nothing stands before the API".to_owned()]
    }
}

#[test]
fn what_breaks_a_rule_of_the_api_is_seen() {
    let path = "Api/Properties/Body/paths/";
    let responses = "Api/Properties/Body/x-amazon-apigateway-gateway-responses/";
    let at = |start: &str, rest: &str| format!("{start}{rest}");
    let log = |variable: &str| json!(format!("{{\"id\":\"$context.{variable}\"}}"));
    let format = "ApiStage/Properties/AccessLogSetting/Format";
    let settings = "ApiStage/Properties/MethodSettings";
    let unknown = json!({
        "ResourcePath": "/~1nothing", "HttpMethod": "GET", "DataTraceEnabled": false,
        "ThrottlingRateLimit": 1, "ThrottlingBurstLimit": 1
    });
    each_breaks_its_rule(
        &DEFAULTS,
        vec![
            (routes_need_a_token, at(path, "~1accounts/get/security"), json!([{ "NONE": [] }])),
            (routes_need_a_token, at(path, "~1accounts/get/security"), Value::Null),
            (routes_need_a_token, at(path, "~1accounts/get/security"), json!([{ "Other": [] }])),
            (
                routes_need_a_token,
                at(path, "~1healthz/get/security"),
                json!([{ "AccessToken": [] }]),
            ),
            (the_access_log_knows_nobody, format.into(), log("identity.sourceIp")),
            (the_access_log_knows_nobody, format.into(), log("authorizer.sub")),
            (the_access_log_knows_nobody, format.into(), log("path")),
            (the_access_log_knows_nobody, format.into(), json!("$input.params('code')")),
            (
                the_access_log_knows_nobody,
                "ApiStage/Properties/AccessLogSetting".into(),
                Value::Null,
            ),
            (the_access_log_knows_nobody, "ApiStage/Properties/TracingEnabled".into(), json!(true)),
            (the_access_log_knows_nobody, at(settings, "/3/DataTraceEnabled"), json!(true)),
            (the_access_log_knows_nobody, at(settings, "/0/DataTraceEnabled"), Value::Null),
            (methods_are_throttled, at(settings, "/0/HttpMethod"), json!("GET")),
            (methods_are_throttled, at(settings, "/0/ThrottlingBurstLimit"), Value::Null),
            (methods_are_throttled, at(settings, "/2/ThrottlingRateLimit"), json!(200)),
            (methods_are_throttled, at(settings, "/2/HttpMethod"), json!("PUT")),
            (methods_are_throttled, at(settings, "/-"), unknown),
            (
                the_gateway_speaks_of_problems,
                at(responses, "THROTTLED/responseParameters"),
                json!({}),
            ),
            (
                the_gateway_speaks_of_problems,
                at(responses, "THROTTLED/responseTemplates"),
                json!({}),
            ),
            (the_gateway_speaks_of_problems, at(responses, "DEFAULT_5XX"), Value::Null),
            (the_web_acl_is_there_if_wanted, "WebAcl/Condition".into(), Value::Null),
        ],
    );
    each_breaks_its_rule(
        &OTHERS,
        vec![
            (the_web_acl_is_there_if_wanted, "WebAclAssociation".into(), Value::Null),
            (
                the_web_acl_is_there_if_wanted,
                "WebAclAssociation/Properties/ResourceArn".into(),
                json!("arn:aws:apigateway:us-east-1::/restapis/${Api}/stages/other"),
            ),
        ],
    );
}
