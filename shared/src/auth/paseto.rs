//! Access tokens as PASETO v4.public (<https://github.com/paseto-standard/paseto-spec>): one
//! algorithm, Ed25519, so that there is none to choose wrongly.

use std::collections::HashMap;

use pasetors::{
    Public,
    keys::{AsymmetricPublicKey, AsymmetricSecretKey},
    token::UntrustedToken,
    version4::{PublicToken, V4},
};
use serde::{Deserialize, Serialize};

use super::{
    Claims, KeyError, TokenError, TokenSigner, TokenVerifier,
    keys::{key_id, public_key, secret_key},
};

/// A footer is read before anything is verified, so it is kept short.
const MAX_FOOTER_BYTES: usize = 256;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Footer {
    kid: String,
}

/// What the signature covers besides the token: a token of another stage does not verify.
fn implicit_assertion(stage: &str) -> String {
    format!("simplebank/{stage}/access/v1")
}

/// Signs with one key.
pub struct PasetoSigner {
    key: AsymmetricSecretKey<V4>,
    footer: String,
    assertion: String,
}

impl PasetoSigner {
    /// A signer for one stage.
    ///
    /// # Errors
    /// When the key is not PASERK `k4.secret`.
    pub fn new(stage: &str, secret_paserk: &str) -> Result<Self, KeyError> {
        let key = secret_key(secret_paserk)?;
        let public = AsymmetricPublicKey::try_from(&key).map_err(|_| KeyError::Secret)?;
        let footer = serde_json::to_string(&Footer { kid: key_id(&public)? })
            .map_err(|_| KeyError::Secret)?;
        Ok(Self { key, footer, assertion: implicit_assertion(stage) })
    }
}

impl TokenSigner for PasetoSigner {
    fn sign(&self, claims: &Claims) -> Result<String, TokenError> {
        let message = serde_json::to_vec(claims).map_err(|_| TokenError::Signing)?;
        PublicToken::sign(
            &self.key,
            &message,
            Some(self.footer.as_bytes()),
            Some(self.assertion.as_bytes()),
        )
        .map_err(|_| TokenError::Signing)
    }
}

/// Verifies by the key that the footer names, out of a fixed set.
pub struct PasetoVerifier {
    keys: HashMap<String, AsymmetricPublicKey<V4>>,
    assertion: String,
}

impl PasetoVerifier {
    /// A verifier for one stage, by each of these keys.
    ///
    /// # Errors
    /// When a key is not PASERK `k4.public`.
    pub fn new(stage: &str, public_paserks: &[String]) -> Result<Self, KeyError> {
        let keys = public_paserks
            .iter()
            .map(|paserk| {
                let key = public_key(paserk)?;
                Ok((key_id(&key)?, key))
            })
            .collect::<Result<_, KeyError>>()?;
        Ok(Self { keys, assertion: implicit_assertion(stage) })
    }
}

impl TokenVerifier for PasetoVerifier {
    fn verify(&self, token: &str) -> Result<Claims, TokenError> {
        let untrusted =
            UntrustedToken::<Public, V4>::try_from(token).map_err(|_| TokenError::Invalid)?;
        let footer = untrusted.untrusted_footer();
        if footer.len() > MAX_FOOTER_BYTES {
            return Err(TokenError::Invalid);
        }
        let footer: Footer = serde_json::from_slice(footer).map_err(|_| TokenError::Invalid)?;
        let key = self.keys.get(&footer.kid).ok_or(TokenError::Invalid)?;
        let trusted = PublicToken::verify(key, &untrusted, None, Some(self.assertion.as_bytes()))
            .map_err(|_| TokenError::Invalid)?;
        serde_json::from_str(trusted.payload()).map_err(|_| TokenError::Invalid)
    }
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;
    use uuid::Uuid;

    use super::*;
    use crate::{
        auth::generate_keys,
        domain::{Caller, SessionId, Username},
    };

    fn claims() -> Claims {
        let caller = Caller {
            username: Username::parse("alice").unwrap(),
            session_id: SessionId(Uuid::from_u128(7)),
        };
        let now = OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap();
        Claims::new(&caller, Uuid::from_u128(8), now, std::time::Duration::from_mins(10))
    }

    #[test]
    fn what_was_signed_verifies_under_both_keys_of_a_rotation() {
        let (old_secret, old_public) = generate_keys().unwrap();
        let (new_secret, new_public) = generate_keys().unwrap();
        let verifier = PasetoVerifier::new("dev", &[new_public, old_public]).unwrap();
        for secret in [old_secret, new_secret] {
            let token = PasetoSigner::new("dev", &secret).unwrap().sign(&claims()).unwrap();
            assert!(token.starts_with("v4.public."));
            assert_eq!(verifier.verify(&token), Ok(claims()));
        }
    }

    #[test]
    fn forgeries_do_not_verify() {
        let (secret, public) = generate_keys().unwrap();
        let (other_secret, _) = generate_keys().unwrap();
        let verifier = PasetoVerifier::new("dev", &[public]).unwrap();
        let good = PasetoSigner::new("dev", &secret).unwrap().sign(&claims()).unwrap();
        let (body, footer) = good.rsplit_once('.').unwrap();

        let other_key = PasetoSigner::new("dev", &other_secret).unwrap().sign(&claims()).unwrap();
        let other_key_own_footer = format!("{}.{footer}", other_key.rsplit_once('.').unwrap().0);
        let other_stage = PasetoSigner::new("prod", &secret).unwrap().sign(&claims()).unwrap();
        let flipped = {
            let mut bytes = good.clone().into_bytes();
            bytes[20] = if bytes[20] == b'A' { b'B' } else { b'A' };
            String::from_utf8(bytes).unwrap()
        };
        let long_footer = {
            let key = secret_key(&secret).unwrap();
            let footer = format!("{{\"kid\":\"{}\"}}", "x".repeat(300));
            PublicToken::sign(
                &key,
                b"{}",
                Some(footer.as_bytes()),
                Some(b"simplebank/dev/access/v1"),
            )
            .unwrap()
        };
        for forged in [
            "",
            "v4.public.",
            "v4.public.AAAA",
            body,
            &format!("{body}."),
            &good.replacen("v4", "v2", 1),
            &good.replacen("v4", "v3", 1),
            &good.replacen("public", "local", 1),
            "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9.",
            &other_key,
            &other_key_own_footer,
            &other_stage,
            &flipped,
            &long_footer,
        ] {
            assert_eq!(verifier.verify(forged), Err(TokenError::Invalid), "{forged}");
        }
    }
}
