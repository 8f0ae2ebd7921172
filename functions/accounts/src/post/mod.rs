//! `POST /accounts/{id}/deposits` and `POST /accounts/{id}/withdrawals`: money in, money out.

mod request;
mod response;

use shared::{
    app::App,
    bank::{self, BankError},
    domain::AccountId,
    http::{Reply, Request},
};

use self::request::amount_request;
pub(crate) use self::response::PostingBody;

pub(crate) async fn deposit(app: &App, request: &Request) -> Result<Reply, BankError> {
    let caller = request.caller(&*app.clock)?;
    let id = AccountId(request.path_id()?);
    let key = request.idempotency_key()?;
    let amount = amount_request(request)?;
    let keyed = bank::deposit(&*app.store, &caller, &key, id, amount).await?;
    Reply::keyed(keyed.map(PostingBody::from))
}

pub(crate) async fn withdraw(app: &App, request: &Request) -> Result<Reply, BankError> {
    let caller = request.caller(&*app.clock)?;
    let id = AccountId(request.path_id()?);
    let key = request.idempotency_key()?;
    let amount = amount_request(request)?;
    let keyed = bank::withdraw(&*app.store, &caller, &key, id, amount).await?;
    Reply::keyed(keyed.map(PostingBody::from))
}
