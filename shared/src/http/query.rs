//! The query: text parameters, each at most once.

use super::{
    Request,
    fields::{Fields, Raw},
};

impl Request {
    /// The query's parameters.
    #[must_use]
    pub fn query_fields(&self) -> Fields {
        Fields::new(
            self.query.iter().map(|(name, value)| (name.to_owned(), Raw::Text(value.to_owned()))),
        )
    }
}
