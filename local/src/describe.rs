//! All that was read of a template, as JSON: what can be compared with what is deployed.

use serde_json::{Map, Value, json};

use crate::template::{
    Api, Authorizer, Function, HeaderSource, Queue, QueueTrigger, ResponseRule, ScheduleTrigger,
    Template, TemplateError, Timing,
};

/// What the template says, where the API answers at `api_url`.
pub(crate) fn describe(template: &Template, api_url: &str) -> Result<Value, TemplateError> {
    let api = template.api()?;
    let services = template.services()?;
    let (queue_triggers, schedules) = template.triggers()?;
    let functions = template.functions()?;
    let functions = functions.iter().map(|one| Ok((one.name.clone(), function(one, api_url)?)));
    let authorizers = api.authorizers.iter().map(|(name, one)| (name.clone(), authorizer(one)));
    let responses = api.responses.iter().map(|(kind, rule)| (kind.clone(), response(rule)));
    Ok(json!({
        "stage": api.stage,
        "binary_media_types": api.binary_media_types,
        "routes": routes(&api),
        "authorizers": authorizers.collect::<Map<_, _>>(),
        "gateway_responses": responses.collect::<Map<_, _>>(),
        "functions": functions.collect::<Result<Map<_, _>, TemplateError>>()?,
        "queues": services.queues.iter().map(queue).collect::<Map<_, _>>(),
        "queue_triggers": queue_triggers.iter().map(queue_trigger).collect::<Map<_, _>>(),
        "schedules": schedules.iter().map(schedule).collect::<Map<_, _>>(),
        "mail_identities": services.identities,
    }))
}

fn routes(api: &Api) -> Map<String, Value> {
    let route = |route| {
        let authorizer = api.authorizer_of(route);
        let name = format!("{} {}", route.method, route.path);
        (name, json!({ "function": route.function, "authorizer": authorizer }))
    };
    api.routes.iter().map(route).collect()
}

fn authorizer(authorizer: &Authorizer) -> Value {
    json!({
        "type": "token",
        "function": authorizer.function,
        "header": authorizer.header,
        "validation": authorizer.validation.as_ref().map(regex::Regex::as_str),
        "ttl_secs": authorizer.ttl.as_secs(),
    })
}

fn response(rule: &ResponseRule) -> Value {
    let headers = rule.headers.iter().map(|(name, source)| {
        let source = match source {
            HeaderSource::Static(text) => format!("'{text}'"),
            HeaderSource::Context(variable) => format!("context.{variable}"),
            HeaderSource::RequestHeader(header) => format!("method.request.header.{header}"),
        };
        (name.clone(), source.into())
    });
    let headers: Map<String, Value> = headers.collect();
    json!({ "status": rule.status, "headers": headers, "body": rule.body })
}

fn function(function: &Function<'_>, api_url: &str) -> Result<Value, TemplateError> {
    Ok(json!({
        "logical_id": function.logical_id,
        "timeout_secs": function.timeout_secs,
        "memory_mb": function.memory_mb,
        "reserved_concurrency": function.reserved_concurrency,
        "environment": function.environment(api_url)?,
        "logging": function.logging()?,
    }))
}

fn queue(queue: &Queue) -> (String, Value) {
    let redrive = queue.redrive.as_ref().map(|redrive| {
        json!({
            "dead_letter_queue": redrive.dead_letter_queue,
            "max_receive_count": redrive.max_receive_count,
        })
    });
    (queue.name.clone(), json!({ "attributes": queue.attributes, "redrive": redrive }))
}

fn queue_trigger(trigger: &QueueTrigger) -> (String, Value) {
    let description = json!({
        "function": trigger.function,
        "queue_arn": trigger.queue_arn,
        "batch_size": trigger.batch_size,
        "window_secs": trigger.window.as_secs(),
        "max_concurrency": trigger.concurrency,
        "reports_failures": trigger.reports_failures,
    });
    (trigger.queue.clone(), description)
}

fn schedule(trigger: &ScheduleTrigger) -> (String, Value) {
    let timing = match &trigger.timing {
        Timing::Rate(interval) => json!({ "every_secs": interval.as_secs() }),
        // With seconds before what EventBridge has.
        Timing::Cron(moments) => json!({ "cron": moments.source() }),
    };
    let description =
        json!({ "function": trigger.function, "timing": timing, "input": trigger.input });
    (trigger.name.clone(), description)
}
