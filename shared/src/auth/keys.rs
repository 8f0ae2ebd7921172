//! Keys in PASERK's text forms (<https://github.com/paseto-standard/paserk>), whatever the tokens
//! that are made with them look like.

use std::{collections::HashMap, fmt};

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
    /// Not PASERK `k4.local`.
    #[error("the renewal key is not PASERK k4.local")]
    Renewal,
    /// Not a keyring's JSON.
    #[error("the keyring is not JSON with current and previous, each with access and renewal")]
    Keyring,
    /// The system gave no random bytes.
    #[error("no key could be made")]
    Generation,
}

/// The Ed25519 key that signs access tokens. `Debug` shows its public name only.
#[derive(Clone)]
pub struct SigningKey {
    secret: AsymmetricSecretKey<V4>,
    public: AsymmetricPublicKey<V4>,
    id: String,
}

impl SigningKey {
    /// Reads PASERK `k4.secret`.
    ///
    /// # Errors
    /// When the text is anything else.
    pub fn parse(paserk: &str) -> Result<Self, KeyError> {
        let secret = AsymmetricSecretKey::try_from(paserk).map_err(|_| KeyError::Secret)?;
        let public = AsymmetricPublicKey::try_from(&secret).map_err(|_| KeyError::Secret)?;
        let id = key_id(&public)?;
        Ok(Self { secret, public, id })
    }

    /// A new key.
    ///
    /// # Errors
    /// [`KeyError::Generation`] without random bytes.
    pub fn generate() -> Result<Self, KeyError> {
        Self::parse(&generate_keys()?.0)
    }

    /// What tokens call the key by: PASERK `k4.pid`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The key that verifies what this one signs, as PASERK `k4.public`.
    ///
    /// # Errors
    /// Never in practice.
    pub fn public_text(&self) -> Result<String, KeyError> {
        text(&self.public)
    }

    pub(super) fn secret_text(&self) -> Result<String, KeyError> {
        text(&self.secret)
    }

    pub(super) fn secret(&self) -> &AsymmetricSecretKey<V4> {
        &self.secret
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SigningKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The public keys that access tokens are verified by. A token names one of them and is verified by
/// that one or not at all.
#[derive(Debug, Clone)]
pub struct VerificationKeys(HashMap<String, AsymmetricPublicKey<V4>>);

impl VerificationKeys {
    /// Reads texts of PASERK `k4.public`.
    ///
    /// # Errors
    /// When one of the texts is anything else.
    pub fn parse<T: AsRef<str>>(paserks: &[T]) -> Result<Self, KeyError> {
        let keys = paserks.iter().map(|paserk| {
            let key =
                AsymmetricPublicKey::try_from(paserk.as_ref()).map_err(|_| KeyError::Public)?;
            Ok((key_id(&key)?, key))
        });
        keys.collect::<Result<_, KeyError>>().map(Self)
    }

    /// The key of this name, if there is one.
    pub(super) fn get(&self, id: &str) -> Option<&AsymmetricPublicKey<V4>> {
        self.0.get(id)
    }
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
    text(&generate_symmetric_key()?)
}

pub(super) fn generate_symmetric_key() -> Result<SymmetricKey<V4>, KeyError> {
    SymmetricKey::generate().map_err(|_| KeyError::Generation)
}

pub(super) fn symmetric_key(paserk: &str, error: KeyError) -> Result<SymmetricKey<V4>, KeyError> {
    SymmetricKey::try_from(paserk).map_err(|_| error)
}

/// The name that a token calls its key by: PASERK `k4.pid`.
fn key_id(key: &AsymmetricPublicKey<V4>) -> Result<String, KeyError> {
    text(&Id::from(key))
}

pub(super) fn text(key: &impl FormatAsPaserk) -> Result<String, KeyError> {
    let mut text = String::new();
    key.fmt(&mut text).map_err(|_| KeyError::Generation)?;
    Ok(text)
}
