//! Users and what identifies them.

use std::{fmt, str::FromStr};

use email_address::{EmailAddress, Options};
use time::OffsetDateTime;

use super::Invalid;

/// A user's name: 3 to 100 of `[a-z0-9_]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Username(String);

impl Username {
    /// Checks a name.
    ///
    /// # Errors
    /// When its length or a character is not allowed.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if (3..=100).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid::from("must be 3 to 100 of the characters a-z, 0-9 and _"))
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Username {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What a person is called: 1 to 100 characters of any script, not all blank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FullName(String);

impl FullName {
    /// Checks a name.
    ///
    /// # Errors
    /// When it is empty, blank or too long, or holds a control character or mark-up.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if !(1..=100).contains(&text.chars().count()) {
            Err(Invalid::from("must be 1 to 100 characters"))
        } else if text.chars().any(char::is_control) {
            Err(Invalid::from("must not contain control characters"))
        } else if text.chars().any(is_unseen) {
            Err(Invalid::from("must not contain invisible characters"))
        } else if text.contains(['<', '>']) {
            // No name has them, and mark-up in a mail or on a page does.
            Err(Invalid::from("must not contain < or >"))
        } else if text.chars().all(is_blank) {
            Err(Invalid::from("must not be blank"))
        } else {
            Ok(Self(text.to_owned()))
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Characters that are not seen or change how others are: marks of direction, line separators, fillers, what
/// has no width or no meaning (Unicode's `Default_Ignorable_Code_Point` and `Noncharacter_Code_Point`, and
/// an empty cell of Braille). Joiners and selectors, which some scripts are written with, are not among them.
fn is_unseen(character: char) -> bool {
    matches!(
        character,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180e}'
            | '\u{200b}'
            | '\u{200e}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{fdd0}'..='\u{fdef}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{fffe}'..='\u{ffff}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e00ff}'
            | '\u{e01f0}'..='\u{e0fff}'
    ) || u32::from(character) & 0xfffe == 0xfffe
}

/// Characters of which alone nothing is seen: white space, joiners and selectors.
fn is_blank(character: char) -> bool {
    character.is_whitespace()
        || matches!(
            character,
            '\u{180b}'..='\u{180f}'
                | '\u{200c}'..='\u{200d}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{e0100}'..='\u{e01ef}'
        )
}

/// One e-mail address, at most 200 characters, kept as it was written and unique without regard to
/// case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Checks an address (RFC 5321, section 4.1.2, without display name, quotes and domain literal).
    ///
    /// # Errors
    /// When it is not exactly one address at a domain with a dot in it, or too long.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let options =
            Options::default().without_display_text().without_domain_literal().with_required_tld();
        // A quoted local part may hold blanks and more; nobody has one, and headers suffer from it. What
        // is not ASCII cannot be mailed to through SES.
        if text.chars().count() <= 200
            && text.is_ascii()
            && !text.contains('"')
            && EmailAddress::parse_with_options(text, options).is_ok()
        {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid::from("must be one e-mail address of at most 200 characters, in ASCII"))
        }
    }

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A password that somebody wants to set, or offers at log-in. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// The fewest guesses that an attacker must need, by the lists and rules of zxcvbn (Wheeler
    /// 2016). `Password1!` and `Welcome123` need some twenty thousand.
    const MIN_GUESSES: u64 = 100_000;
    /// How much of a password is looked at, from either end. The time that it takes grows faster than
    /// the square of the length: this is some 30 ms at most, of 128 characters it would be seconds.
    const LOOKED_AT_CHARS: usize = 24;

    /// Checks a password that is to be set by a user who has this name and address.
    ///
    /// # Errors
    /// When it is too short or too long, well known, or the user's name or address.
    pub fn choose(text: &str, username: &str, email: &str) -> Result<Self, Invalid> {
        if !(8..=128).contains(&text.chars().count()) {
            return Err(Invalid::from("must be 8 to 128 characters"));
        }
        let password = Self(text.to_owned());
        password.refuse_own(username)?;
        password.refuse_own(email)?;
        if is_well_known(text) {
            return Err(Invalid::from("must not be a well-known password"));
        }
        Ok(password)
    }

    /// Refuses a password that is the user's own name or address.
    ///
    /// # Errors
    /// When it is, in whatever case.
    pub fn refuse_own(&self, own: &str) -> Result<(), Invalid> {
        if !own.is_empty() && self.0.to_lowercase() == own.to_lowercase() {
            Err(Invalid::from("the password must not be the username or the e-mail"))
        } else {
            Ok(())
        }
    }

    /// Takes what somebody offers at log-in: whatever could not have been set is simply wrong.
    ///
    /// # Errors
    /// When it is empty or longer than any password.
    pub fn offer(text: &str) -> Result<Self, Invalid> {
        if (1..=128).contains(&text.chars().count()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid::from("must be 1 to 128 characters"))
        }
    }

    /// The secret itself, for hashing.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Whether a password is soon guessed: at its beginning and at its end, if it is long.
fn is_well_known(text: &str) -> bool {
    let is_weak =
        |part: &str| zxcvbn::zxcvbn(part, &["simplebank"]).guesses() < Password::MIN_GUESSES;
    let first: String = text.chars().take(Password::LOOKED_AT_CHARS).collect();
    let before_last = text.chars().count().saturating_sub(Password::LOOKED_AT_CHARS);
    let last: String = text.chars().skip(before_last).collect();
    is_weak(&first) && is_weak(&last)
}

