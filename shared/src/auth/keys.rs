//! Keys in PASERK's text forms (<https://github.com/paseto-standard/paserk>).

use pasetors::{
    keys::{AsymmetricKeyPair, AsymmetricPublicKey, AsymmetricSecretKey, Generate, SymmetricKey},
    paserk::{FormatAsPaserk, Id},
    version4::V4,
};

/// A key that cannot be read or made. The text of a key is never repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not PASERK `k4.secret`.
    #[error("the signing key is not PASERK k4.secret")]
    Secret,
    /// Not PASERK `k4.public`.
    #[error("a verification key is not PASERK k4.public")]
    Public,
    /// Not PASERK `k4.local`.
    #[error("the cursors' key is not PASERK k4.local")]
    Cursor,
    /// The system gave no random bytes.
    #[error("no key could be made")]
    Generation,
}

/// A new Ed25519 pair: PASERK `k4.secret` and `k4.public`.
///
/// # Errors
/// [`KeyError::Generation`] without random bytes.
pub fn generate_keys() -> Result<(String, String), KeyError> {
    let pair = AsymmetricKeyPair::<V4>::generate().map_err(|_| KeyError::Generation)?;
    Ok((text(&pair.secret)?, text(&pair.public)?))
}

/// A new key for cursors: PASERK `k4.local`.
///
/// # Errors
/// [`KeyError::Generation`] without random bytes.
pub fn generate_cursor_key() -> Result<String, KeyError> {
    text(&SymmetricKey::<V4>::generate().map_err(|_| KeyError::Generation)?)
}

pub(super) fn secret_key(paserk: &str) -> Result<AsymmetricSecretKey<V4>, KeyError> {
    AsymmetricSecretKey::try_from(paserk).map_err(|_| KeyError::Secret)
}

pub(super) fn public_key(paserk: &str) -> Result<AsymmetricPublicKey<V4>, KeyError> {
    AsymmetricPublicKey::try_from(paserk).map_err(|_| KeyError::Public)
}

pub(super) fn cursor_key(paserk: &str) -> Result<SymmetricKey<V4>, KeyError> {
    SymmetricKey::try_from(paserk).map_err(|_| KeyError::Cursor)
}

/// The name that a token's footer calls its key by: PASERK `k4.pid`.
pub(super) fn key_id(key: &AsymmetricPublicKey<V4>) -> Result<String, KeyError> {
    text(&Id::from(key))
}

fn text(key: &impl FormatAsPaserk) -> Result<String, KeyError> {
    let mut text = String::new();
    key.fmt(&mut text).map_err(|_| KeyError::Generation)?;
    Ok(text)
}
