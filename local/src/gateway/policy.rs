//! Decides by a policy whether a caller may invoke a method of the API.

use aws_lambda_events::iam::{IamPolicyEffect, IamPolicyStatement};
use wildmatch::WildMatch;

/// In lower case.
const INVOKE: &str = "execute-api:invoke";

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
    // The names of actions have no case.
    statement.action.iter().any(|pattern| matches(&pattern.to_lowercase(), INVOKE))
        && statement.resource.iter().any(|pattern| matches(pattern, method_arn))
}

/// IAM's wildcards: `*` is any text, `?` any character.
fn matches(pattern: &str, text: &str) -> bool {
    WildMatch::new(pattern).matches(text)
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
    fn wildcards_take_as_much_as_they_must() {
        for (pattern, text, is_match) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("?", "", false),
            ("a*", "a", true),
            ("*b", "abab", true),
            ("*ab?", "aabab\u{e9}", true),
            ("a*b*c", "a-b-b-c-c", true),
            ("a*b*c", "a-c-b", false),
            ("a?c", "a.c", true),
            ("a.c", "abc", false),
            ("a*?", "a", false),
            ("a", "a*", false),
        ] {
            assert_eq!(matches(pattern, text), is_match, "{pattern} {text}");
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
