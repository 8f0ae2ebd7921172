//! What a use case may ask of the data, and how it can fail.
//!
//! The trait speaks the domain's words; [`postgres`] holds all SQL. A transaction begins and ends
//! inside one method, and a method made for a [`Caller`] checks in the same statement that the
//! caller's session still lives.

pub mod postgres;

use async_trait::async_trait;

use crate::domain::{
    Account, AccountId, Amount, Caller, Credentials, Currency, IdempotencyKey, NewSession,
    NewTransfer, NewUser, Page, Posting, Refusal, Session, Transferred, User, Username,
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

    /// Puts money into one of the caller's accounts.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] as for reading, [`StoreError::Refused`] when the balance would
    /// pass its limit.
    async fn deposit(
        &self,
        caller: &Caller,
        key: &IdempotencyKey,
        account: AccountId,
        amount: Amount,
    ) -> Result<Posting, StoreError>;

    /// Takes money out of one of the caller's accounts.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] as for reading, [`StoreError::Refused`] without enough funds.
    async fn withdraw(
        &self,
        caller: &Caller,
        key: &IdempotencyKey,
        account: AccountId,
        amount: Amount,
    ) -> Result<Posting, StoreError>;

    /// Moves money from one of the caller's accounts to another account.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the paying account is not the caller's,
    /// [`StoreError::Refused`] with the reason otherwise.
    async fn transfer(
        &self,
        caller: &Caller,
        key: &IdempotencyKey,
        transfer: NewTransfer,
    ) -> Result<Transferred, StoreError>;
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
    /// A rule of money forbids it. Nothing was written.
    #[error("the bank refused")]
    Refused(#[from] Refusal),
    /// The database cannot be reached or is too busy; nothing was written, and it may work later.
    #[error("the database is not available")]
    Unavailable(#[source] sqlx::Error),
    /// The connection was lost while committing: nobody knows whether it was written.
    #[error("the outcome of a commit is unknown")]
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
