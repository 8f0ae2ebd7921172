//! The kinds of refusal, with the status and the words that API Gateway has for each.

use axum::http::StatusCode;

/// Why there is no answer of a function. API Gateway has more of them, for what is not served here.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum ResponseType {
    AccessDenied,
    AuthorizerConfigurationError,
    AuthorizerFailure,
    BadRequest,
    Default5xx,
    IntegrationFailure,
    IntegrationTimeout,
    MissingAuthenticationToken,
    RequestTooLarge,
    Unauthorized,
}

impl ResponseType {
    /// The name in the template.
    pub(super) fn name(self) -> &'static str {
        self.own().0
    }

    /// The name, and the status and message that API Gateway has for it.
    pub(super) fn own(self) -> (&'static str, StatusCode, Option<&'static str>) {
        match self {
            Self::AccessDenied => (
                "ACCESS_DENIED",
                StatusCode::FORBIDDEN,
                Some("User is not authorized to access this resource"),
            ),
            Self::AuthorizerConfigurationError => {
                ("AUTHORIZER_CONFIGURATION_ERROR", StatusCode::INTERNAL_SERVER_ERROR, None)
            }
            Self::AuthorizerFailure => {
                ("AUTHORIZER_FAILURE", StatusCode::INTERNAL_SERVER_ERROR, None)
            }
            Self::BadRequest => ("DEFAULT_4XX", StatusCode::BAD_REQUEST, Some("Bad Request")),
            Self::Default5xx => {
                ("DEFAULT_5XX", StatusCode::BAD_GATEWAY, Some("Internal server error"))
            }
            Self::IntegrationFailure => (
                "INTEGRATION_FAILURE",
                StatusCode::GATEWAY_TIMEOUT,
                Some("Network error communicating with endpoint"),
            ),
            Self::IntegrationTimeout => (
                "INTEGRATION_TIMEOUT",
                StatusCode::GATEWAY_TIMEOUT,
                Some("Endpoint request timed out"),
            ),
            Self::MissingAuthenticationToken => (
                "MISSING_AUTHENTICATION_TOKEN",
                StatusCode::FORBIDDEN,
                Some("Missing Authentication Token"),
            ),
            Self::RequestTooLarge => {
                ("REQUEST_TOO_LARGE", StatusCode::PAYLOAD_TOO_LARGE, Some("Request Too Long"))
            }
            Self::Unauthorized => ("UNAUTHORIZED", StatusCode::UNAUTHORIZED, Some("Unauthorized")),
        }
    }
}
