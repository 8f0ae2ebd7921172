//! The query: text parameters, each at most once.

use super::{
    Request,
    fields::{Fields, Raw},
};
use crate::bank::BankError;

impl Request {
    /// The query's parameters.
    #[must_use]
    pub fn query_fields(&self) -> Fields {
        Fields::new(
            self.query.iter().map(|(name, value)| (name.to_owned(), Raw::Text(value.to_owned()))),
        )
    }

    /// For a route that knows no parameters.
    ///
    /// # Errors
    /// [`BankError::InvalidArgument`] with every parameter that was sent.
    pub fn refuse_query(&self) -> Result<(), BankError> {
        self.query_fields().finish(|| Some(()))
    }
}
