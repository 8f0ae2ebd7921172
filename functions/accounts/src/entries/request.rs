//! The query: `limit`, `cursor`.

use shared::{
    app::App,
    bank::BankError,
    domain::{Caller, History, Slice},
    http::Request,
};

pub(crate) fn entries_request(
    app: &App,
    caller: &Caller,
    list: History,
    request: &Request,
) -> Result<Slice, BankError> {
    let mut query = request.query_fields();
    let slice = query.slice(&app.cursors, caller, list);
    query.finish(|| slice)
}
