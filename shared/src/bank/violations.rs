//! What is wrong with a request's fields, collected so that a client learns of all of it at once.

use super::BankError;
use crate::domain::{Invalid, Violation};

/// The violations of one request.
///
/// Check each field, then [`finish`](Self::finish).
#[derive(Debug, Default)]
pub struct Violations(Vec<Violation>);

impl Violations {
    /// Checks a text. `None` stands for a violation that was noted.
    pub fn text<T>(
        &mut self,
        field: &str,
        text: &str,
        parse: impl FnOnce(&str) -> Result<T, Invalid>,
    ) -> Option<T> {
        self.note(field, plain(text).and_then(parse))
    }

    /// Checks a text that may be absent. The outer `None` stands for a violation that was noted.
    pub fn optional_text<T>(
        &mut self,
        field: &str,
        text: Option<&str>,
        parse: impl FnOnce(&str) -> Result<T, Invalid>,
    ) -> Option<Option<T>> {
        match text {
            Some(text) => self.text(field, text, parse).map(Some),
            None => Some(None),
        }
    }

    /// Checks a whole number that may be absent. The outer `None` stands for a violation that was noted.
    pub fn optional_number<T>(
        &mut self,
        field: &str,
        number: Option<impl Into<i64>>,
        parse: impl FnOnce(i64) -> Result<T, Invalid>,
    ) -> Option<Option<T>> {
        match number {
            Some(number) => self.note(field, parse(number.into())).map(Some),
            None => Some(None),
        }
    }

    /// Notes why a value was refused, if it was. `None` stands for a violation that was noted.
    pub fn note<T>(&mut self, field: &str, value: Result<T, Invalid>) -> Option<T> {
        match value {
            Ok(value) => Some(value),
            Err(reason) => self.refuse(field, reason),
        }
    }

    /// Notes a field as refused.
    pub fn refuse<T>(&mut self, field: impl Into<String>, reason: impl Into<Invalid>) -> Option<T> {
        self.0.push(Violation::new(field, reason));
        None
    }

    /// Builds the request from what was checked, unless something was refused.
    ///
    /// # Errors
    /// [`BankError::InvalidArgument`] with every violation.
    pub fn finish<T>(self, build: impl FnOnce() -> Option<T>) -> Result<T, BankError> {
        match build() {
            Some(request) if self.0.is_empty() => Ok(request),
            Some(_) | None => Err(BankError::InvalidArgument(self.0)),
        }
    }
}

/// Postgres stores no NUL, and no field of the bank has a use for control characters.
fn plain(text: &str) -> Result<&str, Invalid> {
    if text.chars().any(char::is_control) {
        Err(Invalid::from("must not contain control characters"))
    } else {
        Ok(text)
    }
}
