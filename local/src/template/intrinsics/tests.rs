//! Values as `CloudFormation` would compute them.

use super::super::from_text;

const TEMPLATE: &str = "
Parameters:
  Stage: {Type: String, Default: dev}
  Secret: {Type: String}
Conditions:
  IsDev: !Equals [!Ref Stage, dev]
  IsProd: {'Fn::Equals': [!Ref Stage, prod]}
  IsNotDev: !Not [!Condition IsDev]
  IsEither: !Or [!Condition IsNotDev, Condition: IsDev]
  IsBoth: {'Fn::And': [!Condition IsEither, !Equals [a, a], !Not [!Condition IsDev]]}
  Circle: !Not [!Condition Round]
  Round: !And [!Condition IsDev, !Condition Circle]
  Odd: !Ref Stage
Resources:
  Queue: {Type: 'AWS::SQS::Queue'}
  Named: {Type: 'AWS::SQS::Queue', Properties: {QueueName: !Sub '${Stage}-tasks'}}
  Topic: {Type: 'AWS::SNS::Topic'}
  ProdQueue: {Type: 'AWS::SQS::Queue', Condition: IsProd}
  PayFunction: {Type: 'AWS::Serverless::Function', Properties: {CodeUri: target/lambda/pay/}}
";

#[test]
fn values_are_computed() {
    let arn = "arn:aws:lambda:us-east-1:000000000000:function:pay";
    let cases = [
        ("plain", "plain"),
        ("!Ref Stage", "dev"),
        ("Ref: Stage", "dev"),
        ("!Ref AWS::Region", "us-east-1"),
        ("!Ref AWS::AccountId", "000000000000"),
        ("!Ref Topic", "Topic"),
        ("!Ref Queue", "http://aws.test/000000000000/Queue"),
        ("!Ref Named", "http://aws.test/000000000000/dev-tasks"),
        ("!GetAtt Queue.Arn", "arn:aws:sqs:us-east-1:000000000000:Queue"),
        ("!GetAtt Named.QueueName", "dev-tasks"),
        ("!Ref PayFunction", "pay"),
        ("!Sub 'bank-${Stage}-${PayFunction}-${!Literal}'", "bank-dev-pay-${Literal}"),
        ("Fn::Sub: '${AWS::Partition}/${PayFunction.Arn}'", &format!("aws/{arn}")),
        ("!GetAtt PayFunction.Arn", arn),
        ("Fn::GetAtt: [PayFunction, Arn]", arn),
        ("!Join ['-', [a, !Ref Stage, 3]]", "a-dev-3"),
        ("!If [IsDev, yes, !Ref Secret]", "yes"),
        ("!If [IsProd, !Ref Secret, !Sub '${Stage}!']", "dev!"),
        ("!If [IsNotDev, yes, no]", "no"),
        ("!If [IsEither, yes, no]", "yes"),
        ("!If [IsBoth, yes, no]", "no"),
    ];
    let template = from_text(TEMPLATE, &[]);
    for (yaml, expected) in cases {
        let value = serde_yaml_ng::from_str(yaml).unwrap();
        assert_eq!(template.evaluate_text(&value).as_deref(), Ok(expected), "{yaml}");
    }
}

#[test]
fn what_cannot_be_computed_says_so() {
    let cases = [
        ("!Ref Nobody", "Nobody is neither a parameter nor a resource"),
        ("!Sub '${Secret}'", "template parameter Secret has no value: pass --parameter Secret=…"),
        ("!Sub '${Stage'", "${ is not closed in \"${Stage\""),
        ("!GetAtt Topic.Arn", "Topic.Arn is not known on this machine"),
        ("!Ref ProdQueue", "ProdQueue is not made: its condition does not hold"),
        ("!If [Circle, a, b]", "condition Circle is made of itself"),
        ("!If [Odd, a, b]", "condition Odd: only Equals, Not, And, Or and Condition are supported"),
        ("!If [Never, a, b]", "there is no condition Never"),
        ("!ImportValue x", "the intrinsic function ImportValue is not supported"),
        ("Fn::Select: [0, [a]]", "the intrinsic function Select is not supported"),
    ];
    let template = from_text(TEMPLATE, &[]);
    for (yaml, expected) in cases {
        let value = serde_yaml_ng::from_str(yaml).unwrap();
        assert_eq!(template.evaluate(&value), Err(expected.to_owned()), "{yaml}");
    }
}
