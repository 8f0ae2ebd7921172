//! Decides by a policy whether a caller may invoke a method of the API.

use aws_lambda_events::iam::{IamPolicyEffect, IamPolicyStatement};
use regex::RegexBuilder;

const INVOKE: &str = "execute-api:Invoke";

/// Whether some statement allows the method and none denies it.
pub(super) fn allows(statements: &[IamPolicyStatement], method_arn: &str) -> bool {
    let mut effects = statements
        .iter()
        .filter(|statement| applies(statement, method_arn))
        .map(|statement| &statement.effect)
        .peekable();
    effects.peek().is_some() && effects.all(|effect| *effect == IamPolicyEffect::Allow)
}

fn applies(statement: &IamPolicyStatement, method_arn: &str) -> bool {
    statement.action.iter().any(|pattern| matches(pattern, INVOKE, true))
        && statement.resource.iter().any(|pattern| matches(pattern, method_arn, false))
}

/// IAM's wildcards: `*` is any text, `?` any character.
fn matches(pattern: &str, text: &str, ignore_case: bool) -> bool {
    let expression = regex::escape(pattern).replace(r"\*", ".*").replace(r"\?", ".");
    RegexBuilder::new(&format!("^{expression}$"))
        .case_insensitive(ignore_case)
        .dot_matches_new_line(true)
        .build()
        .is_ok_and(|regex| regex.is_match(text))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const ARN: &str = "arn:aws:execute-api:us-east-1:000000000000:local/dev/GET/accounts/7";

    fn statement(effect: &str, action: &Value, resource: &Value) -> IamPolicyStatement {
        let json = json!({"Effect": effect, "Action": action, "Resource": resource});
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn patterns_are_matched_as_a_whole() {
        let invoke = json!(INVOKE);
        let cases = [
            (invoke.clone(), json!(ARN), true),
            (invoke.clone(), json!("*"), true),
            (invoke.clone(), json!("arn:aws:execute-api:*/dev/*"), true),
            (invoke.clone(), json!("arn:aws:execute-api:*/dev/GET/accounts/?"), true),
            (invoke.clone(), json!(["nothing", ARN]), true),
            (json!("EXECUTE-API:*"), json!(ARN), true),
            (json!("*"), json!(ARN), true),
            (json!("execute-api:InvalidateCache"), json!(ARN), false),
            (invoke.clone(), json!("arn:aws:execute-api:*/prod/*"), false),
            (invoke.clone(), json!("arn:aws:execute-api:*/POST/accounts/7"), false),
            (invoke.clone(), json!("arn:aws:execute-api:*/GET/accounts"), false),
            (invoke, json!([]), false),
        ];
        for (action, resource, allowed) in cases {
            let statements = [statement("Allow", &action, &resource)];
            assert_eq!(allows(&statements, ARN), allowed, "{action} {resource}");
        }
    }

    #[test]
    fn a_denial_wins_wherever_it_stands() {
        let (any, other) = (json!("*"), json!("arn:other"));
        let allow = statement("Allow", &any, &any);
        let deny = statement("Deny", &any, &any);
        assert!(!allows(&[], ARN));
        assert!(!allows(&[allow.clone(), deny.clone()], ARN));
        assert!(!allows(&[deny, allow.clone()], ARN));
        assert!(allows(&[allow, statement("Deny", &any, &other)], ARN));
    }
}
