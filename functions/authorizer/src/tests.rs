use serde_json::{Value, json};
use shared::{
    auth::{Claims, Keyring, TokenFormat, TokenSigner, TokenVerifier, VerificationKeys},
    domain::{Caller, SessionId, Username},
};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::handler::authorize;

const METHOD_ARN: &str =
    "arn:aws:execute-api:us-east-1:000000000000:local/dev/GET/accounts/7/entries";

struct Bench {
    signer: TokenSigner,
    verifier: TokenVerifier,
    now: OffsetDateTime,
}

impl Bench {
    fn new(format: TokenFormat) -> Self {
        let keyring = Keyring::generate().unwrap();
        let public = VerificationKeys::parse(&keyring.public_keys().unwrap()).unwrap();
        Self {
            signer: keyring.signer(format, "dev"),
            verifier: TokenVerifier::new(format, "dev", public),
            now: OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap(),
        }
    }

    fn token(&self) -> String {
        let caller = Caller {
            username: Username::parse("alice").unwrap(),
            session_id: SessionId(Uuid::from_u128(1)),
        };
        let ttl = std::time::Duration::from_mins(10);
        self.signer.sign(&Claims::new(&caller, Uuid::from_u128(2), self.now, ttl)).unwrap()
    }

    fn answer(&self, header: &Value, after: Duration) -> Value {
        let event = json!({
            "type": "TOKEN",
            "authorizationToken": header,
            "methodArn": METHOD_ARN,
        });
        let event = serde_json::from_value(event).unwrap();
        let now = self.now.saturating_add(after);
        serde_json::to_value(authorize(&self.verifier, now, &event)).unwrap()
    }
}

#[test]
fn a_good_token_opens_the_whole_stage() {
    for (format, scheme) in [
        (TokenFormat::Paseto, "Bearer"),
        (TokenFormat::Paseto, "bearer"),
        (TokenFormat::Paseto, "BEARER"),
        (TokenFormat::Jwt, "Bearer"),
    ] {
        let bench = Bench::new(format);
        let answer = bench.answer(&json!(format!("{scheme} {}", bench.token())), Duration::ZERO);
        assert_eq!(
            answer,
            json!({
                "principalId": "alice",
                "policyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [{
                        "Effect": "Allow",
                        "Action": "execute-api:Invoke",
                        "Resource": "arn:aws:execute-api:us-east-1:000000000000:local/dev/*",
                    }],
                },
                "context": {
                    "username": "alice",
                    "session_id": "00000000-0000-0000-0000-000000000001",
                    "expires_at": "2027-01-15T08:10:00Z",
                },
            })
        );
    }
}

#[test]
fn everything_else_is_denied_with_its_reason() {
    let bench = Bench::new(TokenFormat::Paseto);
    let token = bench.token();
    let jwt = Bench::new(TokenFormat::Jwt).token();
    let good = json!(format!("Bearer {token}"));
    for (header, after, code) in [
        (&good, Duration::minutes(10), "token_expired"),
        (&good, Duration::seconds(-31), "invalid_token"),
        (&json!(format!("Bearer {jwt}")), Duration::ZERO, "invalid_token"),
        (&json!(token), Duration::ZERO, "invalid_token"),
        (&json!(format!("Basic {token}")), Duration::ZERO, "invalid_token"),
        (&json!(format!("Bearer {token}x")), Duration::ZERO, "invalid_token"),
        (&json!(format!("Bearer  {token}")), Duration::ZERO, "invalid_token"),
        (&json!("Bearer"), Duration::ZERO, "invalid_token"),
        (&json!("Bearer "), Duration::ZERO, "invalid_token"),
        (&json!(""), Duration::ZERO, "invalid_token"),
        (&json!(null), Duration::ZERO, "invalid_token"),
    ] {
        let answer = bench.answer(header, after);
        assert_eq!(answer["policyDocument"]["Statement"][0]["Effect"], "Deny", "{header}");
        assert_eq!(answer["context"]["code"], code, "{header}");
        assert_eq!(answer["context"].as_object().unwrap().len(), 3, "{header}");
    }
}
