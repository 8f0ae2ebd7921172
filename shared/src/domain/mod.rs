//! The bank's words and their rules.
//!
//! A value of these types is valid: what a client sends becomes one by a check. No input or output, no
//! clock, and no wire format: what leaves a function is that function's `response.rs`.

mod account;
mod attempt;
mod caller;
mod client;
mod entry;
mod history;
mod idempotency;
mod invalid;
mod money;
mod movement;
mod page;
mod session;
mod transfer;
mod user;
mod verification;

pub use account::{Account, AccountId};
pub use attempt::{Attempt, AttemptLimits, Proof};
pub use caller::Caller;
pub use client::Client;
pub use entry::{Entry, EntryId, EntryKind};
pub use history::{History, Limit, Position, Slice, Sliced};
pub use idempotency::IdempotencyKey;
pub use invalid::{Invalid, Violation};
pub use money::{Amount, Balance, Currency, MAX_MINOR_UNITS};
pub use movement::{Keyed, Movement, Posting, Refusal};
pub use page::{MAX_PAGE_NUMBER, Page};
pub use session::{LiveSession, NewSession, Renewed, Session, SessionId, SessionLimits};
pub use transfer::{NewTransfer, Transfer, TransferId, Transferred};
pub use user::{
    Credentials, Email, FullName, NewUser, Password, Role, User, UserChanges, Username,
};
pub use verification::{Addressee, Claim, Payers, VerificationId};
