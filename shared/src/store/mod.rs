//! What a use case may ask of the data, and how it can fail.
//!
//! The trait speaks the domain's words; [`postgres`] holds all SQL. A transaction begins and ends
//! inside one method, and a method made for a [`Caller`] checks in the same statement that the
//! caller's session still lives.

pub mod postgres;

use std::time::Duration;

use async_trait::async_trait;

use crate::domain::{
    Account, AccountId, Attempt, AttemptLimits, Caller, Claim, Currency, Entry, IdempotencyKey,
    Keyed, LiveSession, Movement, NewSession, NewUser, Page, Posting, Proof, Renewed, Session,
    SessionId, Slice, Sliced, Transfer, TransferId, User, UserChanges, Username, VerificationId,
};

pub use postgres::PostgresStore;

/// The bank's data.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Store: Send + Sync {
    /// Adds a user, and the task of having their address verified.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when the name or the address belongs to somebody.
    async fn create_user(&self, user: NewUser) -> Result<(User, VerificationId), StoreError>;

    /// Reads what a password is checked against. For a name that nobody has, it takes as long.
    async fn find_proof(&self, attempt: &Attempt) -> Result<Proof, StoreError>;

    /// Counts a wrong password.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when others had locked the name or the address by then: it is not
    /// counted, and nobody is to be told that it was wrong.
    async fn count_failure(
        &self,
        attempt: &Attempt,
        limits: AttemptLimits,
    ) -> Result<(), StoreError>;

    /// Begins a session for somebody whose password was right. Of more than ten live sessions the
    /// oldest end.
    ///
    /// # Errors
    /// [`StoreError::ProofOutdated`] when the password has been changed since, and
    /// [`StoreError::Locked`] when others have locked the name or the address since.
    async fn begin_session(
        &self,
        attempt: &Attempt,
        session: NewSession,
    ) -> Result<Session, StoreError>;

    /// Spends a refresh token for its successor, both given as SHA-256; unless it is renewed again, the
    /// session ends after `idle`. The same token gets the same successor for ten seconds.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when nobody has such a token, [`StoreError::SessionEnded`], and
    /// [`StoreError::TokenReused`] when it was spent before that: its session has ended by now.
    async fn renew_session(
        &self,
        presented: [u8; 32],
        successor: [u8; 32],
        idle: Duration,
    ) -> Result<Renewed, StoreError>;

    /// Reads the caller's live sessions, newest first.
    async fn list_sessions(&self, caller: &Caller) -> Result<Vec<LiveSession>, StoreError>;

    /// Ends one of the caller's sessions.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the caller has no such live session.
    async fn end_session(&self, caller: &Caller, id: SessionId) -> Result<(), StoreError>;

    /// Reads a user: the caller, or anybody if the caller is a banker.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is nobody of that name, or the caller may not know.
    async fn get_user(&self, caller: &Caller, username: &Username) -> Result<User, StoreError>;

    /// Reads what the caller's own password is checked against.
    ///
    /// # Errors
    /// Those of every call for a session.
    async fn find_own_proof(&self, caller: &Caller, attempt: &Attempt)
    -> Result<Proof, StoreError>;

    /// Changes a user: the caller, or the full name of anybody if the caller is a banker. A new
    /// address comes with the task of having it verified.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] as for reading, [`StoreError::PermissionDenied`] when a banker would
    /// change more than a name, [`StoreError::ProofOutdated`] when the caller's password has been
    /// changed since, [`StoreError::Taken`] when the address belongs to somebody, and
    /// [`StoreError::TooManyMails`].
    async fn change_user(
        &self,
        caller: &Caller,
        username: &Username,
        changes: UserChanges,
    ) -> Result<(User, Option<VerificationId>), StoreError>;

    /// Writes a further task of having the caller's address verified; `None` when it is.
    ///
    /// # Errors
    /// [`StoreError::TooManyMails`].
    async fn request_verification(
        &self,
        caller: &Caller,
    ) -> Result<Option<VerificationId>, StoreError>;

    /// Gives a task to whoever is about to mail a code, of which this is the SHA-256, and which is good
    /// for `life`. Every other code of the user dies. After `lease` the task may be another's.
    async fn claim_verification(
        &self,
        id: VerificationId,
        code_hash: [u8; 32],
        lease: Duration,
        life: Duration,
    ) -> Result<Claim, StoreError>;

    /// Ends a task whose code was mailed, unless it is another's by now.
    async fn finish_verification(
        &self,
        id: VerificationId,
        code_hash: [u8; 32],
    ) -> Result<(), StoreError>;

    /// Gives a task back whose code was not mailed, unless it is another's by now.
    async fn release_verification(
        &self,
        id: VerificationId,
        code_hash: [u8; 32],
    ) -> Result<(), StoreError>;

    /// Spends a code, of which this is the SHA-256, for the user's address.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such code, and [`StoreError::CodeSpent`] when there is
    /// one no more, not even after a few that were wrong.
    async fn spend_verification(
        &self,
        id: VerificationId,
        code_hash: [u8; 32],
    ) -> Result<(), StoreError>;

    /// Takes the oldest tasks, at most so many, that nobody has published in good time. For a while
    /// nobody else gets them.
    async fn take_due_verifications(&self, limit: i64) -> Result<Vec<VerificationId>, StoreError>;

    /// Notes that tasks have been published: they are the queue's to keep from now on.
    async fn mark_published(&self, ids: &[VerificationId]) -> Result<(), StoreError>;

    /// Removes tasks that have been done for two days, and those that no queue keeps any more after thirty,
    /// and says how many; some may be left for the next time.
    async fn prune_verifications(&self) -> Result<u64, StoreError>;

    /// Opens an account with balance 0 for the caller.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when the caller has one in that currency.
    async fn open_account(
        &self,
        caller: &Caller,
        currency: Currency,
    ) -> Result<Account, StoreError>;

    /// Reads one of the caller's accounts.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none of that number, or it is somebody else's.
    async fn get_account(&self, caller: &Caller, id: AccountId) -> Result<Account, StoreError>;

    /// Reads the caller's accounts in order of their numbers.
    async fn list_accounts(&self, caller: &Caller, page: Page) -> Result<Vec<Account>, StoreError>;

    /// Moves money, once for each key: the same request under the same key gets the first answer
    /// again.
    ///
    /// # Errors
    /// [`StoreError::EmailNotVerified`] when money would leave and the caller's address is not,
    /// [`StoreError::NotFound`] when the caller's side is not an account of theirs,
    /// [`StoreError::KeyReused`], [`StoreError::RequestInFlight`], and
    /// [`StoreError::OutcomeUnknown`] when nobody can tell whether it was done.
    async fn move_money(
        &self,
        caller: &Caller,
        key: &IdempotencyKey,
        movement: Movement,
    ) -> Result<Keyed<Posting>, StoreError>;

    /// Reads a slice of the entries of one of the caller's accounts.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no account of that number, or it is somebody else's.
    async fn list_entries(
        &self,
        caller: &Caller,
        account: AccountId,
        slice: Slice,
    ) -> Result<Sliced<Entry>, StoreError>;

    /// Reads a transfer that one of the caller's accounts is a side of.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none of that number, or it is others'.
    async fn get_transfer(&self, caller: &Caller, id: TransferId) -> Result<Transfer, StoreError>;

    /// Reads a slice of the transfers that the account is a side of, or, without one, any of the
    /// caller's accounts.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no account of that number, or it is somebody else's.
    async fn list_transfers(
        &self,
        caller: &Caller,
        account: Option<AccountId>,
        slice: Slice,
    ) -> Result<Sliced<Transfer>, StoreError>;
}

