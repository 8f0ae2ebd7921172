//! The store on Postgres: the only module that knows SQL. One file an aggregate.

mod accounts;
mod connection;
mod error;
mod history;
pub mod migrations;
mod movements;
mod sessions;
mod users;
pub mod verification;

use async_trait::async_trait;

use self::error::retry_keyed;
use super::{Store, StoreError};
use crate::{
    config::DatabaseConfig,
    domain::{
        Account, AccountId, Caller, Credentials, Currency, Entry, IdempotencyKey, Keyed, Movement,
        NewSession, NewUser, Page, Posting, Session, Slice, Sliced, Transfer, TransferId, User,
        Username,
    },
};

pub use connection::{ConnectError, Connections, options};

/// The bank's data in Postgres. Every method is one statement, and so one round trip and one
/// transaction.
#[derive(Debug)]
pub struct PostgresStore {
    connections: Connections,
}

impl PostgresStore {
    /// A store whose connection is open, if the database can be reached.
    ///
    /// # Errors
    /// When the settings are of no use.
    pub async fn open(config: &DatabaseConfig) -> Result<Self, ConnectError> {
        let connections = Connections::new(config)?;
        connections.warm_up().await;
        Ok(Self { connections })
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn create_user(&self, user: NewUser) -> Result<User, StoreError> {
        users::create(&self.connections, user).await
    }

    async fn find_credentials(
        &self,
        username: &Username,
    ) -> Result<Option<Credentials>, StoreError> {
        users::find_credentials(&self.connections, username).await
    }

    async fn create_session(&self, session: NewSession) -> Result<Session, StoreError> {
        sessions::create(&self.connections, session).await
    }

    async fn open_account(
        &self,
        caller: &Caller,
        currency: Currency,
    ) -> Result<Account, StoreError> {
        accounts::open(&self.connections, caller, currency).await
    }

    async fn get_account(&self, caller: &Caller, id: AccountId) -> Result<Account, StoreError> {
        accounts::get(&self.connections, caller, id).await
    }

    async fn list_accounts(&self, caller: &Caller, page: Page) -> Result<Vec<Account>, StoreError> {
        accounts::list(&self.connections, caller, page).await
    }

    async fn move_money(
        &self,
        caller: &Caller,
        key: &IdempotencyKey,
        movement: Movement,
    ) -> Result<Keyed<Posting>, StoreError> {
        retry_keyed(|| movements::execute(&self.connections, caller, key, movement)).await
    }

    async fn list_entries(
        &self,
        caller: &Caller,
        account: AccountId,
        slice: Slice,
    ) -> Result<Sliced<Entry>, StoreError> {
        history::list_entries(&self.connections, caller, account, slice).await
    }

    async fn get_transfer(&self, caller: &Caller, id: TransferId) -> Result<Transfer, StoreError> {
        history::get_transfer(&self.connections, caller, id).await
    }

    async fn list_transfers(
        &self,
        caller: &Caller,
        account: Option<AccountId>,
        slice: Slice,
    ) -> Result<Sliced<Transfer>, StoreError> {
        match account {
            Some(account) => {
                history::list_transfers_of(&self.connections, caller, account, slice).await
            }
            None => history::list_transfers(&self.connections, caller, slice).await,
        }
    }
}
