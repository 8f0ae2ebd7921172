//! The verification of an address: somebody wants it, a mail with a code goes out, the code comes back.

use super::{Invalid, MAX_MINOR_UNITS, Username};

/// The number of one wish to have an address verified, at random from 1 to 2^52. Clients know it as
/// `email_id`, the queue as the number of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VerificationId(pub i64);

impl VerificationId {
    /// Checks a number that somebody shows.
    ///
    /// # Errors
    /// When nothing has such a number.
    pub fn new(number: i64) -> Result<Self, Invalid> {
        // JSON readers keep no larger numbers exact.
        if (1..=MAX_MINOR_UNITS).contains(&number) {
            Ok(Self(number))
        } else {
            Err(Invalid::from("must be the number in the mail"))
        }
    }
}

/// What a worker is told that wants to send a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// It is this worker's, for a while.
    Granted(Addressee),
    /// It is another worker's.
    Busy,
    /// It was sent, or nobody wants it any more.
    Done,
}

/// Who is to get a mail. The address is not checked: it is what the data say.
#[derive(Clone, PartialEq, Eq)]
pub struct Addressee {
    /// The address.
    pub email: String,
    /// Whose address it is said to be.
    pub username: Username,
}

impl std::fmt::Debug for Addressee {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Addressee(…)")
    }
}

/// Out of whose accounts money may go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Payers {
    /// Those whose address is verified.
    #[default]
    Verified,
    /// Everybody's.
    Anyone,
}
