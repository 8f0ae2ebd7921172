//! Errors as `application/problem+json` (RFC 9457): the one place where a status, a code and the
//! words for a client are chosen.

use std::time::Duration;

use lambda_http::http::StatusCode;
use serde::Serialize;

use crate::{
    auth::TokenError,
    bank::BankError,
    domain::{Refusal, Violation},
    store::Unique,
};

// RFC 6750, section 3: `error` only where a token was sent.
const NO_TOKEN: &str = "Bearer";
const BAD_TOKEN: &str = "Bearer error=\"invalid_token\"";

const TYPE_BASE: &str = "https://simplebank.dev/problems/";

/// What a client is told of an error. All words are constants: never a driver's, never a value's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    detail: &'static str,
    challenge: Option<&'static str>,
    retry_after_secs: Option<u64>,
    violations: Vec<Violation>,
    is_replay: bool,
}

impl Problem {
    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The code, by which a program tells problems apart.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The same for a person, in a few words.
    #[must_use]
    pub fn title(&self) -> &'static str {
        self.title
    }

    /// What a person can do about it.
    #[must_use]
    pub fn detail(&self) -> &'static str {
        self.detail
    }

    /// In how many seconds to come back, where that helps.
    #[must_use]
    pub fn retry_after_secs(&self) -> Option<u64> {
        let passes_soon = self.status == StatusCode::SERVICE_UNAVAILABLE;
        self.retry_after_secs.or(passes_soon.then_some(1))
    }

    /// The challenge of a 401: the value of `WWW-Authenticate`.
    #[must_use]
    pub fn challenge(&self) -> Option<&'static str> {
        self.challenge
    }

    /// Whether this is the first answer to a keyed request given again.
    #[must_use]
    pub fn is_replay(&self) -> bool {
        self.is_replay
    }

    /// The fields that are wrong, if it is them.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// The JSON body.
    pub(super) fn body(&self, request_id: &str) -> Vec<u8> {
        #[derive(Serialize)]
        struct Wire<'a> {
            r#type: String,
            title: &'a str,
            status: u16,
            detail: &'a str,
            code: &'a str,
            instance: &'a str,
            #[serde(skip_serializing_if = "Vec::is_empty")]
            violations: Vec<WireViolation<'a>>,
        }
        #[derive(Serialize)]
        struct WireViolation<'a> {
            field: &'a str,
            description: &'a str,
        }
        let wire = Wire {
            r#type: format!("{TYPE_BASE}{}", self.code),
            title: self.title,
            status: self.status.as_u16(),
            detail: self.detail,
            code: self.code,
            instance: request_id,
            violations: self
                .violations
                .iter()
                .map(|violation| WireViolation {
                    field: &violation.field,
                    description: &violation.description,
                })
                .collect(),
        };
        serde_json::to_vec(&wire).unwrap_or_default()
    }

    fn new(
        status: StatusCode,
        code: &'static str,
        title: &'static str,
        detail: &'static str,
    ) -> Self {
        Self {
            status,
            code,
            title,
            detail,
            challenge: None,
            retry_after_secs: None,
            violations: Vec::new(),
            is_replay: false,
        }
    }

    fn unauthorized(
        challenge: &'static str,
        code: &'static str,
        title: &'static str,
        detail: &'static str,
    ) -> Self {
        let problem = Self::new(StatusCode::UNAUTHORIZED, code, title, detail);
        Self { challenge: Some(challenge), ..problem }
    }

    fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Internal error",
            "Something went wrong on our side.",
        )
    }

    fn idempotency_key_missing() -> Self {
        let problem = Self::new(
            StatusCode::BAD_REQUEST,
            "idempotency_key_missing",
            "Idempotency key missing",
            "A key is needed, in Idempotency-Key: 16 to 64 of the characters A-Z, \
             a-z, 0-9, _ and -, a new one for each intended effect.",
        );
        Self { violations: vec![Violation::new("Idempotency-Key", "is required")], ..problem }
    }

    fn email_not_verified() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "email_not_verified",
            "E-mail not verified",
            "Money leaves your accounts once your e-mail address is verified. Follow the link in \
             the mail, or have it sent again by POST /verify_email/resend.",
        )
    }

    fn code_spent() -> Self {
        Self::new(
            StatusCode::GONE,
            "code_spent",
            "Code spent",
            "This code has been used or replaced by a newer one, or it has expired. If your \
             address is not verified yet, have the mail sent again.",
        )
    }

    fn too_many(wait: Duration, detail: &'static str) -> Self {
        Self {
            retry_after_secs: Some(wait.as_secs().max(1)),
            ..Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too_many_requests",
                "Too many requests",
                detail,
            )
        }
    }

    fn outcome_unknown() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "outcome_unknown",
            "Outcome unknown",
            "The request may or may not have taken effect. Sent again with the same \
             Idempotency-Key, it takes effect once; without one, look before you repeat it.",
        )
    }
}

