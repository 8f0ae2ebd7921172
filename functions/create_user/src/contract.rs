//! What the routes promise.

use serde_json::json;
use shared::{
    bank::BankError,
    domain::{Email, FullName, Username},
    http::{
        contract::{NewPassword, Operation, required},
        wire::UserBody,
    },
    store::Unique,
};

/// The routes, for the published document.
#[must_use]
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::new("POST /users", "users", "createUser", "Signs somebody up")
            .describe(
                "A mail with a link goes to the address. Until it is verified, no money leaves.",
            )
            .body(
                "CreateUserRequest",
                [
                    required::<Username>("username"),
                    required::<NewPassword>("password"),
                    required::<FullName>("full_name"),
                    required::<Email>("email"),
                ],
            )
            .created::<UserBody>("The user, whose address is not verified yet.")
            .such_as(json!({ "is_email_verified": false }))
            .refuses([BankError::Taken(Unique::Username), BankError::Taken(Unique::Email)]),
    ]
}
