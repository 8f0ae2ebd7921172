//! Accounts: opening and seeing them.

use connectrpc::{Response, ServiceRequest};
use proto::simplebank::v1::{
    CreateAccountRequest, CreateAccountResponse, GetAccountRequest, GetAccountResponse,
    ListAccountsRequest, ListAccountsResponse,
};
use shared::{
    bank::{self, BankError, Violations},
    domain::{AccountId, Currency, Page},
};

use crate::{app::App, call::Call, words};

pub(crate) async fn create(
    app: &App,
    call: &Call,
    request: ServiceRequest<'_, CreateAccountRequest>,
) -> Result<Response<CreateAccountResponse>, BankError> {
    let mut fields = Violations::default();
    let currency = fields.text("currency", request.currency, Currency::parse);
    let currency = fields.finish(|| currency)?;
    let account = bank::open_account(&*app.store, call.caller()?, currency).await?;
    Ok(CreateAccountResponse { account: words::account(&account).into(), ..Default::default() }
        .into())
}

pub(crate) async fn get(
    app: &App,
    call: &Call,
    request: ServiceRequest<'_, GetAccountRequest>,
) -> Result<Response<GetAccountResponse>, BankError> {
    let mut fields = Violations::default();
    let id = fields.note("id", AccountId::parse(request.id));
    let id = fields.finish(|| id)?;
    let account = bank::get_account(&*app.store, call.caller()?, id).await?;
    Ok(GetAccountResponse { account: words::account(&account).into(), ..Default::default() }.into())
}

pub(crate) async fn list(
    app: &App,
    call: &Call,
    request: ServiceRequest<'_, ListAccountsRequest>,
) -> Result<Response<ListAccountsResponse>, BankError> {
    let mut fields = Violations::default();
    let limit = fields.optional_number("limit", request.limit, Page::first);
    let number = fields.optional_number("page_id", request.page_id, Page::number);
    let size = fields.optional_number("page_size", request.page_size, Page::size);
    let page = limit
        .zip(number)
        .zip(size)
        .and_then(|((limit, number), size)| fields.note("limit", Page::asked(limit, number, size)));
    let page = fields.finish(|| page)?;
    let accounts = bank::list_accounts(&*app.store, call.caller()?, page).await?;
    let accounts = accounts.iter().map(words::account).collect();
    Ok(ListAccountsResponse { accounts, ..Default::default() }.into())
}
