//! `GET /transfers/{id}`: a transfer that the caller sent or received.

use shared::{
    app::App,
    bank::{self, BankError},
    domain::TransferId,
    http::{Reply, Request, wire::TransferBody},
};

pub(crate) async fn handle(app: &App, request: &Request) -> Result<Reply, BankError> {
    let caller = request.caller(&*app.clock)?;
    request.refuse_query()?;
    let id = TransferId(request.path_id()?);
    let transfer = bank::get_transfer(&*app.store, &caller, id).await?;
    Reply::ok(&TransferBody::from(transfer))
}
