//! What the routes promise. What the messages of gRPC hold stands in `proto/`.

use serde_json::json;
use shared::{
    auth::VerificationCode,
    domain::{Email, FullName, Username, VerificationId},
    http::contract::{NOW, NewPassword, OfferedPassword, Operation, optional, required},
};
use utoipa::ToSchema;

use crate::v1::{
    reply::{LoggedIn, UserReply, Verified},
    status::Status,
};

/// An error of Connect, for the document.
#[derive(ToSchema)]
#[schema(as = ConnectError)]
#[expect(dead_code, reason = "connectrpc writes it")]
struct ErrorBody {
    #[schema(example = "invalid_argument")]
    code: String,
    #[schema(example = "invalid parameters")]
    message: Option<String>,
    #[schema(value_type = Option<Vec<serde_json::Value>>)]
    details: Option<()>,
}

/// The name of a method, as in `CreateTransfer`.
#[derive(ToSchema)]
#[schema(as = MethodName, value_type = String, pattern = "^[A-Za-z]+$", example = "ListAccounts")]
#[expect(dead_code, reason = "it stands in a path")]
struct MethodName(String);

/// The routes, for the published document.
#[must_use]
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::new(
            "POST /simplebank.v1.SimpleBank/{method}",
            "rpc",
            "call",
            "Calls a method of simplebank.v1.SimpleBank",
        )
        .describe(
            "By Connect, as shown here, or gRPC-Web, in protobuf or JSON. Methods and messages stand in \
             `proto/simplebank/v1`. Most methods need a token; `Idempotency-Key` is needed by those that \
             move money.",
        )
        .with_token_perhaps()
        .with_key_perhaps()
        .path::<MethodName>("method")
        .any_body()
        .ok_other(&["application/json"], "The reply message.")
        // A message of `ListAccounts`, whose 64-bit numbers are text as ProtoJSON has it.
        .such_as(json!({
            "accounts": [{
                "id": "42", "owner": "alice", "balance": "7500", "currency": "USD",
                "createdAt": NOW,
            }],
        }))
        .refuses_as::<ErrorBody>(&[400, 401, 403, 404, 409, 429, 500, 501, 503])
        .refuses_without_words(&[415]),
        original("POST /v1/create_user", "originalCreateUser", "Signs somebody up")
            .lenient_body(
                "OriginalCreateUserRequest",
                [
                    required::<Username>("username"),
                    required::<FullName>("full_name"),
                    required::<Email>("email"),
                    required::<NewPassword>("password"),
                ],
            )
            .ok::<UserReply>("The user."),
        original("PATCH /v1/update_user", "originalUpdateUser", "Changes a user")
            .with_token()
            .lenient_body(
                "OriginalUpdateUserRequest",
                [
                    required::<Username>("username"),
                    optional::<FullName>("full_name"),
                    optional::<Email>("email"),
                    optional::<NewPassword>("password"),
                    optional::<OfferedPassword>("current_password"),
                ],
            )
            .ok::<UserReply>("The user as they are now."),
        original("POST /v1/login_user", "originalLogIn", "Begins a session")
            .lenient_body(
                "OriginalLogInRequest",
                [required::<Username>("username"), required::<OfferedPassword>("password")],
            )
            .ok::<LoggedIn>("The session, its tokens and the user."),
        original("POST /v1/verify_email", "originalVerifyEmail", "Verifies an address")
            .lenient_body(
                "OriginalVerifyEmailRequest",
                [
                    required::<VerificationId>("email_id"),
                    required::<VerificationCode>("secret_code"),
                ],
            )
            .ok::<Verified>("The address is verified."),
    ]
}

fn original(route: &str, id: &'static str, summary: &'static str) -> Operation {
    Operation::new(route, "original", id, summary)
        .describe(
            "As the original's gateway did: unknown members are passed over, names may be written in \
             camelCase, and what is zero is not shown.",
        )
        .refuses_as::<Status<'_>>(&[400, 401, 403, 404, 409, 413, 429, 500, 503])
}