/// Why the data did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The caller's session has been revoked or has expired.
    #[error("the session has ended")]
    SessionEnded,
    /// It does not exist, or it is not the caller's: nobody is told which.
    #[error("not found")]
    NotFound,
    /// The caller may know of it, but not change it so.
    #[error("permission denied")]
    PermissionDenied,
    /// Something that must be unique is taken.
    #[error("taken: {0:?}")]
    Taken(Unique),
    /// Too many passwords were wrong; for so long none is looked at.
    #[error("locked for {}s", .0.as_secs())]
    Locked(Duration),
    /// The caller has not verified their address.
    #[error("the e-mail address is not verified")]
    EmailNotVerified,
    /// There was such a code; it is of no use any more.
    #[error("the code is spent")]
    CodeSpent,
    /// Enough mails have been asked for; for so long there is none.
    #[error("no further mail for {}s", .0.as_secs())]
    TooManyMails(Duration),
    /// The password that was proven is no longer the user's.
    #[error("the password has been changed since it was proven")]
    ProofOutdated,
    /// A spent refresh token was shown again; its session has been ended.
    #[error("a spent refresh token of session {} was shown again", .0.0)]
    TokenReused(SessionId),
    /// The idempotency key stands for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// Another request is at work under the same idempotency key.
    #[error("a request under this idempotency key is in flight")]
    RequestInFlight,
    /// The database cannot be reached or is too busy; nothing was written, and it may work later.
    #[error("the database is not available")]
    Unavailable(#[source] sqlx::Error),
    /// The connection was lost in the middle: nobody knows whether it was written.
    #[error("the outcome of a statement is unknown")]
    OutcomeUnknown(#[source] sqlx::Error),
    /// A defect.
    #[error("the database refused a statement")]
    Defect(#[source] sqlx::Error),
    /// A row that the domain does not accept: the schema let through what it should not.
    #[error("{table} holds a row with an impossible {column}")]
    Inconsistent {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
}

/// What there is only one of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unique {
    /// A username.
    Username,
    /// An e-mail, without regard to case.
    Email,
    /// An account of one owner in one currency.
    AccountCurrency,
}
