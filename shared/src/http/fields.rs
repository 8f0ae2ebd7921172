//! Named values of a body or a query, taken one by one into domain types. Every violation is
//! collected, so that a client learns of all of them at once.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use serde_json::Value;

use crate::{
    bank::{BankError, Violations},
    domain::Invalid,
};

/// A value as it was sent.
#[derive(Debug)]
pub(super) enum Raw {
    /// A member of a JSON object.
    Json(Value),
    /// A parameter of a query or a field of a form, which have no types.
    Text(String),
}

/// The named values of one request.
///
/// Take each one, then [`finish`](Self::finish): what was not taken is unknown, and refused.
#[derive(Debug, Default)]
pub struct Fields {
    values: BTreeMap<String, Raw>,
    violations: Violations,
}

impl Fields {
    pub(super) fn new(values: impl IntoIterator<Item = (String, Raw)>) -> Self {
        let mut fields = Self::default();
        let mut repeated = BTreeSet::new();
        for (name, value) in values {
            match fields.values.entry(name) {
                Entry::Vacant(vacant) => {
                    vacant.insert(value);
                }
                Entry::Occupied(taken) => {
                    repeated.insert(taken.key().clone());
                }
            }
        }
        for name in repeated {
            fields.violations.refuse::<()>(shown(name), "must not appear more than once");
        }
        fields
    }

    /// Takes a text that must be there. `None` stands for a violation that was noted.
    pub fn text<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, Invalid>,
    ) -> Option<T> {
        match self.values.remove(name) {
            Some(Raw::Json(Value::String(text)) | Raw::Text(text)) => {
                self.violations.text(name, &text, parse)
            }
            Some(Raw::Json(_)) => self.refuse(name, "must be a text"),
            None => self.refuse(name, "is required"),
        }
    }

    /// Takes a text that may be absent. The outer `None` stands for a violation that was noted.
    pub fn optional_text<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, Invalid>,
    ) -> Option<Option<T>> {
        if self.has(name) { self.text(name, parse).map(Some) } else { Some(None) }
    }

    /// Takes a whole number that must be there. `None` stands for a violation that was noted.
    pub fn integer<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(i64) -> Result<T, Invalid>,
    ) -> Option<T> {
        let number = match self.values.remove(name) {
            Some(Raw::Json(value)) => value.as_i64(),
            Some(Raw::Text(text)) => canonical_integer(&text),
            None => return self.refuse(name, "is required"),
        };
        match number {
            Some(number) => self.violations.note(name, parse(number)),
            None => self.refuse(name, "must be a whole number"),
        }
    }

    /// Takes a whole number that may be absent. The outer `None` stands for a violation that was
    /// noted.
    pub fn optional_integer<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(i64) -> Result<T, Invalid>,
    ) -> Option<Option<T>> {
        if self.has(name) { self.integer(name, parse).map(Some) } else { Some(None) }
    }

    /// Whether a value of this name was sent and has not been taken.
    fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// Looks at a text without taking it, for a rule that spans fields.
    #[must_use]
    pub fn peek(&self, name: &str) -> &str {
        match self.values.get(name) {
            Some(Raw::Json(Value::String(text)) | Raw::Text(text)) => text,
            Some(Raw::Json(_)) | None => "",
        }
    }

    /// What a field's value was found to be; `None` stands for a violation, which is noted.
    pub fn note<T>(&mut self, name: &str, found: Result<T, Invalid>) -> Option<T> {
        self.violations.note(name, found)
    }

    /// Notes a field as refused.
    pub fn refuse<T>(&mut self, name: &str, reason: impl Into<Invalid>) -> Option<T> {
        self.violations.refuse(name, reason)
    }

    /// Builds the request from what was taken, unless something was refused.
    ///
    /// # Errors
    /// [`BankError::InvalidArgument`] with every violation.
    pub fn finish<T>(mut self, build: impl FnOnce() -> Option<T>) -> Result<T, BankError> {
        for name in std::mem::take(&mut self.values).into_keys() {
            self.violations.refuse::<()>(shown(name), "is not a known field");
        }
        self.violations.finish(build)
    }
}

/// A name comes from the client too: it is shown only if it looks like one.
fn shown(name: String) -> String {
    let is_plain = name.len() <= 64 && !name.chars().any(char::is_control);
    if is_plain { name } else { "(unnamed)".to_owned() }
}

/// A number in the one way to write it: no sign but minus, no leading zero, no blank. Rust's own parser would
/// take `+1` and `01` for 1.
pub(super) fn canonical_integer(text: &str) -> Option<i64> {
    text.parse().ok().filter(|number: &i64| number.to_string() == text)
}
