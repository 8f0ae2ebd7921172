//! Access tokens, whatever they look like: which makers of them there are, and who may use one for
//! what.
//!
//! What somebody can do with a maker depends on the key that they hold: log-in and renewal hold a
//! [`TokenSigner`], everybody else at most a [`TokenVerifier`].

use std::str::FromStr;

use super::{
    Claims, SigningKey, TokenError, TokenMaker, VerificationKeys, jwt::JwtMaker,
    paseto::PasetoMaker,
};

/// The longest token of ours has about 600 bytes; what is longer than this is not even decoded.
const MAX_TOKEN_BYTES: usize = 2048;

/// What access tokens look like. It is a setting; a token is never asked what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TokenFormat {
    /// PASETO v4.public.
    #[default]
    Paseto,
    /// JWT, signed by `EdDSA`.
    Jwt,
}

impl TokenFormat {
    /// The maker of such tokens for one stage.
    #[must_use]
    pub fn maker(self, stage: &str) -> Box<dyn TokenMaker> {
        match self {
            Self::Paseto => Box::new(PasetoMaker::new(stage)),
            Self::Jwt => Box::new(JwtMaker::new(stage)),
        }
    }
}

/// The text is no format of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be paseto or jwt")]
pub struct UnknownFormat;

impl FromStr for TokenFormat {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "paseto" => Ok(Self::Paseto),
            "jwt" => Ok(Self::Jwt),
            _ => Err(UnknownFormat),
        }
    }
}

/// Makes access tokens.
pub struct TokenSigner {
    maker: Box<dyn TokenMaker>,
    key: SigningKey,
}

impl TokenSigner {
    /// A signer for one stage, by one key.
    #[must_use]
    pub fn new(format: TokenFormat, stage: &str, key: SigningKey) -> Self {
        Self { maker: format.maker(stage), key }
    }

    /// Signs the claims.
    ///
    /// # Errors
    /// [`TokenError::Signing`] when the signing library fails, which is a defect.
    pub fn sign(&self, claims: &Claims) -> Result<String, TokenError> {
        self.maker.sign(&self.key, claims)
    }
}

/// Reads access tokens.
pub struct TokenVerifier {
    maker: Box<dyn TokenMaker>,
    keys: VerificationKeys,
}

impl TokenVerifier {
    /// A verifier for one stage, by any of these keys.
    #[must_use]
    pub fn new(format: TokenFormat, stage: &str, keys: VerificationKeys) -> Self {
        Self { maker: format.maker(stage), keys }
    }

    /// Verifies the signature and returns the claims, which the caller of this still has to judge
    /// by [`Claims::caller`].
    ///
    /// # Errors
    /// [`TokenError::Invalid`], whatever is wrong with the token.
    pub fn verify(&self, token: &str) -> Result<Claims, TokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::Invalid);
        }
        self.maker.verify(&self.keys, token)
    }
}

/// The token in the header `Authorization`, after the scheme, which is told apart without regard to case
/// (RFC 9110, 11.1).
#[must_use]
pub fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

#[cfg(test)]
mod tests;
