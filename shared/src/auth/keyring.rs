//! The bank's own keys in two generations: one that works, and at most one that still has to be
//! understood. The text of a keyring is a secret as a whole.

use std::fmt;

use pasetors::{keys::SymmetricKey, version4::V4};
use serde::{Deserialize, Serialize};

use super::{
    KeyError, RenewalKeys, SigningKey, TokenFormat, TokenSigner,
    keys::{generate_symmetric_key, symmetric_key, text},
    object::{Object, read_object},
};

/// The keys of log-in and renewal. `Debug` shows the names of the public ones only.
#[derive(Debug)]
pub struct Keyring {
    current: Generation,
    previous: Option<Generation>,
}

#[derive(Clone)]
struct Generation {
    /// Signs access tokens.
    access: SigningKey,
    /// Refresh tokens' successors are derived with it.
    renewal: SymmetricKey<V4>,
}

/// The text's form.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyringText<T> {
    current: T,
    previous: Option<T>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct GenerationText {
    access: String,
    renewal: String,
}

impl Keyring {
    /// Reads `{"current":{"access":"k4.secret.…","renewal":"k4.local.…"},"previous":{…}}`, where
    /// `previous` may be `null`.
    ///
    /// # Errors
    /// When the text is anything else. The error does not repeat it.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let text: KeyringText<Object<GenerationText>> =
            read_object(text.as_bytes()).ok_or(KeyError::Keyring)?;
        let previous = text.previous.map(|Object(previous)| Generation::parse(&previous));
        Ok(Self { current: Generation::parse(&text.current.0)?, previous: previous.transpose()? })
    }

    /// A new keyring, without a past.
    ///
    /// # Errors
    /// [`KeyError::Generation`] without random bytes.
    pub fn generate() -> Result<Self, KeyError> {
        Ok(Self { current: Generation::generate()?, previous: None })
    }

    /// The next keyring: new keys are current, the current ones previous, the previous ones gone.
    ///
    /// # Errors
    /// [`KeyError::Generation`] without random bytes.
    pub fn rotated(self) -> Result<Self, KeyError> {
        Ok(Self { current: Generation::generate()?, previous: Some(self.current) })
    }

    /// The same keyring without its past.
    #[must_use]
    pub fn retired(self) -> Self {
        Self { previous: None, ..self }
    }

    /// The keyring's text, which is a secret.
    ///
    /// # Errors
    /// Never in practice.
    pub fn expose(&self) -> Result<String, KeyError> {
        let previous = self.previous.as_ref().map(Generation::text).transpose()?;
        let text = KeyringText { current: self.current.text()?, previous };
        serde_json::to_string(&text).map_err(|_| KeyError::Keyring)
    }

    /// The keys that verify what any generation signs, as PASERK `k4.public`, the current one first.
    ///
    /// # Errors
    /// Never in practice.
    pub fn public_keys(&self) -> Result<Vec<String>, KeyError> {
        let generations = std::iter::once(&self.current).chain(&self.previous);
        generations.map(|generation| generation.access.public_text()).collect()
    }

    /// What signs access tokens: the current generation.
    #[must_use]
    pub fn signer(&self, format: TokenFormat, stage: &str) -> TokenSigner {
        TokenSigner::new(format, stage, self.current.access.clone())
    }

    /// What refresh tokens are renewed with.
    ///
    /// # Errors
    /// Never in practice: the keys were of this length when they were read.
    pub fn renewal_keys(&self) -> Result<RenewalKeys, KeyError> {
        let bytes = |generation: &Generation| {
            generation.renewal.as_bytes().try_into().map_err(|_| KeyError::Renewal)
        };
        let previous = self.previous.as_ref().map(bytes).transpose()?;
        Ok(RenewalKeys::new(bytes(&self.current)?, previous))
    }
}

impl Generation {
    fn parse(text: &GenerationText) -> Result<Self, KeyError> {
        let renewal = symmetric_key(&text.renewal, KeyError::Renewal)?;
        Ok(Self { access: SigningKey::parse(&text.access)?, renewal })
    }

    fn generate() -> Result<Self, KeyError> {
        Ok(Self { access: SigningKey::generate()?, renewal: generate_symmetric_key()? })
    }

    fn text(&self) -> Result<GenerationText, KeyError> {
        Ok(GenerationText { access: self.access.secret_text()?, renewal: text(&self.renewal)? })
    }
}

impl fmt::Debug for Generation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Generation").field(&self.access).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(keyring: &Keyring) -> String {
        keyring.expose().unwrap()
    }

    #[test]
    fn a_keyring_remembers_one_generation() {
        let first = Keyring::generate().unwrap();
        let first_key = first.public_keys().unwrap();
        assert_eq!(first_key.len(), 1);
        assert!(text(&first).ends_with(r#","previous":null}"#));

        let second = first.rotated().unwrap();
        let both = second.public_keys().unwrap();
        assert_eq!((both.len(), &both[1]), (2, &first_key[0]), "the current one is first");

        let read = Keyring::parse(&text(&second)).unwrap();
        assert_eq!(text(&read), text(&second));

        let third = second.rotated().unwrap();
        assert_eq!(third.public_keys().unwrap()[1], both[0]);
        assert!(!third.public_keys().unwrap().contains(&both[1]));
        assert_eq!(third.retired().public_keys().unwrap().len(), 1);
    }

    #[test]
    fn what_is_no_keyring_is_not_repeated() {
        let good = text(&Keyring::generate().unwrap().rotated().unwrap());
        let json: serde_json::Value = serde_json::from_str(&good).unwrap();
        let access = json["current"]["access"].as_str().unwrap();
        let renewal = json["current"]["renewal"].as_str().unwrap();
        for (text, error) in [
            ("", KeyError::Keyring),
            ("null", KeyError::Keyring),
            (access, KeyError::Keyring),
            (r#"{"previous":null}"#, KeyError::Keyring),
            (&good.replacen('{', r#"{"next":null,"#, 1), KeyError::Keyring),
            (&good.replacen("renewal", "refresh", 1), KeyError::Keyring),
            (&good.replacen(r#"{"access""#, r#"{"access":"","access""#, 1), KeyError::Keyring),
            (
                &format!(r#"{{"current":["{access}","{renewal}"],"previous":null}}"#),
                KeyError::Keyring,
            ),
            (&format!("[{good}]"), KeyError::Keyring),
            (&format!("{good}{good}"), KeyError::Keyring),
            (&good.replacen("k4.secret.", "k3.secret.", 1), KeyError::Secret),
            (&good.replacen("k4.secret.", "k4.secret.A", 1), KeyError::Secret),
            (&good.replacen("k4.local.", "k4.secret.", 1), KeyError::Renewal),
            (&good.replacen("k4.local.", "k4.local.A", 1), KeyError::Renewal),
        ] {
            assert_eq!(Keyring::parse(text).err(), Some(error), "{text}");
        }
        assert!(!KeyError::Keyring.to_string().contains("k4"));
    }

    #[test]
    fn debug_shows_no_secret() {
        let keyring = Keyring::generate().unwrap().rotated().unwrap();
        let shown = format!("{keyring:?} {:?}", keyring.renewal_keys().unwrap());
        assert!(shown.contains("k4.pid."), "{shown}");
        for secret in ["k4.secret", "k4.local"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}
