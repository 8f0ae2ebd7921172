//! What the routes promise.

use serde_json::json;
use shared::{
    auth::RefreshToken,
    bank::BankError,
    http::contract::{Operation, required},
};

use crate::response::RenewedBody;

/// The routes, for the published document.
#[must_use]
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::new("POST /tokens/renew_access", "sessions", "renewAccess", "Renews a session")
            .describe(
                "Spends the refresh token for its successor. The same token within ten seconds gets the \
                 same successor; later it ends the session, since somebody else may have it.",
            )
            .body("RenewAccessRequest", [required::<RefreshToken>("refresh_token")])
            .ok::<RenewedBody>("The session and its new tokens.")
            // Ten minutes after the log-in.
            .such_as(json!({
                "access_token_expires_at": "2026-01-31T12:25:00.123456Z",
                "refresh_token": "YW5kIG5laXRoZXIgaXMgdGhpcyBvbmUgYSByZWFsIG9uZQ",
                "refresh_token_expires_at": "2026-02-01T12:10:00.123456Z",
            }))
            .refuses([BankError::InvalidToken, BankError::SessionEnded]),
    ]
}
