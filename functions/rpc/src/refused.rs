//! The bank's errors in gRPC's words: the one place where a code of gRPC is chosen.

use buffa::Message;
use buffa_types::google::protobuf::Duration;
use connectrpc::{ConnectError, ErrorCode, ErrorDetail};
use http::{HeaderValue, header};
use proto::google::rpc::{BadRequest, ErrorInfo, RetryInfo, bad_request::FieldViolation};
use shared::{bank::BankError, domain::Violation, http::Problem, store::Unique};

/// Whose codes the reasons are, as google.rpc.ErrorInfo wants to know.
const DOMAIN: &str = "simplebank.dev";
/// The original's words, which its clients look for; the violations say more.
const INVALID: &str = "invalid parameters";

/// The metadata that tells a replay.
pub(crate) const REPLAYED: &str = "idempotent-replayed";

/// A call that was not done.
pub(crate) struct Refused(ConnectError);

impl Refused {
    /// What a method or an interceptor said. A message that could not be read is refused without a word of
    /// the decoder's, which might be the client's.
    pub(crate) fn in_our_words(error: ConnectError) -> Self {
        let is_ours = error.source_arc().is_some_and(|source| source.is::<BankError>());
        if error.code == ErrorCode::InvalidArgument && !is_ours {
            return Self::from(BankError::Malformed("The message is not one of this method's."));
        }
        Self(error)
    }
}

impl From<Refused> for ConnectError {
    fn from(refused: Refused) -> Self {
        refused.0
    }
}

/// The error is kept as the source, for the log.
impl From<BankError> for Refused {
    fn from(error: BankError) -> Self {
        let problem = Problem::from(&error);
        let is_invalid = matches!(error, BankError::InvalidArgument(_));
        let message = if is_invalid { INVALID } else { problem.detail() };
        let mut refusal = ConnectError::new(code(&error), message);
        refusal.details = details(&problem);
        let headers = refusal.response_headers_mut();
        if let Some(seconds) = problem.retry_after_secs() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(challenge) = problem.challenge() {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if problem.is_replay() {
            headers.insert(REPLAYED, HeaderValue::from_static("true"));
        }
        Self(refusal.with_source(error))
    }
}

fn code(error: &BankError) -> ErrorCode {
    match error {
        BankError::Malformed(_)
        | BankError::InvalidArgument(_)
        | BankError::IdempotencyKeyMissing => ErrorCode::InvalidArgument,
        BankError::Unauthenticated
        | BankError::InvalidToken
        | BankError::TokenExpired
        | BankError::SessionEnded
        | BankError::InvalidCredentials => ErrorCode::Unauthenticated,
        BankError::PermissionDenied | BankError::EmailNotVerified => ErrorCode::PermissionDenied,
        BankError::NotFound => ErrorCode::NotFound,
        BankError::Taken(Unique::Username | Unique::Email | Unique::AccountCurrency) => {
            ErrorCode::AlreadyExists
        }
        BankError::RequestInFlight => ErrorCode::Aborted,
        BankError::CodeSpent | BankError::Refused { .. } | BankError::KeyReused => {
            ErrorCode::FailedPrecondition
        }
        BankError::PayloadTooLarge | BankError::TooManyFailures(_) | BankError::TooManyMails(_) => {
            ErrorCode::ResourceExhausted
        }
        BankError::UnsupportedMediaType => ErrorCode::Unimplemented,
        BankError::Unavailable(_) | BankError::OutcomeUnknown(_) => ErrorCode::Unavailable,
        BankError::Internal(_) => ErrorCode::Internal,
    }
}

/// What a program reads: the fields that are wrong, when to come back, and the bank's own code.
fn details(problem: &Problem) -> Vec<ErrorDetail> {
    let mut details = Vec::new();
    if !problem.violations().is_empty() {
        let violations = problem.violations().iter().map(violation).collect();
        let bad_request = BadRequest { field_violations: violations, ..BadRequest::default() };
        details.push(detail("google.rpc.BadRequest", &bad_request));
    }
    if let Some(seconds) = problem.retry_after_secs() {
        let delay = Duration { seconds: seconds.cast_signed(), ..Duration::default() };
        let retry_info = RetryInfo { retry_delay: delay.into(), ..RetryInfo::default() };
        details.push(detail("google.rpc.RetryInfo", &retry_info));
    }
    let error_info = ErrorInfo {
        reason: problem.code().to_uppercase(),
        domain: DOMAIN.to_owned(),
        ..ErrorInfo::default()
    };
    details.push(detail("google.rpc.ErrorInfo", &error_info));
    details
}

fn violation(violation: &Violation) -> FieldViolation {
    FieldViolation {
        field: violation.field.clone(),
        description: violation.description.to_string(),
        ..FieldViolation::default()
    }
}

fn detail(name: &str, message: &impl Message) -> ErrorDetail {
    ErrorDetail::from_message(name, message)
}
