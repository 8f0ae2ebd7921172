//! Why a value was refused, in words for the person who sent it.

use std::borrow::Cow;

/// What a value must be, without the field's name: `must be …`.
///
/// The text is shown to the client, so it never repeats the refused value, which may be a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid(pub Cow<'static, str>);

impl From<&'static str> for Invalid {
    fn from(description: &'static str) -> Self {
        Self(Cow::Borrowed(description))
    }
}

impl From<String> for Invalid {
    fn from(description: String) -> Self {
        Self(Cow::Owned(description))
    }
}

/// One refused field of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The field's name as the client wrote it.
    pub field: String,
    /// What the field must be.
    pub description: Cow<'static, str>,
}

impl Violation {
    /// Pairs a field with the reason of its refusal.
    pub fn new(field: impl Into<String>, reason: impl Into<Invalid>) -> Self {
        Self { field: field.into(), description: reason.into().0 }
    }
}
