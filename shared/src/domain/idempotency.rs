//! The client's name for one intended effect.

use super::Invalid;

/// An `Idempotency-Key`: 16 to 64 of `[A-Za-z0-9_-]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Checks a key.
    ///
    /// # Errors
    /// When its length or a character is not allowed.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if (16..=64).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid::from("must be 16 to 64 of the characters A-Z, a-z, 0-9, _ and -"))
        }
    }

    /// The key as it was sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_a_shape() {
        for key in ["0123456789abcdef", "A-Z_a-z-0123456789", &"k".repeat(64)] {
            assert!(IdempotencyKey::parse(key).is_ok(), "{key}");
        }
        for key in ["", "0123456789abcde", &"k".repeat(65), "0123456789abcde/", "0123456789abcdé0"]
        {
            assert!(IdempotencyKey::parse(key).is_err(), "{key}");
        }
    }
}
