//! Paths in pieces: how the template writes them and how requests fill them.

use std::collections::BTreeMap;

/// One part of a path, the more specific the smaller.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Segment {
    Static(String),
    Parameter(String),
    /// Takes everything that is left.
    Greedy(String),
}

/// The parts of a path as it was sent.
pub(super) fn split(path: &str) -> impl Iterator<Item = &str> {
    let path = path.strip_prefix('/').unwrap_or(path);
    // The root has no segments, whereas `/users/` has two, of which one is empty.
    path.split('/').take(if path.is_empty() { 0 } else { usize::MAX })
}

/// One part of a path in the template.
pub(super) fn segment(text: &str) -> Segment {
    match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
        None => Segment::Static(text.to_owned()),
        Some(name) => match name.strip_suffix('+') {
            None => Segment::Parameter(name.to_owned()),
            Some(name) => Segment::Greedy(name.to_owned()),
        },
    }
}

/// The path parameters, as they were sent, if the segments describe it. A REST API does not decode
/// them.
pub(super) fn matches(segments: &[Segment], sent: &[&str]) -> Option<BTreeMap<String, String>> {
    let mut parameters = BTreeMap::new();
    let mut rest = sent;
    for segment in segments {
        let (first, others) = rest.split_first()?;
        match segment {
            Segment::Static(text) if text == first => {}
            Segment::Parameter(name) if !first.is_empty() => {
                parameters.insert(name.clone(), (*first).to_owned());
            }
            Segment::Greedy(name) if !first.is_empty() => {
                parameters.insert(name.clone(), rest.join("/"));
                return Some(parameters);
            }
            Segment::Static(_) | Segment::Parameter(_) | Segment::Greedy(_) => return None,
        }
        rest = others;
    }
    rest.is_empty().then_some(parameters)
}
