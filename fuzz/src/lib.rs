//! What the targets share: a runtime, edits of a text, and a count of JSON's members that no parser has made.

use std::{future::Future, ops::Range, sync::LazyLock};

use arbitrary::Arbitrary;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use tokio::runtime::{Builder, Runtime};

pub mod tokens;

/// Runs what is asynchronous to its end.
pub fn block_on<T>(work: impl Future<Output = T>) -> T {
    static RUNTIME: LazyLock<Runtime> =
        LazyLock::new(|| Builder::new_current_thread().enable_time().build().unwrap());
    RUNTIME.block_on(work)
}

/// A change of a text of ASCII, or of the bytes that one of its parts encodes. Places are taken modulo what
/// there is, so that every edit does something.
#[derive(Debug, Arbitrary)]
pub enum Edit {
    Replace {
        at: u16,
        by: u8,
    },
    Insert {
        at: u16,
        byte: u8,
    },
    Remove {
        at: u16,
        length: u8,
    },
    Copy {
        from: u16,
        length: u8,
        to: u16,
    },
    /// Of what stands between two dots, decoded as base64url.
    Inside {
        part: u8,
        at: u16,
        by: u8,
    },
}

impl Edit {
    fn apply(&self, text: &mut String) {
        let end = text.len();
        let place = |at: u16| usize::from(at) % (end + 1);
        let range = |at: u16, length: u8| -> Range<usize> {
            place(at)..(place(at) + usize::from(length)).min(end)
        };
        let ascii = |byte: u8| char::from(byte & 0x7f).to_string();
        match *self {
            Self::Replace { at, by } => text.replace_range(range(at, 1), &ascii(by)),
            Self::Insert { at, byte } => text.insert_str(place(at), &ascii(byte)),
            Self::Remove { at, length } => text.replace_range(range(at, length), ""),
            Self::Copy { from, length, to } => {
                let copied = text[range(from, length)].to_owned();
                text.insert_str(place(to), &copied);
            }
            Self::Inside { part, at, by } => {
                let mut parts: Vec<String> = text.split('.').map(str::to_owned).collect();
                let index = usize::from(part) % parts.len();
                let Ok(mut bytes) = BASE64.decode(&parts[index]) else { return };
                if !bytes.is_empty() {
                    let at = usize::from(at) % bytes.len();
                    bytes[at] = by;
                }
                parts[index] = BASE64.encode(bytes);
                *text = parts.join(".");
            }
        }
    }
}

/// The text with all of these changes.
pub fn edited(text: &str, edits: &[Edit]) -> String {
    let mut text = text.to_owned();
    edits.iter().for_each(|edit| edit.apply(&mut text));
    text
}

/// How many members an object of valid JSON has, duplicates and all: its colons outside of texts and of inner
/// objects.
pub fn members(json: &str) -> usize {
    let (mut depth, mut in_text, mut is_escaped, mut colons) = (0, false, false, 0);
    for byte in json.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_text => is_escaped = true,
            b'"' => in_text = !in_text,
            _ if in_text => (),
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            b':' if depth == 1 => colons += 1,
            _ => (),
        }
    }
    colons
}
