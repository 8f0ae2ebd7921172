//! The body: `currency`.

use shared::{bank::BankError, domain::Currency, http::Request};

pub(crate) fn open_request(request: &Request) -> Result<Currency, BankError> {
    let mut body = request.body_fields()?;
    let currency = body.text("currency", Currency::parse);
    body.finish(|| currency)
}
