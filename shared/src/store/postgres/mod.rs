//! The store on Postgres: the only module that knows SQL. One file an aggregate.

mod accounts;
mod attempts;
mod connection;
mod durations;
mod error;
mod history;
pub mod migrations;
mod movements;
pub mod roles;
mod sessions;
mod users;
pub mod verification;
mod verifications;

use std::time::Duration;

use async_trait::async_trait;

use self::error::retry_keyed;
use super::{Store, StoreError};
use crate::{
    config::DatabaseConfig,
    domain::{
        Account, AccountId, Attempt, AttemptLimits, Caller, Claim, Currency, Entry, IdempotencyKey,
        Keyed, LiveSession, Movement, NewSession, NewUser, Page, Payers, Posting, Proof, Renewed,
        Session, SessionId, Slice, Sliced, Transfer, TransferId, User, UserChanges, Username,
        VerificationId,
    },
};

pub use connection::{ConnectError, Connections, options};

/// The bank's data in Postgres. Every method is one statement, and so one round trip and one
/// transaction.
#[derive(Debug)]
pub struct PostgresStore {
    connections: Connections,
    payers: Payers,
}

impl PostgresStore {
    /// A store whose connection is open, if the database can be reached.
    ///
    /// # Errors
    /// When the settings are of no use.
    pub async fn open(config: &DatabaseConfig) -> Result<Self, ConnectError> {
        let connections = Connections::new(config)?;
        connections.warm_up().await;
        Ok(Self { connections, payers: Payers::default() })
    }

    /// The same for a function that works on several things at once, which take turns at the connection.
    #[must_use]
    pub fn taking_turns(self, acquire_timeout: Duration) -> Self {
        Self { connections: self.connections.waiting(acquire_timeout), ..self }
    }

    /// The same, with money leaving the accounts of these.
    #[must_use]
    pub fn paying(self, payers: Payers) -> Self {
        Self { payers, ..self }
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn create_user(&self, user: NewUser) -> Result<(User, VerificationId), StoreError> {
        users::create(&self.connections, user).await
    }

    async fn find_proof(&self, attempt: &Attempt) -> Result<Proof, StoreError> {
        attempts::find_proof(&self.connections, attempt).await
    }

    async fn count_failure(
        &self,
        attempt: &Attempt,
        limits: AttemptLimits,
    ) -> Result<(), StoreError> {
        attempts::count_failure(&self.connections, attempt, limits).await
    }

    async fn begin_session(
        &self,
        attempt: &Attempt,
        session: NewSession,
    ) -> Result<Session, StoreError> {
        sessions::begin(&self.connections, attempt, session).await
    }

    async fn renew_session(
        &self,
        presented: [u8; 32],
        successor: [u8; 32],
        idle: Duration,
    ) -> Result<Renewed, StoreError> {
        retry_keyed(|| sessions::renew(&self.connections, presented, successor, idle)).await
    }

    async fn list_sessions(&self, caller: &Caller) -> Result<Vec<LiveSession>, StoreError> {
        sessions::list(&self.connections, caller).await
    }

    async fn end_session(&self, caller: &Caller, id: SessionId) -> Result<(), StoreError> {
        sessions::end(&self.connections, caller, id).await
    }

    async fn get_user(&self, caller: &Caller, username: &Username) -> Result<User, StoreError> {
        users::get(&self.connections, caller, username).await
    }

    async fn find_own_proof(
        &self,
        caller: &Caller,
        attempt: &Attempt,
    ) -> Result<Proof, StoreError> {
        attempts::find_own_proof(&self.connections, caller, attempt).await
    }

    async fn change_user(
        &self,
        caller: &Caller,
        username: &Username,
        changes: UserChanges,
    ) -> Result<(User, Option<VerificationId>), StoreError> {
        users::change(&self.connections, caller, username, changes).await
    }

    async fn request_verification(
        &self,
        caller: &Caller,
    ) -> Result<Option<VerificationId>, StoreError> {
        verifications::request(&self.connections, caller).await
    }

    async fn claim_verification(
        &self,
        id: VerificationId,
        code_hash: [u8; 32],
        lease: Duration,
        life: Duration,
    ) -> Result<Claim, StoreError> {
        retry_keyed(|| verifications::claim(&self.connections, id, code_hash, lease, life)).await
    }

    async fn finish_verification(
        &self,
        id: VerificationId,
        code_hash: [u8; 32],
    ) -> Result<(), StoreError> {
        retry_keyed(|| verifications::finish(&self.connections, id, code_hash)).await
    }

    async fn release_verification(
        &self,
        id: VerificationId,
        code_hash: [u8; 32],
    ) -> Result<(), StoreError> {
        verifications::release(&self.connections, id, code_hash).await
    }

    async fn spend_verification(
        &self,
        id: VerificationId,
        code_hash: [u8; 32],
    ) -> Result<(), StoreError> {
        verifications::spend(&self.connections, id, code_hash).await
    }

    async fn take_due_verifications(&self, limit: i64) -> Result<Vec<VerificationId>, StoreError> {
        verifications::take_due(&self.connections, limit).await
    }

    async fn mark_published(&self, ids: &[VerificationId]) -> Result<(), StoreError> {
        retry_keyed(|| verifications::mark_published(&self.connections, ids)).await
    }

    async fn prune_verifications(&self) -> Result<u64, StoreError> {
        verifications::prune(&self.connections).await
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
        retry_keyed(|| movements::execute(&self.connections, caller, key, movement, self.payers))
            .await
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