impl From<&BankError> for Problem {
    fn from(error: &BankError) -> Self {
        match error {
            BankError::Malformed(detail) => {
                Self::new(StatusCode::BAD_REQUEST, "malformed_request", "Malformed request", detail)
            }
            BankError::InvalidArgument(violations) => Self {
                violations: violations.clone(),
                ..Self::new(
                    StatusCode::BAD_REQUEST,
                    "invalid_argument",
                    "Invalid argument",
                    "Some fields are not what they must be; see violations.",
                )
            },
            BankError::IdempotencyKeyMissing => Self::idempotency_key_missing(),
            BankError::PayloadTooLarge => Self::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "payload_too_large",
                "Payload too large",
                "The body may hold at most 16384 bytes.",
            ),
            BankError::UnsupportedMediaType => Self::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "Unsupported media type",
                "The body must be application/json, not compressed.",
            ),
            BankError::Unauthenticated => Self::unauthorized(
                NO_TOKEN,
                "unauthenticated",
                "Unauthenticated",
                "An access token is needed, in Authorization: Bearer.",
            ),
            BankError::InvalidToken => Self::from(TokenError::Invalid),
            BankError::TokenExpired => Self::from(TokenError::Expired),
            BankError::SessionEnded => Self::unauthorized(
                BAD_TOKEN,
                "session_ended",
                "Session ended",
                "The session has ended. Log in again.",
            ),
            BankError::InvalidCredentials => Self::unauthorized(
                NO_TOKEN,
                "invalid_credentials",
                "Invalid credentials",
                "The username or the password is wrong.",
            ),
            BankError::PermissionDenied => Self::new(
                StatusCode::FORBIDDEN,
                "permission_denied",
                "Permission denied",
                "You may not do this.",
            ),
            BankError::EmailNotVerified => Self::email_not_verified(),
            BankError::CodeSpent => Self::code_spent(),
            BankError::NotFound => Self::new(
                StatusCode::NOT_FOUND,
                "not_found",
                "Not found",
                "It is not there, or is somebody else's.",
            ),
            BankError::Taken(unique) => Self::from(*unique),
            BankError::Refused { refusal, is_replay } => {
                Self { is_replay: *is_replay, ..Self::from(*refusal) }
            }
            BankError::KeyReused => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency_key_reused",
                "Idempotency key reused",
                "This Idempotency-Key stands for another request. Use a new one.",
            ),
            BankError::RequestInFlight => Self::new(
                StatusCode::CONFLICT,
                "request_in_flight",
                "Request in flight",
                "A request under this Idempotency-Key is at work. Send it again in a moment.",
            ),
            BankError::TooManyFailures(duration) => Self::too_many(
                *duration,
                "Too many passwords were wrong. Try again after the time in Retry-After.",
            ),
            BankError::TooManyMails(duration) => Self::too_many(
                *duration,
                "Enough mails have been sent. Try again after the time in Retry-After.",
            ),
            BankError::Unavailable(_) => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                "Unavailable",
                "Nothing was done. Send the request again in a moment.",
            ),
            BankError::OutcomeUnknown(_) => Self::outcome_unknown(),
            BankError::Internal(_) => Self::internal(),
        }
    }
}

/// What the authorizer lets the gateway say.
impl From<TokenError> for Problem {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Invalid => Self::unauthorized(
                BAD_TOKEN,
                "invalid_token",
                "Invalid token",
                "The token is not one of this bank's.",
            ),
            TokenError::Expired => Self::unauthorized(
                BAD_TOKEN,
                "token_expired",
                "Token expired",
                "The access token has expired. Renew it or log in again.",
            ),
            TokenError::Signing => Self::internal(),
        }
    }
}

impl From<Unique> for Problem {
    fn from(unique: Unique) -> Self {
        let (code, title, detail) = match unique {
            Unique::Username => (
                "username_taken",
                "Username taken",
                "Somebody has this username. Choose another one.",
            ),
            Unique::Email => {
                ("email_taken", "E-mail taken", "This e-mail belongs to a user already.")
            }
            Unique::AccountCurrency => (
                "account_exists",
                "Account exists",
                "You have an account in this currency already.",
            ),
        };
        Self::new(StatusCode::CONFLICT, code, title, detail)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let (title, detail) = match refusal {
            Refusal::InsufficientFunds => {
                ("Insufficient funds", "The account holds less than the amount.")
            }
            Refusal::RecipientUnavailable => {
                ("Recipient unavailable", "No account of that number can be paid in this currency.")
            }
            Refusal::CurrencyMismatch => {
                ("Currency mismatch", "Your account is kept in another currency.")
            }
            Refusal::SameAccount => ("Same account", "A transfer needs two different accounts."),
            Refusal::BalanceLimit => {
                ("Balance limit", "The receiving balance would pass 9007199254740991 minor units.")
            }
        };
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, refusal.code(), title, detail)
    }
}
