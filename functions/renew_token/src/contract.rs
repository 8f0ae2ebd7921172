//! What the routes promise.

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
            .refuses([BankError::InvalidToken, BankError::SessionEnded]),
    ]
}
