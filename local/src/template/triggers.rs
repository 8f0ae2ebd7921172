//! What invokes a function without a request: messages of a queue, and the clock.

use std::time::Duration;

use serde::de::IgnoredAny;

use super::{Function, TemplateError, intrinsics::queue_arn, node::Node, services::Queue};

/// Lambda's own values where the template has none.
const DEFAULT_BATCH_SIZE: usize = 10;
const DEFAULT_CONCURRENCY: usize = 5;
/// The most messages of a batch that is not waited for.
const MAX_BATCH_SIZE_WITHOUT_WINDOW: usize = 10;

/// Hands the messages of a queue to a function.
#[derive(Clone, Debug)]
pub(crate) struct QueueTrigger {
    /// The function's binary.
    pub(crate) function: String,
    /// How long an invocation is waited for.
    pub(crate) patience: Duration,
    /// The queue's name.
    pub(crate) queue: String,
    /// The queue's ARN, as the function is told it.
    pub(crate) queue_arn: String,
    /// The most messages of one invocation.
    pub(crate) batch_size: usize,
    /// How long a batch that is not full is waited for after its first messages.
    pub(crate) window: Duration,
    /// The most invocations at a time.
    pub(crate) concurrency: usize,
    /// Whether the function's answer names the messages that failed.
    pub(crate) reports_failures: bool,
}

/// When a schedule fires.
#[derive(Clone, Debug)]
pub(crate) enum Timing {
    /// After each time of this length.
    Rate(Duration),
    /// At these moments, in UTC.
    Cron(Box<cron::Schedule>),
}

/// Invokes a function again and again.
#[derive(Clone, Debug)]
pub(crate) struct ScheduleTrigger {
    /// The function's binary.
    pub(crate) function: String,
    /// How long an invocation is waited for.
    pub(crate) patience: Duration,
    /// The rule's name.
    pub(crate) name: String,
    /// When it is invoked.
    pub(crate) timing: Timing,
    /// What the function is given instead of the schedule's own event: JSON.
    pub(crate) input: Option<String>,
}

/// Reads an event of type `SQS`; nothing if it is switched off.
pub(super) fn queue(
    properties: &Node<'_>,
    function: &Function<'_>,
) -> Result<Option<QueueTrigger>, TemplateError> {
    properties.only(&[
        "BatchSize",
        "Enabled",
        "FunctionResponseTypes",
        "MaximumBatchingWindowInSeconds",
        "Queue",
        "ScalingConfig",
    ])?;
    let arn = properties.require("Queue")?;
    let queue = Queue::of_arn(function.template(), &arn)?;
    if queue.visibility_secs < function.timeout_secs {
        let Function { name, timeout_secs, .. } = function;
        let secs = queue.visibility_secs;
        let problem = format!("its messages are hidden for {secs} s, {name} takes {timeout_secs}");
        return Err(arn.error(problem));
    }
    let scaling = properties.get("ScalingConfig")?;
    if let Some(scaling) = &scaling {
        scaling.only(&["MaximumConcurrency"])?;
    }
    let concurrency = scaling.map(|scaling| scaling.number_of("MaximumConcurrency")).transpose()?;
    let window_secs = properties.number_of("MaximumBatchingWindowInSeconds")?.unwrap_or_default();
    let trigger = QueueTrigger {
        function: function.name.clone(),
        patience: function.patience(),
        queue_arn: queue_arn(&queue.name),
        queue: queue.name,
        batch_size: properties.number_of("BatchSize")?.unwrap_or(DEFAULT_BATCH_SIZE),
        window: Duration::from_secs(window_secs),
        concurrency: concurrency.flatten().unwrap_or(DEFAULT_CONCURRENCY),
        reports_failures: reports_failures(properties)?,
    };
    if trigger.batch_size == 0 || trigger.concurrency == 0 {
        return Err(properties.error("neither a batch nor its concurrency can be nothing"));
    }
    if trigger.batch_size > MAX_BATCH_SIZE_WITHOUT_WINDOW && trigger.window.is_zero() {
        return Err(properties.error("a BatchSize above 10 needs MaximumBatchingWindowInSeconds"));
    }
    Ok(is_enabled(properties)?.then_some(trigger))
}

