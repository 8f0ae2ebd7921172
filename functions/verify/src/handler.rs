//! Breaches in, a report out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use shared::store::postgres::verification::Breach;

/// There is nothing to ask for but all of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Command {}

/// What an operator reads, and an alarm looks at.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Report {
    books_are_right: bool,
    /// For each broken rule its first offenders: numbers of accounts, entries or movements, or a
    /// currency's code.
    pub(crate) breaches: BTreeMap<String, Vec<String>>,
}

pub(crate) fn report(found: Vec<Breach>) -> Report {
    let mut breaches: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for Breach { invariant, offender } in found {
        tracing::error!(invariant, offender, "the books are wrong");
        breaches.entry(invariant).or_default().push(offender);
    }
    Report { books_are_right: breaches.is_empty(), breaches }
}
