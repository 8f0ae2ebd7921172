//! `POST /accounts`: opens an account with balance 0 for the caller.

mod request;

use shared::{
    app::App,
    bank::{self, BankError},
    http::{Reply, Request, wire::AccountBody},
};

use self::request::open_request;

pub(crate) async fn handle(app: &App, request: &Request) -> Result<Reply, BankError> {
    let caller = request.caller(&*app.clock)?;
    let currency = open_request(request)?;
    let account = bank::open_account(&*app.store, &caller, currency).await?;
    Reply::created(&AccountBody::from(account))
}
