//! What a maker of access tokens has to do, whatever its tokens look like.

use super::{Claims, SigningKey, TokenError, VerificationKeys};

/// Turns claims into a token and back. A maker works for one stage: a token of another one does
/// not verify.
pub trait TokenMaker: Send + Sync {
    /// Signs the claims.
    ///
    /// # Errors
    /// [`TokenError::Signing`] when the signing library fails, which is a defect.
    fn sign(&self, key: &SigningKey, claims: &Claims) -> Result<String, TokenError>;

    /// Verifies the signature and returns the claims, which the caller of this still has to judge
    /// by [`Claims::caller`].
    ///
    /// # Errors
    /// [`TokenError::Invalid`], whatever is wrong with the token.
    fn verify(&self, keys: &VerificationKeys, token: &str) -> Result<Claims, TokenError>;
}

/// What the signature of a token is bound to besides its claims.
pub(super) fn binding(stage: &str) -> String {
    format!("simplebank/{stage}/access/v1")
}
