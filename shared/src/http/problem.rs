//! Errors as `application/problem+json` (RFC 9457): the one place where a status, a code and the
//! words for a client are chosen.

use lambda_http::http::StatusCode;
use serde::Serialize;

use crate::{
    bank::BankError,
    domain::{Refusal, Violation},
    store::Unique,
};

const TYPE_BASE: &str = "https://simplebank.dev/problems/";

/// What a client is told of an error. All words are constants: never a driver's, never a value's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    detail: &'static str,
    violations: Vec<Violation>,
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

    /// A problem of the handler's own making: it panicked.
    pub(super) fn panicked() -> Self {
        Self::internal()
    }

    /// The handler was given up at its time limit, whatever it had done by then.
    pub(super) fn timed_out() -> Self {
        Self::outcome_unknown()
    }

    /// When to come back, where that helps.
    pub(super) fn retry_after_secs(&self) -> Option<u16> {
        (self.status == StatusCode::SERVICE_UNAVAILABLE).then_some(1)
    }

    /// The challenge of a 401 (RFC 6750, section 3): `error` only where a token was sent.
    pub(super) fn challenge(&self) -> Option<&'static str> {
        match self.code {
            "token_expired" | "session_ended" => Some("Bearer error=\"invalid_token\""),
            _ => (self.status == StatusCode::UNAUTHORIZED).then_some("Bearer"),
        }
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
        Self { status, code, title, detail, violations: Vec::new() }
    }

    fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Internal error",
            "Something went wrong on our side.",
        )
    }

    fn outcome_unknown() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "outcome_unknown",
            "Outcome unknown",
            "The request may or may not have taken effect. Send it again with the same \
             Idempotency-Key to learn which.",
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
            BankError::IdempotencyKeyMissing => Self::new(
                StatusCode::BAD_REQUEST,
                "idempotency_key_missing",
                "Idempotency key missing",
                "This route needs the header Idempotency-Key: 16 to 64 of the characters A-Z, \
                 a-z, 0-9, _ and -, a new one for each intended effect.",
            ),
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
            BankError::Unauthenticated => Self::new(
                StatusCode::UNAUTHORIZED,
                "unauthenticated",
                "Unauthenticated",
                "This route needs an access token in the header Authorization: Bearer.",
            ),
            BankError::TokenExpired => Self::new(
                StatusCode::UNAUTHORIZED,
                "token_expired",
                "Token expired",
                "The access token has expired. Renew it or log in again.",
            ),
            BankError::SessionEnded => Self::new(
                StatusCode::UNAUTHORIZED,
                "session_ended",
                "Session ended",
                "The session has ended. Log in again.",
            ),
            BankError::InvalidCredentials => Self::new(
                StatusCode::UNAUTHORIZED,
                "invalid_credentials",
                "Invalid credentials",
                "The username or the password is wrong.",
            ),
            BankError::NotFound => Self::new(
                StatusCode::NOT_FOUND,
                "not_found",
                "Not found",
                "There is nothing at this address.",
            ),
            BankError::Taken(Unique::Username) => Self::new(
                StatusCode::CONFLICT,
                "username_taken",
                "Username taken",
                "Somebody has this username. Choose another one.",
            ),
            BankError::Taken(Unique::Email) => Self::new(
                StatusCode::CONFLICT,
                "email_taken",
                "E-mail taken",
                "This e-mail belongs to a user already.",
            ),
            BankError::Taken(Unique::AccountCurrency) => Self::new(
                StatusCode::CONFLICT,
                "account_exists",
                "Account exists",
                "You have an account in this currency already.",
            ),
            BankError::Refused(refusal) => Self::from(*refusal),
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

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let (code, title, detail) = match refusal {
            Refusal::InsufficientFunds => (
                "insufficient_funds",
                "Insufficient funds",
                "The account holds less than the amount.",
            ),
            Refusal::RecipientUnavailable => (
                "recipient_unavailable",
                "Recipient unavailable",
                "No account of that number can be paid in this currency.",
            ),
            Refusal::CurrencyMismatch => (
                "currency_mismatch",
                "Currency mismatch",
                "Your account is kept in another currency.",
            ),
            Refusal::SameAccount => {
                ("same_account", "Same account", "A transfer needs two different accounts.")
            }
            Refusal::BalanceLimit => (
                "balance_limit",
                "Balance limit",
                "The receiving balance would pass 9007199254740991 minor units.",
            ),
        };
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, title, detail)
    }
}
