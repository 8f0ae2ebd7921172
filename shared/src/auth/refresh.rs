//! Refresh tokens: random bytes without meaning, so that one can never pass as an access token.

use std::fmt;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac, digest::Key};
use sha2::{Digest, Sha256};

use super::TokenError;

const BYTES: usize = 32;

/// 256 bits in base64url. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshToken(String);

impl RefreshToken {
    /// The first token of a session, from the operating system.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; BYTES];
        getrandom::fill(&mut bytes)?;
        Ok(Self::of(&bytes))
    }

    /// Takes what somebody shows as a refresh token.
    ///
    /// # Errors
    /// [`TokenError::Invalid`] when it cannot be one.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| TokenError::Invalid)?;
        if bytes.len() == BYTES { Ok(Self(text.to_owned())) } else { Err(TokenError::Invalid) }
    }

    /// What is stored in its place: SHA-256 of its text. A slow hash would add nothing to 256
    /// random bits.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }

    /// The token itself, for the one answer that hands it out.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    fn of(bytes: &[u8]) -> Self {
        Self(BASE64_URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("RefreshToken(…)")
    }
}

/// What successors are derived by. `Debug` does not show it.
#[derive(Clone)]
pub struct RenewalKeys {
    current: [u8; 32],
    previous: Option<[u8; 32]>,
}

impl RenewalKeys {
    /// The key of new successors and, while keys are being rotated, the one before it.
    #[must_use]
    pub fn new(current: [u8; 32], previous: Option<[u8; 32]>) -> Self {
        Self { current, previous }
    }

    /// The token that takes a token's place: HMAC-SHA-256 of its text, so that whoever shows the same
    /// token again gets the same successor and nobody else can know it.
    #[must_use]
    pub fn successor(&self, token: &RefreshToken) -> RefreshToken {
        successor(&self.current, token)
    }

    /// The successor whose hash this is, be it derived by the key before.
    #[must_use]
    pub fn known_successor(&self, token: &RefreshToken, hash: [u8; 32]) -> Option<RefreshToken> {
        [Some(&self.current), self.previous.as_ref()]
            .into_iter()
            .flatten()
            .map(|key| successor(key, token))
            .find(|successor| successor.hash() == hash)
    }
}

impl fmt::Debug for RenewalKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("RenewalKeys(…)")
    }
}

fn successor(key: &[u8; 32], token: &RefreshToken) -> RefreshToken {
    // A key is filled up with zeros to the hash's block (RFC 2104, section 2).
    let mut block = Key::<Hmac<Sha256>>::default();
    block.iter_mut().zip(key).for_each(|(place, byte)| *place = *byte);
    let mut mac = Hmac::<Sha256>::new(&block);
    mac.update(b"simplebank/refresh/v1/");
    mac.update(token.0.as_bytes());
    RefreshToken::of(&mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn successors_depend_on_token_and_key_alone() {
        let (first, second) =
            (RefreshToken::generate().unwrap(), RefreshToken::generate().unwrap());
        let old = RenewalKeys::new([1; 32], None);
        let rotated = RenewalKeys::new([2; 32], Some([1; 32]));

        let successor = old.successor(&first);
        assert_eq!(old.successor(&first), successor);
        assert_ne!(old.successor(&second), successor);
        assert_ne!(rotated.successor(&first), successor);
        assert_eq!(RefreshToken::parse(successor.expose()), Ok(successor.clone()));

        assert_eq!(rotated.known_successor(&first, successor.hash()), Some(successor.clone()));
        assert_eq!(rotated.known_successor(&second, successor.hash()), None);
        let retired = RenewalKeys::new([2; 32], None);
        assert_eq!(retired.known_successor(&first, successor.hash()), None);
    }

    #[test]
    fn only_what_could_be_one_is_taken() {
        let good = RefreshToken::generate().unwrap();
        assert_eq!(RefreshToken::parse(good.expose()), Ok(good.clone()));
        let padded = format!("{}=", good.expose());
        for bad in ["", "v4.public.AAAA", &good.expose()[1..], &padded, &"é".repeat(20)] {
            assert_eq!(RefreshToken::parse(bad), Err(TokenError::Invalid), "{bad}");
        }
    }

    #[test]
    fn nothing_secret_is_shown() {
        let token = RefreshToken::generate().unwrap();
        let shown = format!("{token:?} {:?}", RenewalKeys::new([7; 32], None));
        assert_eq!(shown, "RefreshToken(…) RenewalKeys(…)");
    }
}
