//! Who may do what.

use std::collections::BTreeSet;

use super::*;
use crate::deployed::{Function, HIDDEN, items, references, text};

/// An action that is allowed, or denied, of more than what is named.
struct Wide {
    actions: &'static [&'static str],
    resource: &'static str,
    /// What the statement has to ask besides.
    condition: Option<&'static str>,
}

const NETWORK: [&str; 6] = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
];

/// Every resource with `*` in it. STAGE stands for the stage.
const WIDE: [Wide; 5] = [
    // X-Ray and CloudWatch have no resources to name for these.
    Wide {
        actions: &["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
        resource: "*",
        condition: None,
    },
    Wide { actions: &["cloudwatch:DescribeAlarms"], resource: "*", condition: None },
    // Lambda asks before there is an interface; functions themselves are denied it.
    Wide { actions: &NETWORK, resource: "*", condition: None },
    // The identity may be the address or its domain.
    Wide {
        actions: &["ses:SendEmail", "ses:SendRawEmail"],
        resource: "arn:aws:ses:us-east-1:000000000000:identity/*",
        condition: Some("/StringEquals/ses:FromAddress"),
    },
    // CodeDeploy moves every function's alias.
    Wide {
        actions: &[
            "lambda:GetAlias",
            "lambda:GetProvisionedConcurrencyConfig",
            "lambda:UpdateAlias",
        ],
        resource: "arn:aws:lambda:us-east-1:000000000000:function:simplebank-STAGE-*",
        condition: None,
    },
];

const DATABASE: &str = "reads DatabaseSecret";
const OWNER: &str = "reads OwnerDatabaseSecret";
const KEYRING: &str = "reads SigningKeyringSecret";
const CURSORS: &str = "reads CursorKeySecret";
const PUBLISHES: &str = "sends to VerifyEmailQueue";
const WORKS: &str = "receives from VerifyEmailQueue";
const MAILS: &str = "mails";
const LOGS: &str = "logs";
const TRACES: &str = "traces";

/// Exactly what each function may do, besides its log, its traces and its network.
const MAY: [(&str, &[&str]); 15] = [
    ("accounts", &[DATABASE, CURSORS]),
    ("authorizer", &[]),
    ("create_user", &[DATABASE, PUBLISHES]),
    ("docs", &[]),
    ("login", &[DATABASE, KEYRING]),
    ("migrate", &[DATABASE, OWNER]),
    ("relay_outbox", &[DATABASE, PUBLISHES]),
    ("renew_token", &[DATABASE, KEYRING]),
    ("rpc", &[DATABASE, KEYRING, CURSORS, PUBLISHES]),
    ("send_verify_email", &[DATABASE, WORKS, MAILS]),
    ("sessions", &[DATABASE]),
    ("transfer", &[DATABASE, CURSORS]),
    ("update_user", &[DATABASE, PUBLISHES]),
    ("verify", &[DATABASE]),
    ("verify_email", &[DATABASE, PUBLISHES]),
];

fn may(function: &str) -> BTreeSet<String> {
    let row = MAY.iter().find(|(name, _)| *name == function);
    let deeds = row.into_iter().flat_map(|(_, deeds)| *deeds);
    deeds.chain(&[LOGS, TRACES]).map(|deed| (*deed).to_owned()).collect()
}

/// The statements of a resource's own policies.
fn statements(resource: &Value) -> Vec<&Value> {
    let properties = &resource["Properties"];
    let inline = items(&properties["Policies"]).into_iter().map(|one| &one["PolicyDocument"]);
    let documents = inline.chain([&properties["PolicyDocument"]]);
    documents.flat_map(|document| items(&document["Statement"])).collect()
}

/// The statements of a function's role and of the policies that the role is made of.
pub(super) fn statements_of<'t>(template: &'t Template, function: &Function<'_>) -> Vec<&'t Value> {
    let role = text(&function.properties["Role"]);
    let Some(role) =
        template.resources.get(role.trim_matches(['$', '{', '}']).trim_end_matches(".Arn"))
    else {
        return Vec::new();
    };
    let attached = items(&role["Properties"]["ManagedPolicyArns"]).into_iter();
    let attached =
        attached.filter_map(|arn| template.resources.get(*references(arn.as_str()?).first()?));
    [role].into_iter().chain(attached).flat_map(statements).collect()
}

/// What its role lets a function do, in the words of [`MAY`].
fn deeds(template: &Template, function: &Function<'_>) -> BTreeSet<String> {
    let mut deeds = BTreeSet::new();
    for statement in statements_of(template, function) {
        for action in items(&statement["Action"]) {
            for resource in items(&statement["Resource"]) {
                if statement["Effect"] == "Allow" {
                    deeds.extend(deed(&text(action), &text(resource)));
                }
            }
        }
    }
    deeds
}

fn deed(action: &str, resource: &str) -> Option<String> {
    let name = resource.trim_matches(['$', '{', '}', '<', '>']).trim_end_matches(".Arn");
    match action {
        "secretsmanager:GetSecretValue" => Some(format!("reads {name}")),
        "sqs:SendMessage" => Some(format!("sends to {name}")),
        "sqs:ReceiveMessage"
        | "sqs:DeleteMessage"
        | "sqs:GetQueueAttributes"
        | "sqs:ChangeMessageVisibility" => Some(format!("receives from {name}")),
        "ses:SendEmail" | "ses:SendRawEmail" => Some(MAILS.to_owned()),
        "logs:CreateLogStream" | "logs:PutLogEvents" if name == "FunctionLog" => {
            Some(LOGS.to_owned())
        }
        "xray:PutTraceSegments" | "xray:PutTelemetryRecords" => Some(TRACES.to_owned()),
        action if NETWORK.contains(&action) => None,
        _ => Some(format!("{action} of {resource}")),
    }
}

pub(super) fn policies_name_what_they_allow(template: &Template) -> Vec<String> {
    let mut found = Vec::new();
    let stage = template.parameter("Stage").unwrap_or_default();
    for (id, resource) in &template.resources {
        for statement in statements(resource) {
            if ["NotAction", "NotResource"].iter().any(|key| statement.get(key).is_some()) {
                found.push(format!("{id} says what it does not name: {statement}"));
            }
            let actions: Vec<String> = items(&statement["Action"]).into_iter().map(text).collect();
            found.extend(
                actions
                    .iter()
                    .filter(|action| action.contains('*'))
                    .map(|action| format!("{id}: {action}")),
            );
            for resource in items(&statement["Resource"]).into_iter().map(text) {
                let is_known = WIDE.iter().any(|wide| {
                    wide.resource.replace("STAGE", &stage) == resource
                        && actions.iter().all(|action| wide.actions.contains(&action.as_str()))
                        && wide.condition.is_none_or(|condition| {
                            statement["Condition"].pointer(condition).is_some()
                        })
                });
                if resource.contains('*') && !is_known {
                    found.push(format!("{id}: {actions:?} of {resource}"));
                }
            }
        }
        for key in ["Roles", "Users", "Groups"] {
            if !resource["Properties"][key].is_null() {
                found.push(format!("{id} chooses who has it"));
            }
        }
        let of_network = |effect: &str| {
            let actions = json!(NETWORK);
            let mut all = statements(resource).into_iter();
            all.find(|one| one["Effect"] == effect && one["Action"] == actions)
        };
        let denied = of_network("Deny").map(|statement| &statement["Condition"]);
        let is_lambdas_own = denied.is_some_and(|condition| {
            condition.pointer("/ArnLike/lambda:SourceFunctionArn").is_some()
        });
        if of_network("Allow").is_some() && !is_lambdas_own {
            found.push(format!("{id} lets functions do to the network what Lambda does for them"));
        }
        for arn in items(&resource["Properties"]["ManagedPolicyArns"]).into_iter().map(text) {
            let own = template.of_type("AWS::IAM::ManagedPolicy");
            if !own.into_iter().any(|(policy, _)| arn == format!("${{{policy}}}")) {
                found.push(format!("{id} has {arn}"));
            }
        }
    }
    found
}

/// Nobody else's rights to invoke functions are given here.
pub(super) fn the_api_and_the_clock_invoke(template: &Template) -> Vec<String> {
    let invokers = ["apigateway.amazonaws.com", "events.amazonaws.com"];
    let permissions = template.of_type("AWS::Lambda::Permission").filter(|(_, permission)| {
        let properties = &permission["Properties"];
        let is_known = invokers.iter().any(|invoker| properties["Principal"] == *invoker);
        !is_known
            || properties["Action"] != "lambda:InvokeFunction"
            || !properties["SourceArn"].is_string()
    });
    permissions.map(|(id, permission)| format!("{id}: {permission}")).collect()
}

pub(super) fn every_function_has_a_role_of_its_own(template: &Template) -> Vec<String> {
    let trust = json!([{
        "Effect": "Allow",
        "Principal": { "Service": "lambda.amazonaws.com" },
        "Action": "sts:AssumeRole",
    }]);
    let mut found = Vec::new();
    let mut taken = BTreeSet::new();
    for function in template.functions() {
        let role = text(&function.properties["Role"]);
        let own = template.of_type("AWS::IAM::Role");
        let mut own = own.filter(|(id, _)| role == format!("${{{id}.Arn}}"));
        let trusted = own
            .next()
            .map(|(_, role)| &role["Properties"]["AssumeRolePolicyDocument"]["Statement"]);
        if trusted != Some(&trust) {
            found.push(format!("{}'s role {role} trusts {trusted:?}", function.name));
        }
        if !taken.insert(role.clone()) {
            found.push(format!("{} shares {role}", function.name));
        }
    }
    found
}

pub(super) fn functions_may_do_what_they_need(template: &Template) -> Vec<String> {
    let functions = template.functions().filter_map(|function| {
        let (deeds, may) = (deeds(template, &function), may(function.name));
        (deeds != may).then(|| format!("{}: {deeds:?}, not {may:?}", function.name))
    });
    functions.collect()
}

/// A function is told of the secrets and queues that it may use, and of no others.
pub(super) fn who_is_told_may(template: &Template) -> Vec<String> {
    let functions = template.functions().filter_map(|function| {
        let told: BTreeSet<String> = function
            .variables()
            .filter_map(|(name, value)| match name.rsplit('_').next() {
                Some("SECRET") => deed("secretsmanager:GetSecretValue", &value),
                Some("URL") if name.ends_with("_QUEUE_URL") => deed("sqs:SendMessage", &value),
                _ => None,
            })
            .collect();
        let mut may = may(function.name);
        may.retain(|deed| deed.starts_with("reads ") || deed.starts_with("sends "));
        (told != may).then(|| format!("{} is told {told:?}, and {may:?}", function.name))
    });
    functions.collect()
}

/// A variable whose name says so has the ARN of a secret, from a parameter whose name says so as well;
/// no other has anything of a secret.
pub(super) fn no_secret_is_in_an_environment(template: &Template) -> Vec<String> {
    // Names of secrets that are none: keys that everybody may know, and the number of a version.
    let harmless = ["TOKEN_PUBLIC_KEYS", "SIGNING_KEYRING_VERSION"];
    let secretive = ["CREDENTIALS", "KEY", "KEYRING", "KEYS", "PASSWORD", "PEPPER", "PRIVATE"];
    let mut found = Vec::new();
    for (id, resource) in &template.resources {
        let all = resource.to_string();
        if all.contains("{{resolve:") || all.contains(HIDDEN) {
            found.push(format!("{id} has a secret in it"));
        }
    }
    for function in template.functions() {
        for (name, value) in function.variables() {
            let names_secret = value.contains("Secret>");
            let is_arn = names_secret && value.starts_with('<') && !value.contains(' ');
            let is_secretive = name.split('_').any(|word| secretive.contains(&word));
            let is_right = if name.ends_with("_SECRET") {
                is_arn
            } else {
                !names_secret && (!is_secretive || harmless.contains(&name))
            };
            if !is_right || value.contains('@') && value.contains("://") {
                found.push(format!("{}: {name} is {value}", function.name));
            }
        }
    }
    found
}

#[test]
fn what_breaks_a_rule_of_policies_is_seen() {
    let shift = "DeploymentRole/Properties/Policies/0/PolicyDocument/Statement/0/";
    let trust = "LoginRole/Properties/AssumeRolePolicyDocument/Statement/0/Principal";
    let network = "NetworkPolicy/Properties/PolicyDocument/Statement/1";
    let mail = "MailPolicy/Properties/PolicyDocument/Statement/1";
    let permission = "LoginFunctionLoginPermissionStage/Properties/";
    let login = "LoginFunction/Properties/";
    let variables = "LoginFunction/Properties/Environment/Variables/";
    let policies = "LoginRole/Properties/ManagedPolicyArns/-";
    let at = |start: &str, rest: &str| format!("{start}{rest}");
    let aws = json!("arn:aws:iam::aws:policy/AdministratorAccess");
    let other = json!([{ "PolicyName": "other", "PolicyDocument": { "Statement": {
        "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bank/key"
    } } }]);
    each_breaks_its_rule(
        &DEFAULTS,
        vec![
            (policies_name_what_they_allow, at(shift, "Action"), json!("*")),
            (policies_name_what_they_allow, at(shift, "Action"), json!(["lambda:*"])),
            (policies_name_what_they_allow, at(shift, "Action"), json!("lambda:InvokeFunction")),
            (policies_name_what_they_allow, at(shift, "Resource"), json!("*")),
            (policies_name_what_they_allow, at(shift, "NotAction"), json!("iam:*")),
            (policies_name_what_they_allow, at(shift, "NotResource"), json!("a")),
            (policies_name_what_they_allow, at(network, "/Condition"), Value::Null),
            (policies_name_what_they_allow, at(network, "/Action"), json!("ec2:DescribeSubnets")),
            (policies_name_what_they_allow, at(mail, "/Condition"), Value::Null),
            (policies_name_what_they_allow, policies.into(), aws),
            (policies_name_what_they_allow, "MailPolicy/Properties/Roles".into(), json!(["other"])),
            (the_api_and_the_clock_invoke, at(permission, "Principal"), json!("*")),
            (the_api_and_the_clock_invoke, at(permission, "SourceArn"), Value::Null),
            (the_api_and_the_clock_invoke, at(permission, "Action"), json!("lambda:*")),
            (every_function_has_a_role_of_its_own, trust.into(), json!({ "AWS": "*" })),
            (every_function_has_a_role_of_its_own, at(trust, "/Service"), json!("x.amazonaws.com")),
            (
                every_function_has_a_role_of_its_own,
                at(login, "Role"),
                json!({ "Fn::GetAtt": ["RenewTokenRole", "Arn"] }),
            ),
            (functions_may_do_what_they_need, policies.into(), json!({ "Ref": "OwnerPolicy" })),
            (functions_may_do_what_they_need, policies.into(), json!({ "Ref": "PublishPolicy" })),
            (functions_may_do_what_they_need, policies.into(), json!({ "Ref": "MailPolicy" })),
            (
                functions_may_do_what_they_need,
                "LoginRole/Properties/ManagedPolicyArns/3".into(),
                json!({ "Ref": "LogPolicy" }),
            ),
            (functions_may_do_what_they_need, "LoginRole/Properties/Policies".into(), other),
            (who_is_told_may, at(variables, "DATABASE_SECRET"), Value::Null),
            (
                who_is_told_may,
                at(variables, "CURSOR_KEY_SECRET"),
                json!({ "Ref": "CursorKeySecret" }),
            ),
            (
                who_is_told_may,
                at(variables, "VERIFY_EMAIL_QUEUE_URL"),
                json!({ "Ref": "VerifyEmailQueue" }),
            ),
            (
                no_secret_is_in_an_environment,
                at(variables, "X"),
                json!("{{resolve:secretsmanager:x}}"),
            ),
            (no_secret_is_in_an_environment, at(variables, "SIGNING_KEY"), json!("k4.secret.x")),
            (
                no_secret_is_in_an_environment,
                at(variables, "X"),
                json!({ "Ref": "CursorKeySecret" }),
            ),
            (no_secret_is_in_an_environment, at(variables, "X"), json!("postgres://me:secret@db")),
            (
                no_secret_is_in_an_environment,
                "/Parameters/TokenPublicKeys/NoEcho".into(),
                json!(true),
            ),
        ],
    );
}
