//! What the routes promise.

use shared::{
    auth::VerificationCode,
    bank::BankError,
    domain::VerificationId,
    http::contract::{Operation, required},
};

use crate::response::VerifiedBody;

/// The routes, for the published document.
#[must_use]
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::new(
            "GET /verify_email",
            "e-mail",
            "showVerification",
            "The page behind a mail's link",
        )
        .describe("It changes nothing: programs that read mail follow links too.")
        .query([
            required::<VerificationId>("email_id"),
            required::<VerificationCode>("secret_code"),
        ])
        .page("A page with a button.")
        .refuses_by_pages(),
        Operation::new("POST /verify_email", "e-mail", "verifyEmail", "Verifies an address")
            .describe("By JSON, or by the page's form, which is answered by a page in a browser.")
            .body_in(
                &["application/json", "application/x-www-form-urlencoded"],
                "VerifyEmailRequest",
                [
                    required::<VerificationId>("email_id"),
                    required::<VerificationCode>("secret_code"),
                ],
            )
            .ok::<VerifiedBody>("The address is verified.")
            .page("The same for a person.")
            .refuses_by_pages()
            .refuses([BankError::NotFound, BankError::CodeSpent]),
        Operation::new(
            "POST /verify_email/resend",
            "e-mail",
            "resendVerification",
            "Sends the mail again",
        )
        .describe("Once a minute and five times a day. The new code ends the older ones.")
        .with_token()
        .query([])
        .accepted("A mail is on its way, unless the address is verified already."),
    ]
}
