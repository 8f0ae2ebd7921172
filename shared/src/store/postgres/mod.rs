//! The store on Postgres: the only module that knows SQL. One file an aggregate.

mod accounts;
mod connect;
mod error;
pub mod migrations;
mod postings;
mod sessions;
mod transfers;
mod users;

use async_trait::async_trait;
use sqlx::PgPool;

use self::error::retry_conflicts;
use super::{Store, StoreError};
use crate::domain::{
    Account, AccountId, Amount, Caller, Credentials, Currency, IdempotencyKey, NewSession,
    NewTransfer, NewUser, Page, Posting, Session, Transferred, User, Username,
};

pub use connect::{ConnectError, connect, options};

/// The bank's data in Postgres, over one connection an environment.
#[derive(Debug, Clone)]
pub struct PostgresStore {
    pool: PgPool,
}

impl PostgresStore {
    /// A store over a pool; see [`connect`].
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn create_user(&self, user: NewUser) -> Result<User, StoreError> {
        users::create(&self.pool, user).await
    }

    async fn find_credentials(
        &self,
        username: &Username,
    ) -> Result<Option<Credentials>, StoreError> {
        users::find_credentials(&self.pool, username).await
    }

    async fn create_session(&self, session: NewSession) -> Result<Session, StoreError> {
        sessions::create(&self.pool, session).await
    }

    async fn open_account(
        &self,
        caller: &Caller,
        currency: Currency,
    ) -> Result<Account, StoreError> {
        accounts::open(&self.pool, caller, currency).await
    }

    async fn get_account(&self, caller: &Caller, id: AccountId) -> Result<Account, StoreError> {
        accounts::get(&self.pool, caller, id).await
    }

    async fn list_accounts(&self, caller: &Caller, page: Page) -> Result<Vec<Account>, StoreError> {
        accounts::list(&self.pool, caller, page).await
    }

    async fn deposit(
        &self,
        caller: &Caller,
        _key: &IdempotencyKey,
        account: AccountId,
        amount: Amount,
    ) -> Result<Posting, StoreError> {
        retry_conflicts(|| postings::deposit(&self.pool, caller, account, amount)).await
    }

    async fn withdraw(
        &self,
        caller: &Caller,
        _key: &IdempotencyKey,
        account: AccountId,
        amount: Amount,
    ) -> Result<Posting, StoreError> {
        retry_conflicts(|| postings::withdraw(&self.pool, caller, account, amount)).await
    }

    async fn transfer(
        &self,
        caller: &Caller,
        _key: &IdempotencyKey,
        transfer: NewTransfer,
    ) -> Result<Transferred, StoreError> {
        retry_conflicts(|| transfers::create(&self.pool, caller, transfer)).await
    }
}
