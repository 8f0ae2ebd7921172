//! The number and the code that were mailed, from the link's query, or from a body.

use shared::{
    auth::VerificationCode,
    bank::BankError,
    domain::VerificationId,
    http::{Fields, Request},
};

/// What the mail holds.
pub(crate) struct Verification {
    pub(crate) id: VerificationId,
    pub(crate) code: VerificationCode,
}

pub(crate) fn mailed_code(request: &Request) -> Result<Verification, BankError> {
    verification(request.query_fields())
}

pub(crate) fn sent_code(request: &Request) -> Result<Verification, BankError> {
    verification(request.form_or_body_fields()?)
}

fn verification(mut fields: Fields) -> Result<Verification, BankError> {
    let id = fields.integer("email_id", VerificationId::new);
    let code = fields.text("secret_code", VerificationCode::parse);
    fields.finish(|| Some(Verification { id: id?, code: code? }))
}
