//! A bank with random customers.

use std::{sync::Arc, time::Duration};

use rand::{RngExt, SeedableRng, distr::Alphanumeric, rngs::StdRng};
use shared::{
    config::DatabaseConfig,
    domain::{
        Account, Amount, Attempt, Caller, Currency, Email, FullName, IdempotencyKey, Keyed,
        Movement, NewSession, NewTransfer, NewUser, Posting, Refusal, SessionId, SessionLimits,
        User, Username,
    },
    store::{PostgresStore, Store, StoreError, postgres::verification::verify},
};
use sqlx::{
    ConnectOptions, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use uuid::Uuid;

/// A test's own database, and a source of random things.
pub(crate) struct Bank {
    pub(crate) store: Arc<PostgresStore>,
    pub(crate) pool: PgPool,
    pub(crate) random: StdRng,
    config: DatabaseConfig,
}

impl Bank {
    pub(crate) async fn new(options: PgConnectOptions) -> Self {
        let config = config(&options);
        Self::with(options, config).await
    }

    /// A bank whose store works with other settings than the application's.
    pub(crate) async fn with(options: PgConnectOptions, config: DatabaseConfig) -> Self {
        let seed = rand::random();
        println!("seed {seed}");
        Self {
            store: Arc::new(PostgresStore::open(&config).await.unwrap()),
            pool: PgPoolOptions::new().max_connections(2).connect_with(options).await.unwrap(),
            random: StdRng::seed_from_u64(seed),
            config,
        }
    }

    /// Stores for as many environments, each with a connection of its own.
    pub(crate) async fn environments(&self, count: usize) -> Vec<Arc<PostgresStore>> {
        let mut stores = Vec::new();
        for _ in 0..count {
            stores.push(Arc::new(self.another_store().await));
        }
        stores
    }

    /// A store for one more environment.
    pub(crate) async fn another_store(&self) -> PostgresStore {
        PostgresStore::open(&self.config).await.unwrap()
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

    /// A user with a live session, whose address is verified.
    pub(crate) async fn customer(&mut self) -> Caller {
        let new = self.new_user();
        let (user, _) = self.store.create_user(new).await.unwrap();
        sqlx::query!(
            "UPDATE users SET is_email_verified = true WHERE username = $1",
            user.username.as_str()
        )
        .execute(&self.pool)
        .await
        .unwrap();
        self.log_in(&user).await.0
    }

    /// A new session of a user, and its refresh token's hash.
    pub(crate) async fn log_in(&mut self, user: &User) -> (Caller, [u8; 32]) {
        let new = self.new_session(user);
        let (session_id, hash) = (new.id, new.refresh_token_hash);
        self.store.begin_session(&attempt(&user.username), new).await.unwrap();
        (Caller { username: user.username.clone(), session_id }, hash)
    }

    pub(crate) fn new_session(&mut self, user: &User) -> NewSession {
        NewSession {
            id: SessionId(Uuid::from_u128(self.random.random())),
            username: user.username.clone(),
            proven_changed_at: user.password_changed_at,
            stronger_hash: None,
            refresh_token_hash: self.random.random(),
            user_agent: "tests/1.0".to_owned(),
            client_ip: "192.0.2.1".to_owned(),
            limits: SESSIONS,
        }
    }

    /// A customer with an account that holds so much.
    pub(crate) async fn account(&mut self, currency: Currency, balance: i64) -> (Caller, Account) {
        let owner = self.customer().await;
        let account = self.account_of(&owner, currency, balance).await;
        (owner, account)
    }

    /// The same for a customer that there is.
    pub(crate) async fn account_of(
        &self,
        owner: &Caller,
        currency: Currency,
        balance: i64,
    ) -> Account {
        let account = self.store.open_account(owner, currency).await.unwrap();
        let Ok(amount) = Amount::new(balance) else { return account };
        let deposit = Movement::Deposit { account: account.id, amount };
        done(self.store.move_money(owner, &key(), deposit).await).account
    }

    /// What must hold of the books at any time. Sums alone do not see a payment that was made twice,
    /// so each key is held to one effect as well.
    pub(crate) async fn assert_books_are_right(&self) {
        assert_eq!(verify(&self.config).await.unwrap(), []);
    }

    pub(crate) async fn balance(&self, owner: &Caller, account: &Account) -> i64 {
        self.store.get_account(owner, account.id).await.unwrap().balance.minor_units()
    }

    fn word(&mut self, length: usize) -> String {
        (&mut self.random).sample_iter(Alphanumeric).take(length).map(char::from).collect()
    }
}

/// How long sessions last.
pub(crate) const SESSIONS: SessionLimits =
    SessionLimits { idle: Duration::from_hours(1), life: Duration::from_hours(3) };

pub(crate) fn attempt(username: &Username) -> Attempt {
    Attempt::new(username.clone(), "192.0.2.1")
}

/// Settings for a database of a test, as the functions have them: their role owns nothing.
pub(crate) fn config(options: &PgConnectOptions) -> DatabaseConfig {
    owner_config(&application(options))
}

/// A connection as the application's role.
pub(crate) fn application(options: &PgConnectOptions) -> PgConnectOptions {
    options.clone().username("bank_app")
}

/// The same as the role that owns the schema.
pub(crate) fn owner_config(options: &PgConnectOptions) -> DatabaseConfig {
    DatabaseConfig {
        url: options.to_url_lossy().to_string(),
        secret: None,
        ca_file: None,
        allow_unsafe: true,
        connections: None,
    }
}

/// Asks again and again, but not for ever.
pub(crate) async fn until(condition: impl AsyncFn() -> bool) {
    let asking = async { while !condition().await {} };
    tokio::time::timeout(Duration::from_secs(30), asking).await.expect("it never came true");
}

pub(crate) fn key() -> IdempotencyKey {
    IdempotencyKey::parse(&Uuid::from_u128(rand::random()).to_string()).unwrap()
}

pub(crate) fn amount(minor_units: i64) -> Amount {
    Amount::new(minor_units).unwrap()
}

pub(crate) type Moved = Result<Keyed<Posting>, StoreError>;

/// What was done, now or before.
#[track_caller]
pub(crate) fn done(moved: Moved) -> Posting {
    moved.unwrap().outcome.unwrap()
}

/// Why nothing was done.
#[track_caller]
pub(crate) fn refusal(moved: Moved) -> Refusal {
    moved.unwrap().outcome.unwrap_err()
}

pub(crate) fn dollars(from: &Account, to: &Account, minor_units: i64) -> Movement {
    Movement::Transfer(transfer(from, to, minor_units))
}

pub(crate) fn transfer(from: &Account, to: &Account, minor_units: i64) -> NewTransfer {
    let currency = Currency::Usd;
    NewTransfer { from: from.id, to: to.id, amount: amount(minor_units), currency }
}

pub(crate) fn deposit(account: &Account, minor_units: i64) -> Movement {
    Movement::Deposit { account: account.id, amount: amount(minor_units) }
}

pub(crate) fn withdrawal(account: &Account, minor_units: i64) -> Movement {
    Movement::Withdrawal { account: account.id, amount: amount(minor_units) }
}
