//! A rough day at the bank, and a judge who believes only what the bank acknowledged.
//!
//! The day: the same request many times at once, an account that many want to empty, payments in
//! opposite directions, random ones among few accounts, and lines that go dead before a request
//! arrives or before its answer does. Clients do what the contract says: after an answer that is
//! none, they send the request again under its key.
//!
//! The judge returns what is wrong. Of a good bank that is nothing; `planted.rs` shows that of a bad
//! one it is something.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use futures_util::future::join_all;
use rand::{RngExt, seq::SliceRandom};
use shared::{
    domain::{Account, AccountId, Caller, Currency, IdempotencyKey, Movement, Posting, Refusal},
    store::{PostgresStore, Store, StoreError, postgres::verification::verify},
};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::sync::Mutex;

use crate::{
    support::{Bank, Moved, config, deposit, dollars, key, until, withdrawal},
    wire::{Cut, Wire},
};

/// As many as a busy function has environments.
const ENVIRONMENTS: usize = 32;

/// Whatever moves money: a store, or one with something wrong.
#[async_trait]
pub(crate) trait Teller: Send + Sync {
    async fn move_money(&self, caller: &Caller, key: &IdempotencyKey, movement: Movement) -> Moved;
}

#[async_trait]
impl Teller for PostgresStore {
    async fn move_money(&self, caller: &Caller, key: &IdempotencyKey, movement: Movement) -> Moved {
        Store::move_money(self, caller, key, movement).await
    }
}

/// How long a client asks.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a client sends, as often as it has to.
#[derive(Clone)]
pub(crate) struct Request {
    caller: Caller,
    key: IdempotencyKey,
    movement: Movement,
}

impl Request {
    fn new(caller: &Caller, movement: Movement) -> Self {
        Self { caller: caller.clone(), key: key(), movement }
    }
}

/// Answers that a client may rely on, each with its request.
#[derive(Default)]
struct Ledger {
    answers: HashMap<String, (Movement, Result<Posting, Refusal>)>,
    findings: Vec<String>,
}

impl Ledger {
    /// Keeps the first answer under a key; any other one under it is wrong.
    fn note(&mut self, request: &Request, outcome: Result<Posting, Refusal>) {
        let name = format!("{} {}", request.caller.username, request.key.as_str());
        match self.answers.entry(name) {
            Entry::Vacant(vacant) => {
                vacant.insert((request.movement, outcome));
            }
            Entry::Occupied(first) if first.get().1 == outcome => {}
            Entry::Occupied(first) => self
                .findings
                .push(format!("one key has two answers: {:?}, then {outcome:?}", first.get().1)),
        }
    }

    /// What the acknowledged movements did to each account.
    fn changes(&self) -> HashMap<AccountId, i64> {
        let mut changes: HashMap<AccountId, i64> = HashMap::new();
        let mut change = |account, minor_units: i64| {
            *changes.entry(account).or_default() += minor_units;
        };
        for (movement, outcome) in self.answers.values() {
            if outcome.is_err() {
                continue;
            }
            match *movement {
                Movement::Deposit { account, amount } => change(account, amount.minor_units()),
                Movement::Withdrawal { account, amount } => change(account, -amount.minor_units()),
                Movement::Transfer(new) => {
                    change(new.from, -new.amount.minor_units());
                    change(new.to, new.amount.minor_units());
                }
            }
        }
        changes
    }

    fn done(&self) -> usize {
        self.answers.values().filter(|(_, outcome)| outcome.is_ok()).count()
    }
}

/// A bank with its environments and whoever uses it today.
pub(crate) struct Ordeal {
    bank: Bank,
    options: PgConnectOptions,
    make: fn(PostgresStore) -> Arc<dyn Teller>,
    stores: Vec<Arc<dyn Teller>>,
    accounts: Vec<(Caller, Account)>,
    ledger: Mutex<Ledger>,
}

impl Ordeal {
    /// A bank whose stores are made by `make`: as they are, or with something wrong.
    pub(crate) async fn new(
        options: PgConnectOptions,
        make: fn(PostgresStore) -> Arc<dyn Teller>,
    ) -> Self {
        let bank = Bank::new(options.clone()).await;
        let mut stores = Vec::new();
        for _ in 0..ENVIRONMENTS {
            stores.push(make(PostgresStore::open(&config(&options)).await.unwrap()));
        }
        Self { bank, options, make, stores, accounts: Vec::new(), ledger: Mutex::default() }
    }

