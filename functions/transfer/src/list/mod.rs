//! `GET /transfers`: what the caller sent and received, newest first.

mod request;
mod response;

use shared::{
    app::App,
    bank::{self, BankError},
    http::{Reply, Request},
};

use self::request::{ListRequest, list_request};
pub(crate) use self::response::TransfersBody;

pub(crate) async fn handle(app: &App, request: &Request) -> Result<Reply, BankError> {
    let caller = request.caller(&*app.clock)?;
    let ListRequest { account, list, slice } = list_request(app, &caller, request)?;
    let sliced = bank::list_transfers(&*app.store, &caller, account, slice).await?;
    let next = app.cursors.next(&caller, list, &sliced)?;
    Reply::ok(&TransfersBody::new(sliced.items, next))
}