impl fmt::Debug for Password {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Password(…)")
    }
}

/// What a user may do beyond their own accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Their own things only.
    Depositor,
    /// Reads users and mends their names.
    Banker,
}

impl Role {
    /// The name that clients and the database see.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Depositor => "depositor",
            Self::Banker => "banker",
        }
    }
}

impl FromStr for Role {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Depositor, Self::Banker]
            .into_iter()
            .find(|role| role.name() == text)
            .ok_or(Invalid::from("must be depositor or banker"))
    }
}

/// A user who is about to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUser {
    /// Their name, unique.
    pub username: Username,
    /// What they are called.
    pub full_name: FullName,
    /// Their address, unique without regard to case.
    pub email: Email,
    /// A PHC string.
    pub hashed_password: String,
}

/// A user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Their name.
    pub username: Username,
    /// What they are called.
    pub full_name: String,
    /// Their address.
    pub email: String,
    /// Whether they have shown that the address is theirs.
    pub is_email_verified: bool,
    /// What they may do.
    pub role: Role,
    /// When the password was last set; at first, when the user was created.
    pub password_changed_at: OffsetDateTime,
    /// When they signed up.
    pub created_at: OffsetDateTime,
}

/// What is to be changed of a user; the rest stays as it is.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct UserChanges {
    /// What they are called.
    pub full_name: Option<FullName>,
    /// Their address, which is not verified then.
    pub email: Option<Email>,
    /// A PHC string of a new password, which ends their other sessions.
    pub hashed_password: Option<String>,
    /// When the password was set that was proven: a new address and a new password need one.
    pub proven_changed_at: Option<OffsetDateTime>,
}

impl fmt::Debug for UserChanges {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("UserChanges")
            .field("full_name", &self.full_name)
            .field("email", &self.email)
            .finish_non_exhaustive()
    }
}

/// A user with what proves that it is them. `Debug` does not show the hash.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user.
    pub user: User,
    /// A PHC string.
    pub hashed_password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Credentials").field("user", &self.user).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usernames() {
        for valid in ["bob", "bob_1", "0_0", &"a".repeat(100)] {
            assert!(Username::parse(valid).is_ok(), "{valid}");
        }
        for invalid in ["", "ab", "Bob", "bob!", "böb", "bob ", "a--", &"a".repeat(101)] {
            assert!(Username::parse(invalid).is_err(), "{invalid}");
        }
    }

    #[test]
    fn full_names_of_any_script() {
        for valid in [
            "B",
            "Ada Lovelace",
            "李小龍",
            "محمد",
            "O'Neil-Smith",
            "می\u{200c}خواهم",
            "葛\u{e0100}城",
            &"名".repeat(100),
        ] {
            assert!(FullName::parse(valid).is_ok(), "{valid}");
        }
        for invalid in [
            "",
            "   ",
            "A\r\nBcc: x@y",
            "A\0",
            "A\u{7f}",
            "\u{200b}",
            "\u{200d}",
            "\u{fe0f}\u{e0100} ",
            "\u{3164}",
            "\u{2800}",
            "A\u{fffe}",
            "A\u{1ffff}",
            "A\u{e0020}",
            "A\u{202e}B",
            "A\u{2028}B",
            "<a href=//x>",
            &"名".repeat(101),
        ] {
            assert!(FullName::parse(invalid).is_err(), "{invalid:?}");
        }
    }

    #[test]
    fn emails_are_one_address() {
        for valid in ["a@b.co", "first.last+tag@sub.example.org"] {
            assert!(Email::parse(valid).is_ok(), "{valid}");
        }
        let long = format!("a@{}.org", "b".repeat(200));
        for invalid in [
            "",
            "a",
            "a@",
            "@b.co",
            "a@b",
            "Name <a@b.co>",
            "a@[1.2.3.4]",
            "a@b.co, c@d.co",
            "a@b.co\r\nBcc: x@y.co",
            "a b@c.co",
            "\"a b\"@c.co",
            "josé@b.co",
            "a@exämple.co",
            &long,
        ] {
            assert!(Email::parse(invalid).is_err(), "{invalid:?}");
        }
    }

    #[test]
    fn passwords_are_not_the_first_guesses() {
        for valid in [
            "correct horse battery staple",
            "kq7#mWp2",
            "пароль-который-я-помню",
            "aaaaaaaaaaaaaaaaaaaaaaaa but not at its end",
        ] {
            assert!(Password::choose(valid, "alice", "alice@example.com").is_ok(), "{valid}");
        }
        for invalid in [
            "short",
            "password",
            "12345678",
            "qwertyuiop",
            "Password1!",
            "Welcome123",
            "letmein123",
            "simplebank",
            "12345678901234567890",
            "qwertyuiopasdfghjkl",
            "abcdefghijklmnopqrstuvwxyz",
            "passwordpassword1",
            &"a".repeat(60),
            "Alice_The_Great",
            "alice@example.com",
            &"x".repeat(129),
        ] {
            let refused = Password::choose(invalid, "alice_the_great", "Alice@example.com");
            assert!(refused.is_err(), "{invalid}");
        }
        assert!(Password::choose("ÜBER@example.com", "alice", "über@example.com").is_err());
    }

    #[test]
    fn secrets_are_not_shown() {
        let password = Password::offer("planted-canary").unwrap();
        assert!(!format!("{password:?}").contains("canary"));
    }
}
