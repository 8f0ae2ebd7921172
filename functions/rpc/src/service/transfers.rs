//! Transfers: making and seeing them.

use connectrpc::{Response, ServiceRequest};
use proto::simplebank::v1::{
    CreateTransferRequest, CreateTransferResponse, GetTransferRequest, GetTransferResponse,
    ListTransfersRequest, ListTransfersResponse,
};
use shared::{
    bank::{self, BankError, Violations},
    domain::{AccountId, Amount, Currency, History, NewTransfer, TransferId},
};

use super::slice;
use crate::{
    app::App,
    call::{Call, keyed},
    words,
};

pub(crate) async fn create(
    app: &App,
    call: &Call,
    request: ServiceRequest<'_, CreateTransferRequest>,
) -> Result<Response<CreateTransferResponse>, BankError> {
    let (key, caller) = (call.idempotency_key()?, call.caller()?);
    let mut fields = Violations::default();
    let from = fields.note("from_account_id", AccountId::parse(request.from_account_id));
    let to = fields.note("to_account_id", AccountId::parse(request.to_account_id));
    let amount = fields.note("amount", Amount::new(request.amount));
    let currency = fields.text("currency", request.currency, Currency::parse);
    let new = fields.finish(|| {
        Some(NewTransfer { from: from?, to: to?, amount: amount?, currency: currency? })
    })?;
    let transferred = bank::transfer(&*app.store, caller, &key, new).await?;
    keyed(transferred.map(|transferred| words::transferred(&transferred)))
}

pub(crate) async fn get(
    app: &App,
    call: &Call,
    request: ServiceRequest<'_, GetTransferRequest>,
) -> Result<Response<GetTransferResponse>, BankError> {
    let mut fields = Violations::default();
    let id = fields.note("id", TransferId::parse(request.id));
    let id = fields.finish(|| id)?;
    let transfer = bank::get_transfer(&*app.store, call.caller()?, id).await?;
    Ok(GetTransferResponse { transfer: words::transfer(&transfer).into(), ..Default::default() }
        .into())
}

pub(crate) async fn list(
    app: &App,
    call: &Call,
    request: ServiceRequest<'_, ListTransfersRequest>,
) -> Result<Response<ListTransfersResponse>, BankError> {
    let caller = call.caller()?;
    let mut fields = Violations::default();
    let account = fields.optional_number("account_id", request.account_id, AccountId::parse);
    let list = account.flatten().map_or(History::Transfers, History::TransfersOf);
    let slice = slice(&mut fields, app, caller, list, request.limit, request.cursor);
    let (account, slice) = fields.finish(|| account.zip(slice))?;
    let sliced = bank::list_transfers(&*app.store, caller, account, slice).await?;
    let next = app.cursors.next(caller, list, &sliced)?;
    let transfers = sliced.items.iter().map(words::transfer).collect();
    let next_cursor = next.unwrap_or_default();
    Ok(ListTransfersResponse { transfers, next_cursor, ..Default::default() }.into())
}
