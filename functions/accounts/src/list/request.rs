//! The query: `limit`, or the numbered pages of `page_id` and `page_size`.

use shared::{bank::BankError, domain::Page, http::Request};

pub(crate) fn list_request(request: &Request) -> Result<Page, BankError> {
    let mut query = request.query_fields();
    let limit = query.optional_integer("limit", Page::first);
    let number = query.optional_integer("page_id", Page::number);
    let size = query.optional_integer("page_size", Page::size);
    let page = limit
        .zip(number)
        .zip(size)
        .and_then(|((limit, number), size)| query.note("limit", Page::asked(limit, number, size)));
    query.finish(|| page)
}
