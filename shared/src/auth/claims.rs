//! What an access token says, and the rules by which it is believed. How it is signed is the
//! maker's matter.

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::Uuid;

use crate::domain::{Caller, SessionId, Username};

/// Who gives the tokens out.
pub const ISSUER: &str = "simplebank";
/// Whom they are for.
pub const ACCESS_TOKEN_AUDIENCE: &str = "simplebank-api";

/// How far the clocks of two environments may differ. It helps a token that is new; an expired one
/// gets nothing.
const CLOCK_TOLERANCE: Duration = Duration::seconds(30);

/// What an access token says: the claims that PASETO and JWT have both registered, and `sid`. All of
/// them are required and there are no others. Serialized, it is what a PASETO contains.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    pub(super) iss: String,
    pub(super) aud: String,
    /// The username.
    pub(super) sub: String,
    /// The session that the token was given out in.
    pub(super) sid: Uuid,
    /// The token's own number.
    pub(super) jti: Uuid,
    #[serde(with = "time::serde::rfc3339")]
    pub(super) iat: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub(super) nbf: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub(super) exp: OffsetDateTime,
}

impl Claims {
    /// A token for this caller, valid from `now` for `ttl`.
    #[must_use]
    pub fn new(
        caller: &Caller,
        token_id: Uuid,
        now: OffsetDateTime,
        ttl: std::time::Duration,
    ) -> Self {
        // Tokens count whole seconds, as JWT's do.
        let now = now.replace_nanosecond(0).unwrap_or(now);
        Self {
            iss: ISSUER.to_owned(),
            aud: ACCESS_TOKEN_AUDIENCE.to_owned(),
            sub: caller.username.to_string(),
            sid: caller.session_id.0,
            jti: token_id,
            iat: now,
            nbf: now,
            exp: now.saturating_add(Duration::try_from(ttl).unwrap_or(Duration::MAX)),
        }
    }

    /// When the token stops being of use.
    #[must_use]
    pub fn expires_at(&self) -> OffsetDateTime {
        self.exp
    }

    /// Who may act by this token at `now`. The signature has been verified before.
    ///
    /// # Errors
    /// [`TokenError::Expired`] from the very second of expiry on; [`TokenError::Invalid`] for a
    /// claim that is not what this bank writes, or a token from more than 30 s in the future.
    pub fn caller(&self, now: OffsetDateTime) -> Result<Caller, TokenError> {
        let latest_start = now.saturating_add(CLOCK_TOLERANCE);
        if self.iss != ISSUER
            || self.aud != ACCESS_TOKEN_AUDIENCE
            || self.nbf > latest_start
            || self.iat > latest_start
        {
            return Err(TokenError::Invalid);
        }
        if self.exp <= now {
            return Err(TokenError::Expired);
        }
        let username = Username::parse(&self.sub).map_err(|_| TokenError::Invalid)?;
        Ok(Caller { username, session_id: SessionId(self.sid) })
    }

    /// The moment of expiry in RFC 3339, as the authorizer hands it on.
    #[must_use]
    pub fn expires_at_text(&self) -> String {
        self.exp.format(&Rfc3339).unwrap_or_default()
    }
}

/// Why a token is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It is not one that this stage of this bank has signed, or is not valid yet.
    #[error("the token is invalid")]
    Invalid,
    /// It was good once.
    #[error("the token has expired")]
    Expired,
    /// It could not be made.
    #[error("the token could not be signed")]
    Signing,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_judged_to_the_second() {
        let issued = OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap();
        let caller = Caller {
            username: Username::parse("alice").unwrap(),
            session_id: SessionId(Uuid::from_u128(1)),
        };
        let ttl = std::time::Duration::from_mins(10);
        let claims = Claims::new(&caller, Uuid::from_u128(2), issued, ttl);
        for (seconds, expected) in [
            (-31, Err(TokenError::Invalid)),
            (-30, Ok(caller.clone())),
            (0, Ok(caller.clone())),
            (599, Ok(caller.clone())),
            (600, Err(TokenError::Expired)),
            (100_000, Err(TokenError::Expired)),
        ] {
            let now = issued.saturating_add(Duration::seconds(seconds));
            assert_eq!(claims.caller(now), expected, "{seconds}");
        }
    }

    #[test]
    fn claims_of_others_are_refused() {
        let now = OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap();
        let caller = Caller {
            username: Username::parse("alice").unwrap(),
            session_id: SessionId(Uuid::from_u128(1)),
        };
        let good = Claims::new(&caller, Uuid::nil(), now, std::time::Duration::from_mins(1));
        for bad in [
            Claims { iss: "otherbank".to_owned(), ..good.clone() },
            Claims { aud: "simplebank-refresh".to_owned(), ..good.clone() },
            Claims { sub: "Not A Name".to_owned(), ..good.clone() },
        ] {
            assert_eq!(bad.caller(now), Err(TokenError::Invalid));
        }
    }
}
