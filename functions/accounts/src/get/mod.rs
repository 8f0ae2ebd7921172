//! `GET /accounts/{id}`: one of the caller's accounts.

use shared::{
    app::App,
    bank::{self, BankError},
    domain::AccountId,
    http::{Reply, Request, wire::AccountBody},
};

pub(crate) async fn handle(app: &App, request: &Request) -> Result<Reply, BankError> {
    let caller = request.caller(&*app.clock)?;
    request.refuse_query()?;
    let id = AccountId(request.path_id()?);
    let account = bank::get_account(&*app.store, &caller, id).await?;
    Reply::ok(&AccountBody::from(account))
}
