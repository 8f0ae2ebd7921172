//! What the functions use of AWS besides Lambda: queues and the addresses that mail is sent from. The
//! emulator is given them.

use std::collections::BTreeMap;

use super::{QUEUE, Template, TemplateError, intrinsics::queue_arn, node::Node};

const IDENTITY: &str = "AWS::SES::EmailIdentity";

/// Properties of a queue that the queue itself has as attributes of these names.
const QUEUE_ATTRIBUTES: [&str; 5] = [
    "DelaySeconds",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "ReceiveMessageWaitTimeSeconds",
    "VisibilityTimeout",
];
/// Further ones that are served, or make no difference on one machine.
const QUEUE_PROPERTIES: [&str; 7] = [
    "KmsDataKeyReusePeriodSeconds",
    "KmsMasterKeyId",
    "QueueName",
    "RedriveAllowPolicy",
    "RedrivePolicy",
    "SqsManagedSseEnabled",
    "Tags",
];
/// Of SQS itself, where the template has none.
const DEFAULT_VISIBILITY_SECS: u64 = 30;

/// All of it.
pub(crate) struct Services {
    /// The queues, in the order of the template.
    pub(crate) queues: Vec<Queue>,
    /// The addresses and domains that mail may come from.
    pub(crate) identities: Vec<String>,
}

/// A standard queue.
#[derive(Debug)]
pub(crate) struct Queue {
    /// Its name at SQS.
    pub(crate) name: String,
    /// Its attributes as SQS names them, but for the redrive policy.
    pub(crate) attributes: BTreeMap<String, String>,
    /// Where a message ends that nobody could handle.
    pub(crate) redrive: Option<Redrive>,
    /// How long a message that was received stays hidden.
    pub(super) visibility_secs: u64,
}

/// When a message is given up.
#[derive(Debug, PartialEq)]
pub(crate) struct Redrive {
    /// The name of the queue that gets it.
    pub(crate) dead_letter_queue: String,
    /// How often it is received before.
    pub(crate) max_receive_count: u32,
}

impl Services {
    pub(super) fn read(template: &Template) -> Result<Self, TemplateError> {
        let mut services = Self { queues: queues(template)?, identities: Vec::new() };
        for (id, resource) in template.resources(IDENTITY)? {
            // Whatever else there is, about signatures and bounces, is for mail that goes out.
            let properties = Node::new(template, id.to_owned(), resource)?.require("Properties")?;
            services.identities.push(properties.require("EmailIdentity")?.text()?);
        }
        Ok(services)
    }
}

fn queues(template: &Template) -> Result<Vec<Queue>, TemplateError> {
    let queues = template.resources(QUEUE)?.into_iter().map(|(id, resource)| {
        Queue::read(template, id, &Node::new(template, id.to_owned(), resource)?)
    });
    queues.collect()
}

impl Queue {
    fn read(template: &Template, id: &str, queue: &Node<'_>) -> Result<Self, TemplateError> {
        let name = template.queue_name(id).map_err(|problem| queue.error(problem))?;
        let mut read = Self {
            name,
            attributes: BTreeMap::new(),
            redrive: None,
            visibility_secs: DEFAULT_VISIBILITY_SECS,
        };
        let Some(properties) = queue.get("Properties")? else { return Ok(read) };
        properties.only(&[QUEUE_ATTRIBUTES.as_slice(), &QUEUE_PROPERTIES].concat())?;
        for attribute in QUEUE_ATTRIBUTES {
            if let Some(value) = properties.number_of::<u32>(attribute)? {
                read.attributes.insert(attribute.to_owned(), value.to_string());
            }
        }
        if let Some(secs) = properties.number_of("VisibilityTimeout")? {
            read.visibility_secs = secs;
        }
        if let Some(policy) = properties.get("RedrivePolicy")? {
            policy.only(&["deadLetterTargetArn", "maxReceiveCount"])?;
            read.redrive = Some(Redrive {
                dead_letter_queue: name_of(template, &policy.require("deadLetterTargetArn")?)?,
                max_receive_count: policy.require("maxReceiveCount")?.number()?,
            });
        }
        Ok(read)
    }

