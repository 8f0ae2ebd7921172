//! Money that enters and leaves an account, and what was written down about it.

use connectrpc::{Response, ServiceRequest};
use proto::simplebank::v1::{
    DepositRequest, DepositResponse, ListEntriesRequest, ListEntriesResponse, WithdrawRequest,
    WithdrawResponse,
};
use shared::{
    bank::{self, BankError, Violations},
    domain::{AccountId, Amount, History},
};

use super::slice;
use crate::{
    app::App,
    call::{Call, keyed},
    words,
};

pub(crate) async fn deposit(
    app: &App,
    call: &Call,
    request: ServiceRequest<'_, DepositRequest>,
) -> Result<Response<DepositResponse>, BankError> {
    let (key, caller) = (call.idempotency_key()?, call.caller()?);
    let (id, amount) = posting(request.account_id, request.amount)?;
    let posted = bank::deposit(&*app.store, caller, &key, id, amount).await?;
    keyed(posted.map(|posting| words::deposited(&posting)))
}

pub(crate) async fn withdraw(
    app: &App,
    call: &Call,
    request: ServiceRequest<'_, WithdrawRequest>,
) -> Result<Response<WithdrawResponse>, BankError> {
    let (key, caller) = (call.idempotency_key()?, call.caller()?);
    let (id, amount) = posting(request.account_id, request.amount)?;
    let posted = bank::withdraw(&*app.store, caller, &key, id, amount).await?;
    keyed(posted.map(|posting| words::withdrawn(&posting)))
}

fn posting(account_id: i64, amount: i64) -> Result<(AccountId, Amount), BankError> {
    let mut fields = Violations::default();
    let id = fields.note("account_id", AccountId::parse(account_id));
    let amount = fields.note("amount", Amount::new(amount));
    fields.finish(|| id.zip(amount))
}

pub(crate) async fn list_entries(
    app: &App,
    call: &Call,
    request: ServiceRequest<'_, ListEntriesRequest>,
) -> Result<Response<ListEntriesResponse>, BankError> {
    let caller = call.caller()?;
    let mut fields = Violations::default();
    let id = fields.note("account_id", AccountId::parse(request.account_id));
    // No account, no list of its entries: the cursor is then nobody's. What else is wrong is said all the same.
    let list = History::Entries(id.unwrap_or(AccountId(0)));
    let slice = slice(&mut fields, app, caller, list, request.limit, request.cursor);
    let (id, slice) = fields.finish(|| id.zip(slice))?;
    let sliced = bank::list_entries(&*app.store, caller, id, slice).await?;
    let next = app.cursors.next(caller, list, &sliced)?;
    let entries = sliced.items.iter().map(words::entry).collect();
    Ok(ListEntriesResponse { entries, next_cursor: next.unwrap_or_default(), ..Default::default() }
        .into())
}
