//! Access tokens: nothing verifies but what was signed, letter by letter, and of what was signed nothing acts
//! but the bank's own claims.

use arbitrary::Unstructured;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use ed25519_compact::{KeyPair, Seed};
use serde_json::Value;
use shared::{
    auth::{SigningKey, TokenError, TokenFormat, TokenVerifier, VerificationKeys},
    domain::SessionId,
    testing::{Forger, caller, clock},
};
use uuid::Uuid;

use crate::{Edit, edited, members};

const STAGE: &str = "dev";

/// One verifier, and everything that its key has signed.
pub struct Tokens {
    format: TokenFormat,
    forger: Forger,
    verifier: TokenVerifier,
    signed: Vec<String>,
}

impl Tokens {
    /// With a key that is the same each time, so that an input which fails does so again.
    pub fn new(format: TokenFormat) -> Self {
        let pair = KeyPair::from_seed(Seed::new([9; 32]));
        let secret = format!("k4.secret.{}", BASE64.encode(pair.sk.as_slice()));
        let public = SigningKey::parse(&secret).unwrap().public_text().unwrap();
        let forger = Forger::new(&secret, STAGE, &caller("alice"), clock().0);
        let keys = VerificationKeys::parse(&[public]).unwrap();
        let verifier = TokenVerifier::new(format, STAGE, keys);
        let signed = vec![forger.genuine(format), forger.expired(format)];
        assert!(signed.iter().all(|token| verifier.verify(token).is_ok()));
        Self { format, forger, verifier, signed }
    }

    /// Tries the data as a token, as changes of one that is genuine, and as what a genuine one could say.
    pub fn try_all(&self, data: &[u8]) {
        if let Ok(text) = str::from_utf8(data) {
            self.try_token(text);
            self.try_claims(text);
        }
        if let Ok(edits) = Unstructured::new(data).arbitrary::<Vec<Edit>>() {
            self.signed.iter().for_each(|token| self.try_token(&edited(token, &edits)));
        }
    }

    fn try_token(&self, token: &str) {
        // Some of the seeds say wrong things over a right signature.
        let caller = self.verifier.verify(token).and_then(|claims| claims.caller(clock().0));
        match caller {
            Ok(_) | Err(TokenError::Expired) => {
                assert!(self.signed.iter().any(|signed| signed == token), "{token} is not ours");
            }
            Err(TokenError::Invalid | TokenError::Signing) => (),
        }
    }

    fn try_claims(&self, payload: &str) {
        // The signing library would not sign nothing.
        if payload.is_empty() {
            return;
        }
        let token = self.forger.saying(self.format, payload);
        let Ok(claims) = self.verifier.verify(&token) else { return };
        assert_eq!(members(payload), 8, "each claim is there once, and no other");
        let Ok(caller) = claims.caller(clock().0) else { return };
        let said: Value = serde_json::from_str(payload).unwrap();
        let text = |name: &str| said[name].as_str().unwrap();
        assert_eq!(text("iss"), "simplebank");
        assert_eq!(text("sub"), caller.username.as_str());
        assert_eq!(SessionId(Uuid::try_parse(text("sid")).unwrap()), caller.session_id);
        assert!(claims.expires_at() > clock().0);
    }
}
