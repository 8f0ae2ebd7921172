//! What a use case may ask of the data, and how it can fail.
//!
//! The trait speaks the domain's words; [`postgres`] holds all SQL. A transaction begins and ends
//! inside one method, and a method made for a [`Caller`] checks in the same statement that the
//! caller's session still lives.

pub mod postgres;

use async_trait::async_trait;

use crate::domain::{
    Account, AccountId, Caller, Credentials, Currency, Entry, IdempotencyKey, Keyed, Movement,
    NewSession, NewUser, Page, Posting, Session, Slice, Sliced, Transfer, TransferId, User,
    Username,
};

pub use postgres::PostgresStore;

/// The bank's data.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Store: Send + Sync {
    /// Adds a user.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when the name or the address belongs to somebody.
    async fn create_user(&self, user: NewUser) -> Result<User, StoreError>;

    /// Reads a user with the password's hash; `None` when nobody has that name.
    async fn find_credentials(
        &self,
        username: &Username,
    ) -> Result<Option<Credentials>, StoreError>;

    /// Begins a session.
    async fn create_session(&self, session: NewSession) -> Result<Session, StoreError>;

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
    /// Something that must be unique is taken.
    #[error("taken: {0:?}")]
    Taken(Unique),
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
