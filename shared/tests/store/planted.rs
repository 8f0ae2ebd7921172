//! Bugs that banks have had, put in on purpose: each must be found, or the ordeal is worth nothing.
//!
//! Where the schema would refuse a bug's work, it is refused, and that is a finding. To see that the
//! judge finds what the schema would let through, some bugs take the schema's own rule away as well.

use std::{
    collections::HashSet,
    sync::{Arc, LazyLock, Mutex},
};

use async_trait::async_trait;
use shared::{
    domain::{
        Account, Balance, Caller, Currency, Entry, EntryId, EntryKind, IdempotencyKey, Keyed,
        Movement, Posting, Refusal, TransferId,
    },
    store::{PostgresStore, StoreError},
};
use sqlx::{
    AssertSqlSafe, ConnectOptions, Executor, PgConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use time::OffsetDateTime;

use crate::{
    ordeal::{Ordeal, Teller, honest},
    support::key,
};

const LOCK: &str = "FOR NO KEY UPDATE";

/// Rewrites the functions that move money: each text by another. A text that is not there any more
/// fails the test.
async fn rewrite(owner: &mut PgConnection, changes: &[(&str, &str)]) {
    let functions = sqlx::query_scalar!(
        r#"SELECT pg_get_functiondef(oid) AS "text!" FROM pg_proc
           WHERE proname IN ('move_money', 'post_movement')"#
    );
    let mut functions = functions.fetch_all(&mut *owner).await.unwrap();
    for (good, bad) in changes {
        assert!(functions.iter().any(|text| text.contains(good)), "{good} is nowhere");
        for text in &mut functions {
            *text = text.replace(good, bad);
        }
    }
    for text in functions {
        owner.execute(AssertSqlSafe(text)).await.unwrap();
    }
}

/// A bank whose store is as it should be, and whose database is not.
async fn found_in_sql(
    options: PgConnectOptions,
    weakened: &str,
    changes: &[(&str, &str)],
) -> Vec<String> {
    let mut owner = options.connect().await.unwrap();
    owner.execute(AssertSqlSafe(weakened.to_owned())).await.unwrap();
    rewrite(&mut owner, changes).await;
    Ordeal::new(options, honest).await.run().await
}

#[track_caller]
fn assert_found(findings: &[String], what: &str) {
    assert!(findings.iter().any(|finding| finding.contains(what)), "{findings:#?}");
}

#[sqlx::test(migrations = "../migrations")]
async fn no_key(_: PgPoolOptions, options: PgConnectOptions) {
    let changes = [
        ("movements.key = idempotency_key", "false"),
        (
            "VALUES (caller_username, idempotency_key,",
            "VALUES (caller_username, gen_random_uuid()::text,",
        ),
    ];
    assert_found(&found_in_sql(options, "", &changes).await, "effects");
}

/// Two requests under one key at once, and none waits for the other to have said so.
#[sqlx::test(migrations = "../migrations")]
async fn a_key_that_is_looked_up_and_not_held(_: PgPoolOptions, options: PgConnectOptions) {
    let changes = [("IF NOT pg_try_advisory_xact_lock(", "IF NOT (SELECT true OR 0 = ")];
    assert_found(&found_in_sql(options, "", &changes).await, "movements_key_key");
}

#[sqlx::test(migrations = "../migrations")]
async fn check_then_lock(_: PgPoolOptions, options: PgConnectOptions) {
    let findings = found_in_sql(options, "", &[(LOCK, "")]).await;
    assert_found(&findings, "money_balance_check");
}

#[sqlx::test(migrations = "../migrations")]
async fn unsorted_locks(_: PgPoolOptions, options: PgConnectOptions) {
    let changes = [
        ("IF other_id < own_id THEN", "IF false THEN"),
        ("IF other_id > own_id THEN", "IF other_id <> own_id THEN"),
    ];
    // Looked for sooner than a lock is given up.
    let impatient = "DO $$ BEGIN
        EXECUTE format('ALTER DATABASE %I SET deadlock_timeout = 10', current_database());
    END $$";
    assert_found(&found_in_sql(options, impatient, &changes).await, "deadlocks");
}

/// The movement is committed, and its entries were to follow.
const ENTRIES_LATER: [(&str, &str); 2] =
    [("FROM moved;", "FROM moved WHERE false;"), ("IF posted > 0 AND", "IF true OR")];

#[sqlx::test(migrations = "../migrations")]
async fn entries_outside_the_transaction(_: PgPoolOptions, options: PgConnectOptions) {
    assert_found(&found_in_sql(options, "", &ENTRIES_LATER).await, "movements_entries_check");
}

#[sqlx::test(migrations = "../migrations")]
async fn entries_outside_the_transaction_that_nobody_misses(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let weakened = "DROP TRIGGER movements_entries_check ON movements";
    let findings = found_in_sql(options, weakened, &ENTRIES_LATER).await;
    assert_found(&findings, "side_has_one_entry");
    assert_found(&findings, "balance_is_sum_of_entries");
}

/// Balances are read, changed and written back, and nothing in the schema minds.
#[sqlx::test(migrations = "../migrations")]
async fn a_lost_update_without_a_check(_: PgPoolOptions, options: PgConnectOptions) {
    let weakened = "ALTER DOMAIN money_balance DROP CONSTRAINT money_balance_check;
        ALTER TABLE entries DROP CONSTRAINT entries_pkey";
    let changes = [
        (LOCK, ""),
        (
            "SET balance = accounts.balance +",
            "SET balance = (SELECT read.balance FROM accounts AS read WHERE read.id = accounts.id) +",
        ),
    ];
    let findings = found_in_sql(options, weakened, &changes).await;
    assert_found(&findings, "balance_is_sum_of_entries");
    assert_found(&findings, "acknowledged were");
}

/// The same with every rule in place: it does not get as far.
#[sqlx::test(migrations = "../migrations")]
async fn a_payment_without_a_look_at_the_funds(_: PgPoolOptions, options: PgConnectOptions) {
    let changes = [("own.balance < minor_units", "false")];
    assert_found(&found_in_sql(options, "", &changes).await, "money_balance_check");
}

/// What a store does wrong with what the database told it.
#[derive(Clone, Copy)]
enum Fault {
    DoubtMeansDone,
    DoubtMeansRefused,
    KeyComesFirst,
}

struct Faulty {
    good: PostgresStore,
    fault: Fault,
}

impl Faulty {
    fn with(good: PostgresStore, fault: Fault) -> Arc<dyn Teller> {
        Arc::new(Self { good, fault })
    }

    /// Commits the key, for all environments and before anything is done under it.
    fn is_new(given: &IdempotencyKey) -> bool {
        static KEYS: LazyLock<Mutex<HashSet<String>>> = LazyLock::new(Mutex::default);
        KEYS.lock().unwrap().insert(given.as_str().to_owned())
    }
}

/// An answer that nobody gave.
fn made_up(caller: &Caller, movement: Movement) -> Posting {
    let (account_id, amount) = match movement {
        Movement::Deposit { account, amount } => (account, amount.minor_units()),
        Movement::Withdrawal { account, amount } => (account, -amount.minor_units()),
        Movement::Transfer(new) => (new.from, -new.amount.minor_units()),
    };
    let balance = Balance::new(0).unwrap();
    let created_at = OffsetDateTime::UNIX_EPOCH;
    Posting {
        account: Account {
            id: account_id,
            owner: caller.username.clone(),
            balance,
            currency: Currency::Usd,
            created_at,
        },
        entry: Entry {
            id: EntryId(1),
            account_id,
            amount,
            balance_after: balance,
            kind: EntryKind::Transfer(TransferId(1)),
            created_at,
        },
    }
}

#[async_trait]
impl Teller for Faulty {
    async fn move_money(
        &self,
        caller: &Caller,
        given: &IdempotencyKey,
        movement: Movement,
    ) -> Result<Keyed<Posting>, StoreError> {
        if let Fault::KeyComesFirst = self.fault {
            if !Self::is_new(given) {
                let outcome = Ok(made_up(caller, movement));
                return Ok(Keyed { outcome, is_replay: true });
            }
            return self.good.move_money(caller, &key(), movement).await;
        }
        let moved = self.good.move_money(caller, given, movement).await;
        match (moved, self.fault) {
            (Err(StoreError::OutcomeUnknown(_)), Fault::DoubtMeansDone) => {
                Ok(Keyed { outcome: Ok(made_up(caller, movement)), is_replay: false })
            }
            (Err(StoreError::OutcomeUnknown(_)), Fault::DoubtMeansRefused) => {
                Ok(Keyed { outcome: Err(Refusal::InsufficientFunds), is_replay: false })
            }
            (moved, _) => moved,
        }
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn an_error_at_commit_reported_as_success(_: PgPoolOptions, options: PgConnectOptions) {
    let make = |good| Faulty::with(good, Fault::DoubtMeansDone);
    assert_found(&Ordeal::new(options, make).await.run().await, "effects");
}

#[sqlx::test(migrations = "../migrations")]
async fn an_error_at_commit_reported_as_refusal(_: PgPoolOptions, options: PgConnectOptions) {
    let make = |good| Faulty::with(good, Fault::DoubtMeansRefused);
    assert_found(&Ordeal::new(options, make).await.run().await, "effects");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_key_in_its_own_transaction(_: PgPoolOptions, options: PgConnectOptions) {
    let make = |good| Faulty::with(good, Fault::KeyComesFirst);
    assert_found(&Ordeal::new(options, make).await.run().await, "effects");
}
