//! Access tokens as PASETO v4.public (<https://github.com/paseto-standard/paseto-spec>): one
//! algorithm, Ed25519, so that there is none to choose wrongly.

use pasetors::{
    Public,
    token::UntrustedToken,
    version4::{PublicToken, V4},
};
use serde::{Deserialize, Serialize};

use super::{
    Claims, SigningKey, TokenError, TokenMaker, VerificationKeys, maker::binding,
    object::read_object,
};

/// A footer is read before anything is verified, so it is kept short.
const MAX_FOOTER_BYTES: usize = 256;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Footer {
    kid: String,
}

/// Makes PASETOs for one stage.
pub(super) struct PasetoMaker {
    /// The implicit assertion: the signature covers it, the token does not contain it.
    assertion: String,
}

impl PasetoMaker {
    pub(super) fn new(stage: &str) -> Self {
        Self { assertion: binding(stage) }
    }

    fn read(&self, keys: &VerificationKeys, token: &str) -> Option<Claims> {
        let untrusted = UntrustedToken::<Public, V4>::try_from(token).ok()?;
        let footer = untrusted.untrusted_footer();
        if footer.len() > MAX_FOOTER_BYTES {
            return None;
        }
        let footer: Footer = read_object(footer)?;
        let key = keys.get(&footer.kid)?;
        let assertion = self.assertion.as_bytes();
        let trusted = PublicToken::verify(key, &untrusted, None, Some(assertion)).ok()?;
        read_object(trusted.payload().as_bytes())
    }
}

impl TokenMaker for PasetoMaker {
    fn sign(&self, key: &SigningKey, claims: &Claims) -> Result<String, TokenError> {
        let footer = Footer { kid: key.id().to_owned() };
        let footer = serde_json::to_vec(&footer).map_err(|_| TokenError::Signing)?;
        let message = serde_json::to_vec(claims).map_err(|_| TokenError::Signing)?;
        let assertion = self.assertion.as_bytes();
        PublicToken::sign(key.secret(), &message, Some(&footer), Some(assertion))
            .map_err(|_| TokenError::Signing)
    }

    fn verify(&self, keys: &VerificationKeys, token: &str) -> Result<Claims, TokenError> {
        self.read(keys, token).ok_or(TokenError::Invalid)
    }
}
