//! What the routes promise.

use shared::{
    bank::BankError,
    domain::Username,
    http::contract::{OfferedPassword, Operation, required},
};

use crate::response::LoggedInBody;

/// The routes, for the published document.
#[must_use]
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::new("POST /users/login", "sessions", "logIn", "Begins a session")
            .describe(
                "Five wrong passwords in a row lock the name for a while, twenty within ten minutes the \
                 address that they come from.",
            )
            .body(
                "LogInRequest",
                [required::<Username>("username"), required::<OfferedPassword>("password")],
            )
            .ok::<LoggedInBody>("The session and its tokens.")
            .refuses([BankError::InvalidCredentials]),
    ]
}
