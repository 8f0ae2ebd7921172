//! Every way in which the bank says no: one closed set.
//!
//! What becomes of each (status, code, words) is decided once, in `http::problem`. A cause is kept
//! for the log and never shown to a client.

use std::time::Duration;

use crate::{
    auth::{HashError, SealError, TokenError},
    domain::{Refusal, Violation},
    store::{StoreError, Unique},
    tasks::{MailError, PublishError, Unwritable},
};

/// A request that was not done.
#[derive(Debug, thiserror::Error)]
pub enum BankError {
    /// The request could not be read. The text is shown to the client.
    #[error("malformed request: {0}")]
    Malformed(&'static str),
    /// Fields are not what they must be; all of them at once.
    #[error("invalid fields: {}", fields(.0))]
    InvalidArgument(Vec<Violation>),
    /// The route needs an `Idempotency-Key`.
    #[error("no idempotency key")]
    IdempotencyKeyMissing,
    /// The body is larger than the bank reads.
    #[error("the body is too large")]
    PayloadTooLarge,
    /// The body is not JSON, or it is compressed.
    #[error("the body is not JSON")]
    UnsupportedMediaType,
    /// No token came with the request.
    #[error("no access token")]
    Unauthenticated,
    /// What was shown as a token is none of this bank's.
    #[error("invalid token")]
    InvalidToken,
    /// The access token was good once.
    #[error("the access token has expired")]
    TokenExpired,
    /// The caller's session has been revoked or has expired.
    #[error("the session has ended")]
    SessionEnded,
    /// The name or the password is wrong: nobody is told which.
    #[error("wrong username or password")]
    InvalidCredentials,
    /// The caller may know of it, but not change it so.
    #[error("permission denied")]
    PermissionDenied,
    /// The caller's address has to be verified first.
    #[error("the e-mail address is not verified")]
    EmailNotVerified,
    /// It does not exist, or it is not the caller's: nobody is told which.
    #[error("not found")]
    NotFound,
    /// A verification code was used, has expired, was superseded or guessed at too often.
    #[error("the code is spent")]
    CodeSpent,
    /// Something that must be unique is taken.
    #[error("taken: {0:?}")]
    Taken(Unique),
    /// A rule of money forbids it.
    #[error("{refusal}")]
    Refused {
        /// The rule.
        refusal: Refusal,
        /// Whether this is the first answer given again.
        is_replay: bool,
    },
    /// The idempotency key stands for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// Another request is at work under the same idempotency key.
    #[error("a request under this idempotency key is in flight")]
    RequestInFlight,
    /// Too many passwords were wrong. For so long none is looked at, be it right.
    #[error("too many failures: locked for {}s", .0.as_secs())]
    TooManyFailures(Duration),
    /// Enough mails have been asked for. For so long there is none.
    #[error("no further mail for {}s", .0.as_secs())]
    TooManyMails(Duration),
    /// It may work later. Nothing was done.
    #[error("unavailable")]
    Unavailable(#[source] Cause),
    /// It may have been done, or not.
    #[error("the outcome is unknown")]
    OutcomeUnknown(#[source] Cause),
    /// A defect of the bank.
    #[error("internal error")]
    Internal(#[source] Cause),
}

/// What lay beneath an error, for the log.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

impl From<StoreError> for BankError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::SessionEnded | StoreError::TokenReused(_) => Self::SessionEnded,
            StoreError::NotFound => Self::NotFound,
            StoreError::PermissionDenied => Self::PermissionDenied,
            StoreError::EmailNotVerified => Self::EmailNotVerified,
            StoreError::CodeSpent => Self::CodeSpent,
            StoreError::TooManyMails(duration) => Self::TooManyMails(duration),
            StoreError::Taken(unique) => Self::Taken(unique),
            StoreError::Locked(duration) => Self::TooManyFailures(duration),
            StoreError::ProofOutdated => Self::InvalidCredentials,
            StoreError::KeyReused => Self::KeyReused,
            StoreError::RequestInFlight => Self::RequestInFlight,
            StoreError::Unavailable(_) => Self::Unavailable(error.into()),
            StoreError::OutcomeUnknown(_) => Self::OutcomeUnknown(error.into()),
            StoreError::Defect(_) | StoreError::Inconsistent { .. } => Self::Internal(error.into()),
        }
    }
}

impl From<PublishError> for BankError {
    fn from(error: PublishError) -> Self {
        Self::Unavailable(error.into())
    }
}

impl From<MailError> for BankError {
    fn from(error: MailError) -> Self {
        Self::Unavailable(error.into())
    }
}

impl From<Unwritable> for BankError {
    fn from(error: Unwritable) -> Self {
        Self::Internal(error.into())
    }
}

impl From<HashError> for BankError {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Busy => Self::Unavailable(error.into()),
            HashError::Argon2(_) | HashError::Thread(_) => Self::Internal(error.into()),
        }
    }
}

impl From<TokenError> for BankError {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Invalid => Self::InvalidToken,
            TokenError::Expired => Self::TokenExpired,
            TokenError::Signing => Self::Internal(error.into()),
        }
    }
}

impl From<SealError> for BankError {
    fn from(error: SealError) -> Self {
        Self::Internal(error.into())
    }
}

fn fields(violations: &[Violation]) -> String {
    let names: Vec<&str> = violations.iter().map(|violation| violation.field.as_str()).collect();
    names.join(", ")
}
