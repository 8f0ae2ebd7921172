//! The query: `limit`, or the numbered pages of `page_id` and `page_size`.

use shared::{bank::BankError, domain::Page, http::Request};

pub(crate) fn list_request(request: &Request) -> Result<Page, BankError> {
    let mut query = request.query_fields();
    let page = if query.has("page_id") || query.has("page_size") {
        let number = query.optional_integer("page_id", Page::number);
        let size = query.optional_integer("page_size", Page::size);
        number.zip(size).map(|(number, size)| {
            Page::numbered(number.unwrap_or(1), size.unwrap_or(Page::DEFAULT_LIMIT))
        })
    } else {
        query.optional_integer("limit", Page::first).map(Option::unwrap_or_default)
    };
    query.finish(|| page)
}
