//! Cursors as PASETO v4.local (<https://github.com/paseto-standard/paseto-spec>): encrypted, since
//! a position tells how much happens in the bank, and authenticated, so that a client can continue
//! a list but not aim into it.

use pasetors::{
    Local,
    keys::SymmetricKey,
    token::UntrustedToken,
    version4::{LocalToken, V4},
};

use super::{KeyError, keys::symmetric_key};
use crate::domain::{Caller, History, Invalid, Position, Sliced, Username};

/// The longest cursor is 120 bytes; what is longer is not even decoded.
const MAX_CURSOR_BYTES: usize = 512;

/// A cursor could not be made: the system gave no random bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a cursor could not be sealed")]
pub struct SealError;

/// Makes and reads the cursors of one stage. A cursor is of use to one user, in one list, for as
/// long as the key is: it gives nobody a right that they have not, so that it need not expire.
pub struct CursorSealer {
    key: SymmetricKey<V4>,
    stage: String,
}

impl CursorSealer {
    /// A sealer for one stage.
    ///
    /// # Errors
    /// When the key is not PASERK `k4.local`.
    pub fn new(stage: &str, paserk: &str) -> Result<Self, KeyError> {
        Ok(Self { key: symmetric_key(paserk, KeyError::Cursor)?, stage: stage.to_owned() })
    }

    /// The cursor that continues a list after this part of it, if it goes on.
    ///
    /// # Errors
    /// Without random bytes.
    pub fn next<T>(
        &self,
        caller: &Caller,
        list: History,
        sliced: &Sliced<T>,
    ) -> Result<Option<String>, SealError> {
        sliced.next.map(|position| self.seal(&caller.username, list, position)).transpose()
    }

    /// The cursor that continues a list after a row.
    ///
    /// # Errors
    /// Without random bytes.
    pub fn seal(
        &self,
        username: &Username,
        list: History,
        position: Position,
    ) -> Result<String, SealError> {
        let message = position.0.to_string();
        let assertion = self.assertion(username, list);
        LocalToken::encrypt(&self.key, message.as_bytes(), None, Some(assertion.as_bytes()))
            .map_err(|_| SealError)
    }

    /// Where a list goes on.
    ///
    /// # Errors
    /// When the cursor was not made by [`seal`](Self::seal) for this user and this list.
    pub fn open(
        &self,
        username: &Username,
        list: History,
        cursor: &str,
    ) -> Result<Position, Invalid> {
        self.position(username, list, cursor)
            .ok_or(Invalid::from("must be a next_cursor of the same list"))
    }

    fn position(&self, username: &Username, list: History, cursor: &str) -> Option<Position> {
        // A dot at the end stands for an empty footer: the same cursor in other letters.
        if cursor.len() > MAX_CURSOR_BYTES || cursor.ends_with('.') {
            return None;
        }
        let untrusted = UntrustedToken::<Local, V4>::try_from(cursor).ok()?;
        let assertion = self.assertion(username, list);
        let trusted = LocalToken::decrypt(&self.key, &untrusted, None, Some(assertion.as_bytes()));
        trusted.ok()?.payload().parse().ok().map(Position)
    }

    /// What a cursor is bound to without containing it.
    fn assertion(&self, username: &Username, list: History) -> String {
        let list = match list {
            History::Entries(account) => format!("entries/{}", account.0),
            History::Transfers => "transfers".to_owned(),
            History::TransfersOf(account) => format!("transfers/{}", account.0),
        };
        format!("simplebank/{}/cursor/v1/{username}/{list}", self.stage)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{auth::generate_cursor_key, domain::AccountId};

    const LIST: History = History::Entries(AccountId(7));

    fn alice() -> Username {
        Username::parse("alice").unwrap()
    }

    #[test]
    fn a_sealed_position_is_opened_and_not_shown() {
        let sealer = CursorSealer::new("dev", &generate_cursor_key().unwrap()).unwrap();
        for position in [1, 41, i64::MAX].map(Position) {
            let cursor = sealer.seal(&alice(), LIST, position).unwrap();
            assert_eq!(sealer.open(&alice(), LIST, &cursor), Ok(position));
            assert!(cursor.len() <= 120, "{cursor}");
            assert_ne!(cursor, sealer.seal(&alice(), LIST, position).unwrap());
        }
    }

    #[test]
    fn a_cursor_is_of_use_to_one_user_in_one_list() {
        let key = generate_cursor_key().unwrap();
        let sealer = CursorSealer::new("dev", &key).unwrap();
        let lists = [
            LIST,
            History::Entries(AccountId(8)),
            History::Transfers,
            History::TransfersOf(AccountId(7)),
            History::TransfersOf(AccountId(8)),
        ];
        let bob = Username::parse("bob").unwrap();
        let elsewhere = CursorSealer::new("prod", &key).unwrap();
        let rotated = CursorSealer::new("dev", &generate_cursor_key().unwrap()).unwrap();
        for (index, list) in lists.into_iter().enumerate() {
            let cursor = sealer.seal(&alice(), list, Position(41)).unwrap();
            for (other_index, other) in lists.into_iter().enumerate() {
                let opened = sealer.open(&alice(), other, &cursor);
                assert_eq!(opened.is_ok(), index == other_index, "{list:?} as {other:?}");
            }
            assert!(sealer.open(&bob, list, &cursor).is_err());
            assert!(elsewhere.open(&alice(), list, &cursor).is_err());
            assert!(rotated.open(&alice(), list, &cursor).is_err());
        }
    }

    #[test]
    fn what_was_changed_or_made_up_is_no_cursor() {
        let sealer = CursorSealer::new("dev", &generate_cursor_key().unwrap()).unwrap();
        let good = sealer.seal(&alice(), LIST, Position(41)).unwrap();
        for index in 0..good.len() {
            let mut bytes = good.clone().into_bytes();
            bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert!(sealer.open(&alice(), LIST, &changed).is_err(), "{changed}");
            assert!(sealer.open(&alice(), LIST, &good[..index]).is_err(), "{index} bytes");
        }
        for made_up in [
            "41",
            "v4.local.",
            "v4.local.AAAA",
            "v4.public.AAAA.BBBB",
            &format!("{good}."),
            &format!("{good}.e30"),
            &format!("{good}="),
            &good.replacen("v4", "v2", 1),
            &"A".repeat(1_000_000),
        ] {
            assert!(sealer.open(&alice(), LIST, made_up).is_err());
        }
    }

    #[test]
    fn only_a_local_key_seals() {
        for key in ["", "k4.local.", "k4.local.AAAA", "k4.public.AAAA", "secret"] {
            assert_eq!(CursorSealer::new("dev", key).err(), Some(KeyError::Cursor), "{key}");
        }
    }
}
