//! What cannot be served is refused by name.

use super::super::from_text;

const TEMPLATE: &str = "
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: dev
      Auth:
        DefaultAuthorizer: Guard
        Authorizers:
          Guard:
            FunctionArn: !GetAtt GuardFunction.Arn
            FunctionPayloadType: TOKEN
      GatewayResponses:
        THROTTLED: {ResponseTemplates: {application/json: wait}}
  GuardFunction: {Type: AWS::Serverless::Function, Properties: {CodeUri: guard/}}
  PayFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: pay/
      Events:
        Pay: {Type: Api, Properties: {RestApiId: !Ref Api, Path: /pay, Method: post}}
        Look: {Type: Api, Properties: {RestApiId: !Ref Api, Path: /pay, Method: get, Auth: {Authorizer: NONE}}}
";

#[test]
fn an_api_is_read() {
    let api = from_text(TEMPLATE, &[]).api().unwrap();
    let [pay, look] = api.routes.as_slice() else { panic!("two routes") };
    assert_eq!(
        (pay.method.as_str(), pay.path.as_str(), pay.function.as_str()),
        ("POST", "/pay", "pay")
    );
    assert_eq!((api.authorizer_of(pay), api.authorizer_of(look)), (Some("Guard"), None));
    let guard = &api.authorizers["Guard"];
    assert_eq!((guard.function.as_str(), guard.header.as_str()), ("guard", "Authorization"));
    assert_eq!(guard.ttl.as_secs(), 300);
    assert_eq!(api.responses["THROTTLED"].body.as_deref(), Some("wait"));
}

#[test]
fn what_cannot_be_served_is_named() {
    let cases = [
        (
            "Method: get",
            "Method: post",
            "PayFunction.Events.Look.Properties: POST /pay is pay's already",
        ),
        (
            "Path: /pay",
            "Path: pay",
            "PayFunction.Events.Pay.Properties.Path: \"pay\" does not start with /",
        ),
        (
            "Path: /pay",
            "Path: /_local/pay",
            "PayFunction.Events.Pay.Properties.Path: /_local/ is this tool's own",
        ),
        (
            "Pay: {Type: Api",
            "Pay: {Type: SNS",
            "PayFunction.Events.Pay.Type: an event of type SNS is not supported",
        ),
        (
            "Pay: {Type: Api",
            "Pay: {Type: HttpApi",
            "PayFunction.Events.Pay.Type: an event of type HttpApi is not supported",
        ),
        (
            "Authorizer: NONE",
            "Authorizer: Other",
            "PayFunction.Events.Look.Properties: there is no authorizer Other",
        ),
        (
            "Authorizer: NONE",
            "ApiKeyRequired: true",
            "PayFunction.Events.Look.Properties.Auth.ApiKeyRequired: is not supported",
        ),
        (
            "RestApiId: !Ref Api",
            "RestApiId: other",
            "PayFunction.Events.Pay.Properties: other is not the API that is served, Api",
        ),
        ("RestApiId: !Ref Api, ", "", "PayFunction.Events.Pay.Properties: RestApiId is missing"),
        (
            "Type: TOKEN",
            "Type: REQUEST",
            "Api.Properties.Auth.Authorizers.Guard.FunctionPayloadType: only authorizers of type TOKEN are supported",
        ),
        (
            "!GetAtt GuardFunction.Arn",
            "arn:aws:other",
            "Api.Properties.Auth.Authorizers.Guard.FunctionArn: other is not a function of this template",
        ),
        (
            "StageName: dev",
            "StageName: !Select [0, [a]]",
            "Api.Properties.StageName: the intrinsic function Select is not supported",
        ),
        ("StageName: dev", "Cors: everyone", "Api.Properties.Cors: is not supported"),
        (
            "StageName: dev",
            "DefinitionUri: api.yaml",
            "Api.Properties.DefinitionUri: is not supported",
        ),
        (
            "json: wait",
            "json: $input.body",
            "Api.Properties.GatewayResponses.THROTTLED.ResponseTemplates.application/json: $input is not supported",
        ),
        (
            "CodeUri: pay/",
            "CodeUri: guard/",
            "PayFunction.CodeUri: GuardFunction has this binary already",
        ),
        ("CodeUri: pay/", "Timeout: 1", "PayFunction: CodeUri is missing"),
        (
            "AWS::Serverless::Api",
            "AWS::Serverless::HttpApi",
            "Api.Type: an AWS::Serverless::HttpApi is not supported",
        ),
        ("AWS::Serverless::Api", "AWS::S3::Bucket", "Resources: there is no AWS::Serverless::Api"),
    ];
    for (before, after, message) in cases {
        let text = TEMPLATE.replacen(before, after, 1);
        assert_ne!(text, TEMPLATE, "{before} is not in the template");
        let error = from_text(&text, &[]).api().unwrap_err();
        assert_eq!(error.to_string(), message);
    }
}
