//! `POST /transfers`: moves money from one of the caller's accounts to another account.

mod request;
mod response;

use shared::{
    app::App,
    bank::{self, BankError},
    http::{Reply, Request},
};

use self::request::transfer_request;
pub(crate) use self::response::TransferredBody;

pub(crate) async fn handle(app: &App, request: &Request) -> Result<Reply, BankError> {
    let caller = request.caller(&*app.clock)?;
    let key = request.idempotency_key()?;
    let new = transfer_request(request)?;
    let keyed = bank::transfer(&*app.store, &caller, &key, new).await?;
    Reply::keyed(keyed.map(TransferredBody::from))
}
