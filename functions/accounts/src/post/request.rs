//! The body: `amount`.

use shared::{bank::BankError, domain::Amount, http::Request};

pub(crate) fn amount_request(request: &Request) -> Result<Amount, BankError> {
    let mut body = request.body_fields()?;
    let amount = body.integer("amount", Amount::new);
    body.finish(|| amount)
}
