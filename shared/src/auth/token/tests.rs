use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::*;
use crate::{
    auth::generate_keys,
    domain::{Caller, SessionId, Username},
    testing::Forger,
};

const FORMATS: [TokenFormat; 2] = [TokenFormat::Paseto, TokenFormat::Jwt];

fn now() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap()
}

fn caller() -> Caller {
    Caller {
        username: Username::parse("alice").unwrap(),
        session_id: SessionId(Uuid::from_u128(7)),
    }
}

fn claims() -> Claims {
    Claims::new(&caller(), Uuid::from_u128(8), now(), std::time::Duration::from_mins(10))
}

fn signer(format: TokenFormat, stage: &str, secret: &str) -> TokenSigner {
    TokenSigner::new(format, stage, SigningKey::parse(secret).unwrap())
}

fn verifier(format: TokenFormat, stage: &str, public: &[&str]) -> TokenVerifier {
    TokenVerifier::new(format, stage, VerificationKeys::parse(public).unwrap())
}

#[test]
fn what_was_signed_verifies_under_both_keys_of_a_rotation() {
    let (old_secret, old_public) = generate_keys().unwrap();
    let (new_secret, new_public) = generate_keys().unwrap();
    for (format, start) in [(TokenFormat::Paseto, "v4.public."), (TokenFormat::Jwt, "eyJ0eXAi")] {
        let verifier = verifier(format, "dev", &[&new_public, &old_public]);
        for secret in [&old_secret, &new_secret] {
            let token = signer(format, "dev", secret).sign(&claims()).unwrap();
            assert!(token.starts_with(start), "{token}");
            assert!(token.len() < 600, "{} bytes", token.len());
            assert_eq!(verifier.verify(&token), Ok(claims()));
        }
    }
}

#[test]
fn a_token_is_of_use_in_one_stage_and_one_format() {
    let (secret, public) = generate_keys().unwrap();
    let places =
        [("dev", FORMATS[0]), ("dev", FORMATS[1]), ("prod", FORMATS[0]), ("prod", FORMATS[1])];
    for made_for in places {
        let token = signer(made_for.1, made_for.0, &secret).sign(&claims()).unwrap();
        for shown_to in places {
            let verified = verifier(shown_to.1, shown_to.0, &[&public]).verify(&token);
            assert_eq!(verified.is_ok(), made_for == shown_to, "{made_for:?} {shown_to:?}");
        }
    }
}

#[test]
fn forgeries_open_nothing() {
    let (secret, public) = generate_keys().unwrap();
    let (_, other_public) = generate_keys().unwrap();
    let forger = Forger::new(&secret, "dev", &caller(), now());
    for format in FORMATS {
        let verifier = verifier(format, "dev", &[&other_public, &public]);
        let judge = |token: &str| verifier.verify(token).and_then(|claims| claims.caller(now()));
        assert_eq!(judge(&forger.genuine(format)), Ok(caller()), "{format:?}");
        assert_eq!(judge(&forger.expired(format)), Err(TokenError::Expired), "{format:?}");
        let forgeries = forger.forgeries(format);
        let count = match format {
            TokenFormat::Paseto => 76,
            TokenFormat::Jwt => 97,
        };
        assert_eq!(
            forgeries.len(),
            count,
            "SECURITY.md and ARCHITECTURE.md say how many there are"
        );
        for (what, token) in forgeries {
            assert_eq!(judge(&token), Err(TokenError::Invalid), "{format:?}, {what}: {token}");
        }
    }
}

#[test]
fn nothing_verifies_without_keys() {
    let (secret, _) = generate_keys().unwrap();
    for format in FORMATS {
        let token = signer(format, "dev", &secret).sign(&claims()).unwrap();
        assert_eq!(verifier(format, "dev", &[]).verify(&token), Err(TokenError::Invalid));
    }
}

#[test]
fn every_change_of_one_letter_is_noticed() {
    let (secret, public) = generate_keys().unwrap();
    for format in FORMATS {
        let verifier = verifier(format, "dev", &[&public]);
        let good = signer(format, "dev", &secret).sign(&claims()).unwrap();
        for index in 0..good.len() {
            let mut bytes = good.clone().into_bytes();
            bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert_eq!(verifier.verify(&changed), Err(TokenError::Invalid), "{changed}");
        }
    }
}

#[test]
fn time_is_judged_alike_in_both_formats() {
    let (secret, public) = generate_keys().unwrap();
    for format in FORMATS {
        let verifier = verifier(format, "dev", &[&public]);
        let token = signer(format, "dev", &secret).sign(&claims()).unwrap();
        for (seconds, expected) in [
            (-31, Err(TokenError::Invalid)),
            (-30, Ok(caller())),
            (599, Ok(caller())),
            (600, Err(TokenError::Expired)),
        ] {
            let at = now().saturating_add(Duration::seconds(seconds));
            let judged = verifier.verify(&token).unwrap().caller(at);
            assert_eq!(judged, expected, "{format:?} {seconds}");
        }
    }
}

#[test]
fn formats_have_names() {
    assert_eq!("paseto".parse(), Ok(TokenFormat::Paseto));
    assert_eq!("jwt".parse(), Ok(TokenFormat::Jwt));
    for text in ["", "JWT", "none", "paseto "] {
        assert_eq!(text.parse::<TokenFormat>(), Err(UnknownFormat));
    }
}
