//! `GET /accounts`: the caller's accounts in order of their numbers.

mod request;

use shared::{
    app::App,
    bank::{self, BankError},
    http::{Reply, Request, wire::AccountBody},
};

use self::request::list_request;

pub(crate) async fn handle(app: &App, request: &Request) -> Result<Reply, BankError> {
    let caller = request.caller(&*app.clock)?;
    let page = list_request(request)?;
    let accounts = bank::list_accounts(&*app.store, &caller, page).await?;
    let bodies: Vec<AccountBody> = accounts.into_iter().map(AccountBody::from).collect();
    Reply::ok(&bodies)
}
