//! The query: `account_id`, `limit`, `cursor`.

use shared::{
    app::App,
    bank::BankError,
    domain::{AccountId, Caller, History, Slice},
    http::Request,
};

pub(crate) struct ListRequest {
    pub(crate) account: Option<AccountId>,
    pub(crate) list: History,
    pub(crate) slice: Slice,
}

pub(crate) fn list_request(
    app: &App,
    caller: &Caller,
    request: &Request,
) -> Result<ListRequest, BankError> {
    let mut query = request.query_fields();
    let account = query.optional_integer("account_id", AccountId::parse);
    let list = account.flatten().map_or(History::Transfers, History::TransfersOf);
    let slice = query.slice(&app.cursors, caller, list);
    query.finish(|| Some(ListRequest { account: account?, list, slice: slice? }))
}
