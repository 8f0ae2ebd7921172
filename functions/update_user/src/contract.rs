//! What the routes promise.

use shared::{
    bank::BankError,
    domain::{Email, FullName, Username},
    http::{
        contract::{NewPassword, OfferedPassword, Operation, optional},
        wire::UserBody,
    },
    store::Unique,
};

/// The routes, for the published document.
#[must_use]
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::new("GET /users/{username}", "users", "getUser", "Reads oneself")
            .describe("A banker reads anybody.")
            .with_token()
            .path::<Username>("username")
            .query([])
            .ok::<UserBody>("The user."),
        Operation::new("PATCH /users/{username}", "users", "updateUser", "Changes oneself")
            .describe(
                "A new address or password needs `current_password`. A new password ends all other \
                 sessions, a new address has to be verified. A banker changes anybody's `full_name` and \
                 nothing else.",
            )
            .with_token()
            .path::<Username>("username")
            .body(
                "UpdateUserRequest",
                [
                    optional::<FullName>("full_name"),
                    optional::<Email>("email"),
                    optional::<NewPassword>("password"),
                    optional::<OfferedPassword>("current_password"),
                ],
            )
            .body_needs("UpdateUserRequest", &["email", "password"], "current_password")
            .ok::<UserBody>("The user as they are now.")
            .refuses([
                BankError::PermissionDenied,
                BankError::InvalidCredentials,
                BankError::Taken(Unique::Email),
            ]),
    ]
}