fn reports_failures(properties: &Node<'_>) -> Result<bool, TemplateError> {
    let types = properties.texts_of("FunctionResponseTypes")?;
    match types.iter().find(|kind| *kind != "ReportBatchItemFailures") {
        Some(other) => {
            Err(properties.error(format!("the FunctionResponseType {other} is not supported")))
        }
        None => Ok(!types.is_empty()),
    }
}

/// Reads an event of type `Schedule`; nothing if it is switched off.
pub(super) fn schedule(
    properties: &Node<'_>,
    event: &str,
    function: &Function<'_>,
) -> Result<Option<ScheduleTrigger>, TemplateError> {
    properties.only(&["Description", "Enabled", "Input", "Name", "Schedule"])?;
    let expression = properties.require("Schedule")?;
    let timing = timing(&expression.text()?).ok_or_else(|| {
        expression.error("only rate(5 minutes), cron(0 3 * * ? *) and the like are supported")
    })?;
    let input = properties.text_of("Input")?;
    if input.as_ref().is_some_and(|input| serde_json::from_str::<IgnoredAny>(input).is_err()) {
        return Err(properties.error("Input is not JSON"));
    }
    // What SAM calls the rule.
    let own_name = || format!("{}{event}", function.logical_id);
    let trigger = ScheduleTrigger {
        function: function.name.clone(),
        patience: function.patience(),
        name: properties.text_of("Name")?.unwrap_or_else(own_name),
        timing,
        input,
    };
    Ok(is_enabled(properties)?.then_some(trigger))
}

fn timing(expression: &str) -> Option<Timing> {
    let cron = expression.strip_prefix("cron(").and_then(|rest| rest.strip_suffix(')'));
    match cron {
        // The library's expressions begin with seconds.
        Some(fields) => Some(Timing::Cron(Box::new(format!("0 {fields}").parse().ok()?))),
        None => interval(expression).map(Timing::Rate),
    }
}

/// The time that `rate(…)` names; `EventBridge` wants the singular for one and the plural for more.
fn interval(expression: &str) -> Option<Duration> {
    let (value, unit) = expression.strip_prefix("rate(")?.strip_suffix(')')?.split_once(' ')?;
    let value: u64 = value.parse().ok().filter(|value| *value > 0)?;
    let unit_secs = match (value, unit) {
        (1, "minute") | (2.., "minutes") => 60,
        (1, "hour") | (2.., "hours") => 60 * 60,
        (1, "day") | (2.., "days") => 24 * 60 * 60,
        _ => return None,
    };
    value.checked_mul(unit_secs).map(Duration::from_secs)
}

fn is_enabled(properties: &Node<'_>) -> Result<bool, TemplateError> {
    let Some(enabled) = properties.get("Enabled")? else { return Ok(true) };
    enabled.text()?.parse().map_err(|_| enabled.error("true or false is needed here"))
}

#[cfg(test)]
mod tests {
    use super::super::from_text;
    use super::*;

    const TEMPLATE: &str = "
Resources:
  Tasks: {Type: AWS::SQS::Queue, Properties: {VisibilityTimeout: 30}}
  WorkFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: target/lambda/mail/
      Timeout: 30
      Events:
        Tasks:
          Type: SQS
          Properties:
            Queue: !GetAtt Tasks.Arn
            BatchSize: 20
            MaximumBatchingWindowInSeconds: 2
            FunctionResponseTypes: [ReportBatchItemFailures]
            ScalingConfig: {MaximumConcurrency: 3}
        Again: {Type: Schedule, Properties: {Schedule: rate(5 minutes), Input: '{}'}}
";

    #[test]
    fn triggers_are_read() {
        let (queues, schedules) = from_text(TEMPLATE, &[]).triggers().unwrap();
        let [tasks] = queues.as_slice() else { panic!("one queue") };
        assert_eq!((tasks.function.as_str(), tasks.queue.as_str()), ("mail", "Tasks"));
        assert_eq!(tasks.queue_arn, "arn:aws:sqs:us-east-1:000000000000:Tasks");
        assert_eq!((tasks.batch_size, tasks.window.as_secs(), tasks.concurrency), (20, 2, 3));
        assert!(tasks.reports_failures && tasks.patience > Duration::from_secs(30));
        let [again] = schedules.as_slice() else { panic!("one schedule") };
        assert_eq!((again.function.as_str(), again.name.as_str()), ("mail", "WorkFunctionAgain"));
        assert!(matches!(again.timing, Timing::Rate(rate) if rate == Duration::from_mins(5)));
        assert_eq!(again.input.as_deref(), Some("{}"));
    }

