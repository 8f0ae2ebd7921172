//! The codes that verify addresses.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::domain::Invalid;

/// 128 random bits in 32 hexadecimal digits. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct VerificationCode(String);

impl VerificationCode {
    const DIGITS: usize = 32;

    /// A new code, from the operating system.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; Self::DIGITS / 2];
        getrandom::fill(&mut bytes)?;
        Ok(Self(format!("{:032x}", u128::from_be_bytes(bytes))))
    }

    /// Takes what somebody shows as a code.
    ///
    /// # Errors
    /// When it cannot be one.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() == Self::DIGITS && text.bytes().all(is_digit) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid::from("must be the code in the mail, 32 of 0-9 and a-f"))
        }
    }

    /// What is stored in its place: SHA-256 of its text.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }

    /// The code itself, for the mail and the page.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for VerificationCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("VerificationCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_could_be_one_is_taken() {
        let code = VerificationCode::generate().unwrap();
        assert_eq!(VerificationCode::parse(code.expose()), Ok(code.clone()));
        assert_ne!(VerificationCode::generate().unwrap(), code);
        assert_eq!(format!("{code:?}"), "VerificationCode(…)");
        let upper = "A".repeat(32);
        let (short, long) = ("a".repeat(31), "a".repeat(33));
        for bad in ["", &short, &long, &upper, &"é".repeat(16), &format!("{}\n", "a".repeat(31))] {
            assert!(VerificationCode::parse(bad).is_err(), "{bad:?}");
        }
    }
}