    /// The queue of this template that an ARN names.
    pub(super) fn of_arn(template: &Template, arn: &Node<'_>) -> Result<Self, TemplateError> {
        let text = arn.text()?;
        let queue = queues(template)?.into_iter().find(|queue| queue_arn(&queue.name) == text);
        queue.ok_or_else(|| unknown(arn, &text))
    }
}

/// The name of the queue of this template that an ARN names.
fn name_of(template: &Template, arn: &Node<'_>) -> Result<String, TemplateError> {
    let text = arn.text()?;
    for (id, _) in template.resources(QUEUE)? {
        let name = template.queue_name(id).map_err(|problem| arn.error(problem))?;
        if queue_arn(&name) == text {
            return Ok(name);
        }
    }
    Err(unknown(arn, &text))
}

fn unknown(arn: &Node<'_>, text: &str) -> TemplateError {
    arn.error(format!("{text} is not a queue of this template"))
}

#[cfg(test)]
mod tests {
    use super::super::from_text;
    use super::*;

    const TEMPLATE: &str = "
Parameters: {Sender: {Type: String, Default: ''}}
Conditions:
  HasSender: !Not [!Equals [!Ref Sender, '']]
Resources:
  Tasks:
    Type: AWS::SQS::Queue
    Properties:
      VisibilityTimeout: 180
      DelaySeconds: 1
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 5}
  Dead: {Type: AWS::SQS::Queue, Properties: {QueueName: !Sub 'bank-${AWS::Region}-dead'}}
  Bare: {Type: AWS::SQS::Queue}
  Identity:
    Type: AWS::SES::EmailIdentity
    Condition: HasSender
    Properties: {EmailIdentity: !Ref Sender}
";

    #[test]
    fn queues_and_identities_are_read() {
        let services = from_text(TEMPLATE, &[("Sender", "a@b.example")]).services().unwrap();
        let [tasks, dead, bare] = services.queues.as_slice() else { panic!("three queues") };
        assert_eq!((tasks.name.as_str(), dead.name.as_str()), ("Tasks", "bank-us-east-1-dead"));
        let attributes: Vec<_> = tasks.attributes.iter().map(|(k, v)| (&**k, &**v)).collect();
        assert_eq!(attributes, [("DelaySeconds", "1"), ("VisibilityTimeout", "180")]);
        let redrive = Redrive { dead_letter_queue: dead.name.clone(), max_receive_count: 5 };
        assert_eq!((&tasks.redrive, &dead.redrive), (&Some(redrive), &None));
        assert_eq!((tasks.visibility_secs, bare.visibility_secs), (180, 30));
        assert_eq!(services.identities, ["a@b.example"]);
    }

    #[test]
    fn what_is_under_a_condition_that_does_not_hold_is_not_there() {
        assert!(from_text(TEMPLATE, &[]).services().unwrap().identities.is_empty());
    }

    #[test]
    fn what_cannot_be_had_is_named() {
        let cases = [
            ("DelaySeconds: 1", "FifoQueue: true", "Tasks.Properties.FifoQueue: is not supported"),
            (
                "DelaySeconds: 1",
                "DelaySeconds: soon",
                "Tasks.Properties.DelaySeconds: \"soon\" is not a fitting whole number",
            ),
            (
                "!GetAtt Dead.Arn",
                "arn:aws:sqs:us-east-1:1:other",
                "Tasks.Properties.RedrivePolicy.deadLetterTargetArn: \
                 arn:aws:sqs:us-east-1:1:other is not a queue of this template",
            ),
            (
                "Condition: HasSender",
                "Condition: Never",
                "Identity.Condition: there is no condition Never",
            ),
            (
                "EmailIdentity: !Ref Sender",
                "Tags: []",
                "Identity.Properties: EmailIdentity is missing",
            ),
        ];
        for (one, other, message) in cases {
            assert!(TEMPLATE.contains(one), "{one}");
            let template = from_text(&TEMPLATE.replace(one, other), &[("Sender", "a@b.example")]);
            let problem = template.services().err().map(|error| error.to_string());
            assert_eq!(problem.as_deref(), Some(message));
        }
    }
}
