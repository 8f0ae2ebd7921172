//! Cursors: whatever opens was sealed by us, for this user and this list; and what was sealed opens as it was.
#![no_main]

use std::sync::LazyLock;

use arbitrary::{Arbitrary, Unstructured};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use fuzz::{Edit, edited};
use libfuzzer_sys::fuzz_target;
use shared::{
    auth::CursorSealer,
    domain::{AccountId, History, Position, Username},
};

/// Two that this key has sealed for [`NAMES`]' first and the account 7: a seal is another one each time.
const SEALED: [&str; 2] =
    [include_str!("../seeds/cursor/sealed-41"), include_str!("../seeds/cursor/sealed-largest")];
const NAMES: [&str; 2] = ["alice", "bob"];

static SEALER: LazyLock<CursorSealer> = LazyLock::new(|| {
    CursorSealer::new("dev", &format!("k4.local.{}", BASE64.encode([3; 32]))).unwrap()
});

#[derive(Debug, Clone, Copy, PartialEq, Arbitrary)]
enum List {
    Entries(i64),
    Transfers,
    TransfersOf(i64),
}

/// Whose a cursor is, and of which list.
#[derive(Debug, Clone, Copy, PartialEq, Arbitrary)]
struct Place {
    is_bob: bool,
    list: List,
}

impl Place {
    fn open(self, cursor: &str) -> Option<Position> {
        SEALER.open(&self.username(), self.history(), cursor).ok()
    }

    fn username(self) -> Username {
        Username::parse(NAMES[usize::from(self.is_bob)]).unwrap()
    }

    fn history(self) -> History {
        match self.list {
            List::Entries(account) => History::Entries(AccountId(account)),
            List::Transfers => History::Transfers,
            List::TransfersOf(account) => History::TransfersOf(AccountId(account)),
        }
    }
}

#[derive(Debug, Arbitrary)]
struct Sealing {
    place: Place,
    other: Place,
    position: i64,
    edits: Vec<Edit>,
}

fn try_cursor(cursor: &str) {
    let place = Place { is_bob: false, list: List::Entries(7) };
    assert!(place.open(cursor).is_none() || SEALED.contains(&cursor), "{cursor} was never sealed");
    let other = Place { is_bob: true, ..place };
    assert_eq!(other.open(cursor), None);
}

fn try_sealing(sealing: &Sealing) {
    let Sealing { place, other, position, edits } = sealing;
    let position = Position(*position);
    let cursor = SEALER.seal(&place.username(), place.history(), position).unwrap();
    assert_eq!(place.open(&cursor), Some(position));
    assert_eq!(other.open(&cursor), (place == other).then_some(position));
    let changed = edited(&cursor, edits);
    assert_eq!(place.open(&changed), (changed == cursor).then_some(position), "{changed}");
}

fuzz_target!(|data: &[u8]| {
    if let Ok(cursor) = str::from_utf8(data) {
        try_cursor(cursor);
    }
    if let Ok(edits) = Unstructured::new(data).arbitrary::<Vec<Edit>>() {
        SEALED.iter().for_each(|sealed| try_cursor(&edited(sealed, &edits)));
    }
    if let Ok(sealing) = Unstructured::new(data).arbitrary() {
        try_sealing(&sealing);
    }
});
