//! Histories: lists that only grow, read from the newest row on, slice after slice.

use super::{AccountId, Invalid, Page};

/// Which list is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum History {
    /// The entries of one account.
    Entries(AccountId),
    /// The transfers of all accounts of the caller.
    Transfers,
    /// The transfers of one account of the caller.
    TransfersOf(AccountId),
}

/// A row's place in its list: positive, and greater in a newer row. What it counts is the list's
/// own affair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position(pub i64);

/// The most rows in one answer: 1 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(i64);

impl Limit {
    /// Checks a number that a client sent.
    ///
    /// # Errors
    /// When it is not in 1 … 100.
    pub fn new(rows: i64) -> Result<Self, Invalid> {
        Page::first(rows).map(|page| Self(page.limit()))
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(self) -> i64 {
        self.0
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(Page::DEFAULT_LIMIT)
    }
}

/// What is asked of a list. Rows are counted from a row on and not from the list's beginning, so
/// that one which is added meanwhile moves no other into the next slice or out of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Slice {
    /// The most rows to answer with.
    pub limit: Limit,
    /// Only rows older than this one; `None` begins with the newest.
    pub before: Option<Position>,
}

/// A part of a list, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sliced<T> {
    /// The rows.
    pub items: Vec<T>,
    /// The last of them, when there are older ones.
    pub next: Option<Position>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_have_bounds() {
        for (rows, valid) in
            [(i64::MIN, false), (0, false), (1, true), (100, true), (101, false), (i64::MAX, false)]
        {
            assert_eq!(Limit::new(rows).is_ok(), valid, "{rows}");
        }
    }
}
