//! The body: `from_account_id`, `to_account_id`, `amount`, `currency`.

use shared::{
    bank::BankError,
    domain::{AccountId, Amount, Currency, NewTransfer},
    http::Request,
};

pub(crate) fn transfer_request(request: &Request) -> Result<NewTransfer, BankError> {
    let mut body = request.body_fields()?;
    let from = body.integer("from_account_id", AccountId::parse);
    let to = body.integer("to_account_id", AccountId::parse);
    let amount = body.integer("amount", Amount::new);
    let currency = body.text("currency", Currency::parse);
    body.finish(|| Some(NewTransfer { from: from?, to: to?, amount: amount?, currency: currency? }))
}
