//! A bank with random customers.

use std::time::Duration;

use rand::{RngExt, SeedableRng, distr::Alphanumeric, rngs::StdRng};
use shared::{
    domain::{
        Account, Amount, Caller, Currency, Email, FullName, IdempotencyKey, NewSession, NewUser,
        SessionId, Username,
    },
    store::{PostgresStore, Store},
};
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use uuid::Uuid;

/// A store on a test's own database, and a source of random things.
pub(crate) struct Bank {
    pub(crate) store: PostgresStore,
    pub(crate) pool: PgPool,
    pub(crate) random: StdRng,
}

impl Bank {
    /// With as many connections as there are environments at work at once.
    pub(crate) async fn new(options: PgConnectOptions, connections: u32) -> Self {
        let seed = rand::random();
        println!("seed {seed}");
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(Duration::from_mins(1))
            .connect_with(options)
            .await
            .unwrap();
        Self { store: PostgresStore::new(pool.clone()), pool, random: StdRng::seed_from_u64(seed) }
    }

    /// A store whose sessions wait at most a second for a lock, as in production.
    pub(crate) async fn impatient(options: PgConnectOptions, connections: u32) -> Self {
        Self::new(options.options([("lock_timeout", "1s")]), connections).await
    }

    pub(crate) fn new_user(&mut self) -> NewUser {
        let name = self.word(12).to_lowercase();
        NewUser {
            email: Email::parse(&format!("{name}@Example.com")).unwrap(),
            username: Username::parse(&name).unwrap(),
            full_name: FullName::parse(&self.word(20)).unwrap(),
            hashed_password: self.word(60),
        }
    }

    /// A user with a live session.
    pub(crate) async fn customer(&mut self) -> Caller {
        let new = self.new_user();
        let user = self.store.create_user(new).await.unwrap();
        let session = self.new_session(&user.username);
        let session_id = session.id;
        self.store.create_session(session).await.unwrap();
        Caller { username: user.username, session_id }
    }

    pub(crate) fn new_session(&mut self, username: &Username) -> NewSession {
        NewSession {
            id: SessionId(Uuid::from_u128(self.random.random())),
            username: username.clone(),
            refresh_token_hash: self.random.random(),
            user_agent: "tests/1.0".to_owned(),
            client_ip: "192.0.2.1".to_owned(),
            ttl: Duration::from_hours(1),
        }
    }

    /// A customer with an account that holds so much.
    pub(crate) async fn account(&mut self, currency: Currency, balance: i64) -> (Caller, Account) {
        let owner = self.customer().await;
        let account = self.store.open_account(&owner, currency).await.unwrap();
        let Ok(amount) = Amount::new(balance) else { return (owner, account) };
        let posting = self.store.deposit(&owner, &key(), account.id, amount).await.unwrap();
        (owner, posting.account)
    }

    pub(crate) async fn balance(&self, owner: &Caller, account: &Account) -> i64 {
        self.store.get_account(owner, account.id).await.unwrap().balance.minor_units()
    }

    fn word(&mut self, length: usize) -> String {
        (&mut self.random).sample_iter(Alphanumeric).take(length).map(char::from).collect()
    }
}

pub(crate) fn key() -> IdempotencyKey {
    IdempotencyKey::parse(&Uuid::from_u128(rand::random()).to_string()).unwrap()
}

pub(crate) fn amount(minor_units: i64) -> Amount {
    Amount::new(minor_units).unwrap()
}
