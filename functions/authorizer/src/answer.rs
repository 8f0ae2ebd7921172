//! What API Gateway wants to hear from an authorizer
//! (<https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html>).

use serde::Serialize;
use shared::{
    auth::{Claims, TokenError},
    domain::Caller,
    http::Problem,
};

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Answer {
    principal_id: String,
    policy_document: Policy,
    context: Context,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Policy {
    version: &'static str,
    statement: [Statement; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    effect: &'static str,
    action: &'static str,
    resource: String,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Context {
    /// For the function behind the gateway.
    Caller { username: String, session_id: String, expires_at: String },
    /// For the gateway response that tells the client why.
    Refusal(Refusal),
}

/// Words of a problem for the gateway's `ACCESS_DENIED` response.
#[derive(Debug, Serialize)]
pub(crate) struct Refusal {
    code: &'static str,
    title: &'static str,
    detail: &'static str,
}

impl From<TokenError> for Refusal {
    fn from(error: TokenError) -> Self {
        let problem = Problem::from(error);
        Self { code: problem.code(), title: problem.title(), detail: problem.detail() }
    }
}

impl Answer {
    pub(crate) fn allow(method_arn: &str, caller: &Caller, claims: &Claims) -> Self {
        let context = Context::Caller {
            username: caller.username.to_string(),
            session_id: caller.session_id.0.to_string(),
            expires_at: claims.expires_at_text(),
        };
        Self::new(caller.username.to_string(), "Allow", method_arn, context)
    }

    pub(crate) fn deny(method_arn: &str, refusal: Refusal) -> Self {
        Self::new("nobody".to_owned(), "Deny", method_arn, Context::Refusal(refusal))
    }

    fn new(principal_id: String, effect: &'static str, method_arn: &str, context: Context) -> Self {
        let action = "execute-api:Invoke";
        let statement = Statement { effect, action, resource: whole_api(method_arn) };
        let policy_document = Policy { version: "2012-10-17", statement: [statement] };
        Self { principal_id, policy_document, context }
    }
}

/// The gateway keeps the answer for the token, not for the route, so that it must speak of every
/// route of the stage: `arn:…:api-id/stage/*`.
fn whole_api(method_arn: &str) -> String {
    let mut parts = method_arn.splitn(3, '/');
    match (parts.next(), parts.next()) {
        (Some(api), Some(stage)) => format!("{api}/{stage}/*"),
        (_, _) => method_arn.to_owned(),
    }
}