    #[test]
    fn what_is_not_said_is_as_lambda_has_it_and_what_is_off_is_not_there() {
        let start = TEMPLATE.split("            BatchSize").next().unwrap();
        let (queues, schedules) = from_text(start, &[]).triggers().unwrap();
        let [tasks] = queues.as_slice() else { panic!("one queue") };
        assert_eq!((tasks.batch_size, tasks.window.as_secs(), tasks.concurrency), (10, 0, 5));
        assert!(!tasks.reports_failures && schedules.is_empty());
        let off = TEMPLATE.replace("BatchSize: 20", "BatchSize: 20\n            Enabled: false");
        assert!(from_text(&off, &[]).triggers().unwrap().0.is_empty());
    }

    #[test]
    fn what_cannot_be_done_is_named() {
        let at = |place: &str| format!("WorkFunction.Events.{place}");
        let cases = [
            (
                "VisibilityTimeout: 30",
                "VisibilityTimeout: 29",
                at("Tasks.Properties.Queue: its messages are hidden for 29 s, mail takes 30"),
            ),
            (
                "!GetAtt Tasks.Arn",
                "other",
                at("Tasks.Properties.Queue: other is not a queue of this template"),
            ),
            (
                "MaximumBatchingWindowInSeconds: 2",
                "FilterCriteria: {}",
                at("Tasks.Properties.FilterCriteria: is not supported"),
            ),
            (
                "MaximumBatchingWindowInSeconds: 2",
                "Enabled: true",
                at("Tasks.Properties: a BatchSize above 10 needs MaximumBatchingWindowInSeconds"),
            ),
            (
                "[ReportBatchItemFailures]",
                "[Other]",
                at("Tasks.Properties: the FunctionResponseType Other is not supported"),
            ),
            (
                "rate(5 minutes)",
                "rate(5 minute)",
                at("Again.Properties.Schedule: \
                    only rate(5 minutes), cron(0 3 * * ? *) and the like are supported"),
            ),
            ("Input: '{}'", "Input: x", at("Again.Properties: Input is not JSON")),
        ];
        for (one, other, message) in cases {
            assert!(TEMPLATE.contains(one), "{one}");
            let problem = from_text(&TEMPLATE.replace(one, other), &[]).triggers().unwrap_err();
            assert_eq!(problem.to_string(), message);
        }
    }

    #[test]
    fn rates() {
        for (expression, minutes) in [
            ("rate(1 minute)", Some(1)),
            ("rate(2 hours)", Some(120)),
            ("rate(1 day)", Some(24 * 60)),
            ("rate(0 minutes)", None),
            ("rate(1 minutes)", None),
            ("rate(1)", None),
        ] {
            assert_eq!(interval(expression), minutes.map(Duration::from_mins), "{expression}");
        }
    }

    #[test]
    fn moments() {
        let monday: chrono::DateTime<chrono::Utc> = "2026-11-23T12:00:00Z".parse().unwrap();
        for (expression, expected) in [
            ("cron(30 3 * * ? *)", Some("2026-11-24T03:30:00Z")),
            // The first day of a week is Sunday.
            ("cron(0 12 ? * 1 *)", Some("2026-11-29T12:00:00Z")),
            ("cron(0/15 * * * ? *)", Some("2026-11-23T12:15:00Z")),
            ("cron(0 3 * *)", None),
            ("cron()", None),
        ] {
            let next = timing(expression).map(|timing| match timing {
                Timing::Cron(moments) => moments.after(&monday).next().unwrap(),
                Timing::Rate(_) => panic!("{expression} is no rate"),
            });
            assert_eq!(next, expected.map(|at| at.parse().unwrap()), "{expression}");
        }
    }
}