    /// The whole day, and what was wrong with it.
    pub(crate) async fn run(mut self) -> Vec<String> {
        self.repeats().await;
        self.overspending().await;
        self.opposite_directions().await;
        self.random_payments(5, 1_000, 600).await;
        self.dead_lines().await;
        self.judge().await
    }

    async fn account(&mut self, balance: i64) -> (Caller, Account) {
        let (caller, mut account) = self.bank.account(Currency::Usd, 0).await;
        if balance > 0 {
            let first = Request::new(&caller, deposit(&account, balance));
            self.send(&*Arc::clone(&self.stores[0]), &first).await;
            account = self.bank.store.get_account(&caller, account.id).await.unwrap();
        }
        self.accounts.push((caller.clone(), account.clone()));
        (caller, account)
    }

    /// Sends a request until there is an answer to rely on.
    async fn send(&self, store: &dyn Teller, request: &Request) {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            let sent = store.move_money(&request.caller, &request.key, request.movement).await;
            match sent {
                Ok(keyed) => return self.ledger.lock().await.note(request, keyed.outcome),
                Err(
                    StoreError::RequestInFlight
                    | StoreError::Unavailable(_)
                    | StoreError::OutcomeUnknown(_),
                ) => tokio::task::yield_now().await,
                Err(error) => {
                    let finding = format!("{:?} was answered by {error:?}", request.movement);
                    return self.ledger.lock().await.findings.push(finding);
                }
            }
        }
        let finding = format!("{:?} was never answered", request.movement);
        self.ledger.lock().await.findings.push(finding);
    }

    /// All environments at work at once, each on one request after another, as on Lambda.
    async fn send_at_once(&self, requests: &[Request]) {
        let environments = self.stores.iter().enumerate().map(|(number, store)| async move {
            for request in requests.iter().skip(number).step_by(self.stores.len()) {
                self.send(&**store, request).await;
            }
        });
        join_all(environments).await;
    }

    async fn repeats(&mut self) {
        let (alice, from) = self.account(10_000).await;
        let (_, to) = self.account(0).await;
        let once: Vec<Request> = [
            dollars(&from, &to, 10),
            deposit(&from, 7),
            withdrawal(&from, 3),
            dollars(&from, &to, 1_000_000),
        ]
        .into_iter()
        .cycle()
        .take(40)
        .map(|movement| Request::new(&alice, movement))
        .collect();
        let mut often: Vec<Request> = once.iter().flat_map(|each| vec![each.clone(); 4]).collect();
        self.send_at_once(&often).await;
        often.shuffle(&mut self.bank.random);
        self.send_at_once(&often).await;
    }

    /// A hundred for fifty who want sixty.
    async fn overspending(&mut self) {
        let (alice, from) = self.account(100).await;
        let (_, to) = self.account(0).await;
        let before = self.ledger.lock().await.done();
        let requests: Vec<Request> =
            (0..50).map(|_| Request::new(&alice, dollars(&from, &to, 60))).collect();
        self.send_at_once(&requests).await;
        let mut ledger = self.ledger.lock().await;
        let paid = ledger.done() - before;
        if paid != 1 {
            ledger.findings.push(format!("60 were paid {paid} times from 100"));
        }
    }

    async fn opposite_directions(&mut self) {
        let (alice, first) = self.account(1_000).await;
        let (bob, second) = self.account(1_000).await;
        let requests: Vec<Request> = (0..200)
            .map(|number| match number % 2 {
                0 => Request::new(&alice, dollars(&first, &second, 10)),
                _ => Request::new(&bob, dollars(&second, &first, 10)),
            })
            .collect();
        self.send_at_once(&requests).await;
    }

    /// So many movements of every kind among so many accounts, which hold so much at first.
    async fn random_payments(&mut self, accounts: usize, balance: i64, movements: usize) {
        let mut players = Vec::new();
        for _ in 0..accounts {
            players.push(self.account(balance).await);
        }
        let mut requests = Vec::new();
        for _ in 0..movements {
            let random = &mut self.bank.random;
            let payer = random.random_range(0..players.len());
            let paid = (payer + random.random_range(1..players.len())) % players.len();
            let ((payer, from), (_, to)) = (&players[payer], &players[paid]);
            let minor_units = random.random_range(1..800);
            let movement = match random.random_range(0..20) {
                0 => deposit(from, minor_units),
                1 => withdrawal(from, minor_units),
                _ => dollars(from, to, minor_units),
            };
            requests.push(Request::new(payer, movement));
        }
        self.send_at_once(&requests).await;
    }

    async fn dead_lines(&mut self) {
        let (alice, from) = self.account(10_000).await;
        let (_, to) = self.account(0).await;
        let wire = Wire::to(self.options.get_port()).await;
        let behind = self.options.clone().port(wire.port);
        let store = (self.make)(PostgresStore::open(&config(&behind)).await.unwrap());
        let cuts = [Cut::Request, Cut::Reply, Cut::RequestAndAllAfter, Cut::ReplyAndAllAfter];
        for cut in cuts.into_iter().cycle().take(16) {
            // A first one, so that the statement is prepared, and is all that crosses the line.
            self.send(&*store, &Request::new(&alice, dollars(&from, &to, 1))).await;
            let request = Request::new(&alice, dollars(&from, &to, 10));
            wire.cut_next(cut);
            let sent = store.move_money(&request.caller, &request.key, request.movement).await;
            wire.mend();
            match sent {
                // Told, a client does not ask again.
                Ok(keyed) => self.ledger.lock().await.note(&request, keyed.outcome),
                Err(_) => self.send(&*store, &request).await,
            }
        }
    }

    /// What is wrong, in words.
    pub(crate) async fn judge(self) -> Vec<String> {
        let Self { bank, options, stores, accounts, ledger, .. } = self;
        // A server's process tells of its deadlocks when it ends.
        drop(stores);
        let observer = &bank.pool;
        let others = || {
            sqlx::query_scalar!(
                r#"SELECT count(*) AS "count!" FROM pg_stat_activity
                   WHERE datname = current_database() AND usename = 'bank_app'"#
            )
            .fetch_one(observer)
        };
        let ledger = ledger.into_inner();
        let mut findings = Vec::new();
        let changes = ledger.changes();
        for (caller, account) in &accounts {
            let expected = changes.get(&account.id).copied().unwrap_or_default();
            match bank.store.get_account(caller, account.id).await {
                Ok(read) if read.balance.minor_units() == expected => {}
                read => findings.push(format!("acknowledged were {expected}, not {read:?}")),
            }
        }
        drop(bank.store);
        until(async || others().await.unwrap() == 0).await;

        let movements = sqlx::query_scalar!(
            r#"SELECT count(*) AS "count!" FROM movements WHERE refusal IS NULL"#
        );
        let movements = movements.fetch_one(observer).await.unwrap();
        if movements != i64::try_from(ledger.done()).unwrap() {
            findings.push(format!("{} keys have {movements} effects", ledger.done()));
        }
        let deadlocks = sqlx::query_scalar!(
            r#"SELECT deadlocks AS "deadlocks!" FROM pg_stat_database
               WHERE datname = current_database()"#
        );
        let deadlocks = deadlocks.fetch_one(observer).await.unwrap();
        if deadlocks > 0 {
            findings.push(format!("{deadlocks} deadlocks"));
        }
        let breaches = verify(&config(&options)).await.unwrap();
        findings.extend(breaches.iter().map(|breach| format!("{breach:?}")));
        findings.extend(ledger.findings);
        findings
    }
}

/// The store as it is.
pub(crate) fn honest(store: PostgresStore) -> Arc<dyn Teller> {
    Arc::new(store)
}

#[sqlx::test(migrations = "../migrations")]
async fn a_rough_day_leaves_nothing_wrong(_: PgPoolOptions, options: PgConnectOptions) {
    assert_eq!(Ordeal::new(options, honest).await.run().await, [""; 0]);
}

/// Thirty thousand transfers: every account wanted by everybody, and hardly ever the same.
#[sqlx::test(migrations = "../migrations")]
async fn thirty_thousand_random_transfers(_: PgPoolOptions, options: PgConnectOptions) {
    let mut ordeal = Ordeal::new(options, honest).await;
    ordeal.random_payments(5, 10_000, 12_000).await;
    ordeal.random_payments(1_000, 10_000, 23_000).await;
    let transfers = sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM transfers"#);
    let transfers = transfers.fetch_one(&ordeal.bank.pool).await.unwrap();
    assert!(transfers >= 30_000, "{transfers}");
    assert_eq!(ordeal.judge().await, [""; 0]);
}
