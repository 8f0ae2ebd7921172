//! `GET /accounts/{id}/entries`: what changed the balance of one of the caller's accounts, newest
//! first.

mod request;
mod response;

use shared::{
    app::App,
    bank::{self, BankError},
    domain::{AccountId, History},
    http::{Reply, Request},
};

use self::request::entries_request;
pub(crate) use self::response::EntriesBody;

pub(crate) async fn handle(app: &App, request: &Request) -> Result<Reply, BankError> {
    let caller = request.caller(&*app.clock)?;
    let id = AccountId(request.path_id()?);
    let list = History::Entries(id);
    let slice = entries_request(app, &caller, list, request)?;
    let sliced = bank::list_entries(&*app.store, &caller, id, slice).await?;
    let next = app.cursors.next(&caller, list, &sliced)?;
    Reply::ok(&EntriesBody::new(sliced.items, next))
}
