//! Access tokens as JWT (RFC 7519), signed by `EdDSA` with Ed25519 (RFC 8037) and nothing else.
//!
//! A JWT names its algorithm and may bring its own key along. Neither is listened to: the algorithm
//! is a constant here, keys are found by name in a fixed set, and a header that says anything but
//! that name is refused before `jsonwebtoken` sees the token.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    ACCESS_TOKEN_AUDIENCE, Claims, SigningKey, TokenError, TokenMaker, VerificationKeys, eddsa,
    maker::binding,
    object::{Object, read_object},
};

/// A header is read before anything is verified, so it is kept short. Ours has 99 bytes.
const MAX_HEADER_BYTES: usize = 256;

/// The one header there is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OnlyHeader {
    alg: String,
    typ: String,
    kid: String,
}

/// The claims as RFC 7519 writes them: dates are whole seconds.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct JwtClaims {
    iss: String,
    aud: String,
    sub: String,
    sid: Uuid,
    jti: Uuid,
    #[serde(with = "time::serde::timestamp")]
    iat: OffsetDateTime,
    #[serde(with = "time::serde::timestamp")]
    nbf: OffsetDateTime,
    #[serde(with = "time::serde::timestamp")]
    exp: OffsetDateTime,
}

/// Makes JWTs for one stage.
pub(super) struct JwtMaker {
    /// A JWT is bound to nothing that it does not contain, so the audience names the stage.
    audience: String,
    validation: Validation,
}

impl JwtMaker {
    pub(super) fn new(stage: &str) -> Self {
        eddsa::install();
        // The claims' type requires all of them, the audience is compared below, and `Claims::caller`
        // judges the dates, by the clock that everything else goes by. The library would ask the
        // system's, and lets a claim pass that is of the wrong kind.
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = false;
        Self { audience: binding(stage), validation }
    }

    fn read(&self, keys: &VerificationKeys, token: &str) -> Option<Claims> {
        let (header, _) = token.split_once('.')?;
        // Four letters stand for three bytes.
        if header.len().div_ceil(4).saturating_mul(3) > MAX_HEADER_BYTES {
            return None;
        }
        let header: OnlyHeader = read_object(&BASE64_URL_SAFE_NO_PAD.decode(header).ok()?)?;
        if header.alg != "EdDSA" || header.typ != "JWT" {
            return None;
        }
        let key = DecodingKey::from_ed_der(keys.get(&header.kid)?.as_bytes());
        let token = jsonwebtoken::decode(token, &key, &self.validation).ok()?;
        let Object(claims): Object<JwtClaims> = token.claims;
        (claims.aud == self.audience).then(|| claims.into())
    }
}

impl TokenMaker for JwtMaker {
    fn sign(&self, key: &SigningKey, claims: &Claims) -> Result<String, TokenError> {
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(key.id().to_owned());
        let claims = JwtClaims {
            iss: claims.iss.clone(),
            aud: self.audience.clone(),
            sub: claims.sub.clone(),
            sid: claims.sid,
            jti: claims.jti,
            iat: claims.iat,
            nbf: claims.nbf,
            exp: claims.exp,
        };
        let key = EncodingKey::from_ed_der(key.secret().as_bytes());
        jsonwebtoken::encode(&header, &claims, &key).map_err(|_| TokenError::Signing)
    }

    fn verify(&self, keys: &VerificationKeys, token: &str) -> Result<Claims, TokenError> {
        self.read(keys, token).ok_or(TokenError::Invalid)
    }
}

impl From<JwtClaims> for Claims {
    /// The audience has been compared with the stage's.
    fn from(claims: JwtClaims) -> Self {
        Self {
            iss: claims.iss,
            aud: ACCESS_TOKEN_AUDIENCE.to_owned(),
            sub: claims.sub,
            sid: claims.sid,
            jti: claims.jti,
            iat: claims.iat,
            nbf: claims.nbf,
            exp: claims.exp,
        }
    }
}
