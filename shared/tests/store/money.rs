use std::{collections::HashSet, sync::Arc};

use futures_util::{FutureExt, future::join_all};
use rand::RngExt;
use shared::{
    domain::{
        AccountId, Caller, Currency, EntryKind, IdempotencyKey, MAX_MINOR_UNITS, Movement,
        NewTransfer, Refusal,
    },
    store::{PostgresStore, Store, StoreError},
};
use sqlx::{
    Connection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::support::{
    Bank, Moved, deposit, dollars, done, key, refusal, transfer, until, withdrawal,
};

/// As many as a busy function has environments.
const ENVIRONMENTS: usize = 16;

/// All environments at work at once, each on one movement after another, as on Lambda.
async fn at_once(
    stores: &[Arc<PostgresStore>],
    movements: impl IntoIterator<Item = (Caller, IdempotencyKey, Movement)>,
) -> Vec<Moved> {
    let mut queues = vec![Vec::new(); stores.len()];
    for (queue, movement) in (0..stores.len()).cycle().zip(movements) {
        queues[queue].push(movement);
    }
    let environments = stores.iter().zip(queues).map(|(store, queue)| async move {
        let mut moved = Vec::new();
        for (caller, key, movement) in queue {
            moved.push(store.move_money(&caller, &key, movement).await);
        }
        moved
    });
    join_all(environments).await.into_iter().flatten().collect()
}

async fn count_transfers(pool: &PgPool) -> i64 {
    let count = sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM transfers"#);
    count.fetch_one(pool).await.unwrap()
}

#[sqlx::test(migrations = "../migrations")]
async fn deposits_and_withdrawals(_: PgPoolOptions, options: PgConnectOptions) {
    let mut bank = Bank::new(options).await;
    let (owner, account) = bank.account(Currency::Usd, 0).await;

    let posting = done(bank.store.move_money(&owner, &key(), deposit(&account, 100)).await);
    assert_eq!(posting.account.balance.minor_units(), 100);
    assert_eq!(posting.entry.kind, EntryKind::Deposit);
    assert_eq!((posting.entry.amount, posting.entry.balance_after), (100, posting.account.balance));

    let posting = done(bank.store.move_money(&owner, &key(), withdrawal(&account, 30)).await);
    assert_eq!(posting.account.balance.minor_units(), 70);
    assert_eq!(posting.entry.kind, EntryKind::Withdrawal);
    assert_eq!((posting.entry.amount, posting.entry.balance_after), (-30, posting.account.balance));

    let too_much = bank.store.move_money(&owner, &key(), withdrawal(&account, 71)).await;
    assert_eq!(refusal(too_much), Refusal::InsufficientFunds);
    let over = bank.store.move_money(&owner, &key(), deposit(&account, MAX_MINOR_UNITS)).await;
    assert_eq!(refusal(over), Refusal::BalanceLimit);
    assert_eq!(bank.balance(&owner, &account).await, 70);
    bank.assert_books_are_right().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn each_refusal_names_its_cause_and_moves_nothing(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let mut bank = Bank::new(options).await;
    let (alice, from) = bank.account(Currency::Usd, 100).await;
    let (_, to) = bank.account(Currency::Usd, 0).await;
    let (_, full) = bank.account(Currency::Usd, MAX_MINOR_UNITS).await;
    let (_, euros) = bank.account(Currency::Eur, 100).await;
    let own_euros = bank.store.open_account(&alice, Currency::Eur).await.unwrap();

    let absent = NewTransfer { to: AccountId(i64::MAX), ..transfer(&from, &to, 1) };
    let in_euros = NewTransfer { currency: Currency::Eur, ..transfer(&from, &euros, 1) };
    let cases = [
        ("too much", transfer(&from, &to, 101), Some(Refusal::InsufficientFunds)),
        ("too much for the recipient", transfer(&from, &full, 1), Some(Refusal::BalanceLimit)),
        ("absent recipient", absent, Some(Refusal::RecipientUnavailable)),
        ("foreign recipient", transfer(&from, &euros, 1), Some(Refusal::RecipientUnavailable)),
        ("own foreign", transfer(&from, &own_euros, 1), Some(Refusal::RecipientUnavailable)),
        ("foreign request", in_euros, Some(Refusal::CurrencyMismatch)),
        ("to itself", transfer(&from, &from, 1), Some(Refusal::SameAccount)),
        ("another's account", transfer(&to, &from, 1), None),
        ("another's account to itself", transfer(&to, &to, 1), None),
    ];
    for (name, new, expected) in cases {
        let key = key();
        for is_replay in [false, true] {
            let moved = bank.store.move_money(&alice, &key, Movement::Transfer(new)).await;
            match expected {
                Some(expected) => {
                    let keyed = moved.unwrap();
                    assert_eq!(
                        (keyed.outcome, keyed.is_replay),
                        (Err(expected), is_replay),
                        "{name}"
                    );
                }
                None => assert!(matches!(moved, Err(StoreError::NotFound)), "{name}: {moved:?}"),
            }
        }
    }
    assert_eq!(count_transfers(&bank.pool).await, 0);
    assert_eq!(bank.balance(&alice, &from).await, 100);
    bank.assert_books_are_right().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_key_has_one_effect_for_ever(_: PgPoolOptions, options: PgConnectOptions) {
    let mut bank = Bank::new(options).await;
    let (alice, from) = bank.account(Currency::Usd, 100).await;
    let (bob, to) = bank.account(Currency::Usd, 100).await;
    let first_key = key();
    let movements = [dollars(&from, &to, 10), deposit(&from, 10), withdrawal(&from, 10)];

    let first = bank.store.move_money(&alice, &first_key, movements[0]).await.unwrap();
    assert!(!first.is_replay);
    // The world goes on; the first answer stays as it was.
    done(bank.store.move_money(&alice, &key(), deposit(&from, 7)).await);
    let again = bank.store.move_money(&alice, &first_key, movements[0]).await.unwrap();
    assert!(again.is_replay);
    assert_eq!(again.outcome, first.outcome);

    for other in [dollars(&from, &to, 11), movements[1], movements[2]] {
        let reused = bank.store.move_money(&alice, &first_key, other).await;
        assert!(matches!(reused, Err(StoreError::KeyReused)), "{reused:?}");
    }
    // The same key is another one in another's hands.
    assert!(
        !bank.store.move_money(&bob, &first_key, dollars(&to, &from, 10)).await.unwrap().is_replay
    );

    for movement in [movements[1], movements[2]] {
        let key = key();
        let first = bank.store.move_money(&alice, &key, movement).await.unwrap();
        let again = bank.store.move_money(&alice, &key, movement).await.unwrap();
        assert_eq!((again.outcome, again.is_replay), (first.outcome, true));
    }
    assert_eq!(bank.balance(&alice, &from).await, 107);
    bank.assert_books_are_right().await;
}

/// Two hundred at once under one key: one effect, and no other answer than that one or "in flight".
#[sqlx::test(migrations = "../migrations")]
async fn identical_requests_at_once_have_one_effect(_: PgPoolOptions, options: PgConnectOptions) {
    let mut bank = Bank::new(options).await;
    let (alice, from) = bank.account(Currency::Usd, 1_000).await;
    let (_, to) = bank.account(Currency::Usd, 0).await;
    let stores = bank.environments(ENVIRONMENTS).await;
    let key = key();

    let requests = (0..200).map(|_| (alice.clone(), key.clone(), dollars(&from, &to, 10)));
    let mut postings = Vec::new();
    let mut firsts = 0;
    for moved in at_once(&stores, requests).await {
        match moved {
            Ok(keyed) => {
                firsts += usize::from(!keyed.is_replay);
                postings.push(keyed.outcome.unwrap());
            }
            Err(error) => assert!(matches!(error, StoreError::RequestInFlight), "{error:?}"),
        }
    }
    assert_eq!(firsts, 1);
    assert!(postings.iter().all(|posting| *posting == postings[0]));
    assert_eq!(count_transfers(&bank.pool).await, 1);
    assert_eq!(bank.balance(&alice, &from).await, 990);
    bank.assert_books_are_right().await;
}

/// The course's test of concurrent transfers, ten times its size: fifty in one direction.
#[sqlx::test(migrations = "../migrations")]
async fn concurrent_transfers_in_one_direction(_: PgPoolOptions, options: PgConnectOptions) {
    let mut bank = Bank::new(options).await;
    let spare = bank.random.random_range(0..1_000);
    let (alice, from) = bank.account(Currency::Usd, 500 + spare).await;
    let (bob, to) = bank.account(Currency::Usd, spare).await;
    let stores = bank.environments(ENVIRONMENTS).await;

    let transfers = (0..50).map(|_| (alice.clone(), key(), dollars(&from, &to, 10)));
    let moved = at_once(&stores, transfers).await;

    let mut steps = HashSet::new();
    let mut transfers = HashSet::new();
    for posting in moved.into_iter().map(done) {
        let (account, entry) = (posting.account, posting.entry);
        assert_eq!((account.id, entry.account_id, entry.amount), (from.id, from.id, -10));
        assert_eq!(entry.balance_after, account.balance);
        assert!(transfers.insert(entry.kind.transfer_id().unwrap()));
        let paid = 500 + spare - account.balance.minor_units();
        assert_eq!(paid % 10, 0);
        assert!((10..=500).contains(&paid));
        assert!(steps.insert(paid), "each balance is seen once");
    }
    assert_eq!(bank.balance(&alice, &from).await, spare);
    assert_eq!(bank.balance(&bob, &to).await, spare + 500);
    assert_eq!(count_transfers(&bank.pool).await, 50);
    bank.assert_books_are_right().await;
}

/// The course's test for deadlocks, ten times its size: a hundred in alternating directions.
#[sqlx::test(migrations = "../migrations")]
async fn alternating_directions_do_not_deadlock(_: PgPoolOptions, options: PgConnectOptions) {
    let mut bank = Bank::new(options).await;
    let (alice, first) = bank.account(Currency::Usd, 1_000).await;
    let (bob, second) = bank.account(Currency::Usd, 1_000).await;
    let stores = bank.environments(ENVIRONMENTS).await;

    let transfers = (0..100).map(|number| match number % 2 {
        0 => (alice.clone(), key(), dollars(&first, &second, 10)),
        _ => (bob.clone(), key(), dollars(&second, &first, 10)),
    });
    at_once(&stores, transfers).await.into_iter().for_each(|moved| drop(done(moved)));

    assert_eq!(bank.balance(&alice, &first).await, 1_000);
    assert_eq!(bank.balance(&bob, &second).await, 1_000);
    bank.assert_books_are_right().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn nobody_spends_the_same_money_twice(_: PgPoolOptions, options: PgConnectOptions) {
    let mut bank = Bank::new(options).await;
    let (alice, from) = bank.account(Currency::Usd, 100).await;
    let (bob, to) = bank.account(Currency::Usd, 0).await;
    let stores = bank.environments(ENVIRONMENTS).await;

    let transfers = (0..50).map(|_| (alice.clone(), key(), dollars(&from, &to, 60)));
    let outcomes: Vec<_> =
        at_once(&stores, transfers).await.into_iter().map(|moved| moved.unwrap().outcome).collect();

    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    let refused = outcomes.iter().filter(|outcome| **outcome == Err(Refusal::InsufficientFunds));
    assert_eq!(refused.count(), 49);
    assert_eq!(bank.balance(&alice, &from).await, 40);
    assert_eq!(bank.balance(&bob, &to).await, 60);
    bank.assert_books_are_right().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_lock_is_not_waited_for_longer_than_a_second(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let mut bank = Bank::new(options).await;
    let (alice, from) = bank.account(Currency::Usd, 100).await;
    let (mallory, _) = bank.account(Currency::Usd, 0).await;
    let (_, to) = bank.account(Currency::Usd, 0).await;
    let mut connection = bank.pool.acquire().await.unwrap();
    let mut holder = connection.begin().await.unwrap();
    for account in [&from, &to] {
        sqlx::query!("SELECT id FROM accounts WHERE id = $1 FOR UPDATE", account.id.0)
            .fetch_one(&mut *holder)
            .await
            .unwrap();
    }
    // Somebody else's lock tells a stranger nothing, not even by the time it takes.
    for attempt in [deposit(&from, 1), dollars(&from, &to, 1), dollars(&to, &from, 1)] {
        let foreign = bank.store.move_money(&mallory, &key(), attempt).await;
        assert!(matches!(foreign, Err(StoreError::NotFound)), "{foreign:?}");
    }

    let key = key();
    let blocked = bank.store.move_money(&alice, &key, dollars(&from, &to, 1)).await;
    assert!(matches!(blocked, Err(StoreError::Unavailable(_))), "{blocked:?}");

    holder.rollback().await.unwrap();
    let moved = bank.store.move_money(&alice, &key, dollars(&from, &to, 1)).await.unwrap();
    assert!(!moved.is_replay && moved.outcome.is_ok());
    assert_eq!(bank.balance(&alice, &from).await, 99);
}

/// A request that meets another under its key is told so at once.
#[sqlx::test(migrations = "../migrations")]
async fn a_duplicate_in_flight_is_told_so(_: PgPoolOptions, options: PgConnectOptions) {
    let mut bank = Bank::new(options).await;
    let (alice, from) = bank.account(Currency::Usd, 100).await;
    let (_, to) = bank.account(Currency::Usd, 0).await;
    let other = bank.environments(1).await.remove(0);
    let key = key();
    let mut connection = bank.pool.acquire().await.unwrap();
    let mut holder = connection.begin().await.unwrap();
    sqlx::query!("SELECT id FROM accounts WHERE id = $1 FOR UPDATE", to.id.0)
        .fetch_one(&mut *holder)
        .await
        .unwrap();
    let holder_pid = sqlx::query_scalar!(r#"SELECT pg_backend_pid() AS "pid!""#)
        .fetch_one(&mut *holder)
        .await
        .unwrap();

    let first = bank.store.move_money(&alice, &key, dollars(&from, &to, 1));
    let second = async {
        let waiting = || {
            sqlx::query_scalar!(
                r#"SELECT count(*) AS "count!" FROM pg_stat_activity
                   WHERE $1 = ANY (pg_blocking_pids(pid))"#,
                holder_pid
            )
            .fetch_one(&bank.pool)
        };
        until(async || waiting().await.unwrap() > 0).await;
        let duplicate = other.move_money(&alice, &key, dollars(&from, &to, 1)).await;
        assert!(matches!(duplicate, Err(StoreError::RequestInFlight)), "{duplicate:?}");
        holder.rollback().await.unwrap();
    };
    let (first, ()) = tokio::join!(first, second);
    assert!(!first.unwrap().is_replay);
    assert_eq!(bank.balance(&alice, &from).await, 99);
}

/// The line goes dead in the middle of the statement: it is tried once more under its key.
#[sqlx::test(migrations = "../migrations")]
async fn a_movement_survives_a_cut_connection(_: PgPoolOptions, options: PgConnectOptions) {
    let mut bank = Bank::new(options).await;
    let (alice, from) = bank.account(Currency::Usd, 100).await;
    let (_, to) = bank.account(Currency::Usd, 0).await;
    let mut connection = bank.pool.acquire().await.unwrap();
    let mut holder = connection.begin().await.unwrap();
    sqlx::query!("SELECT id FROM accounts WHERE id = $1 FOR UPDATE", to.id.0)
        .fetch_one(&mut *holder)
        .await
        .unwrap();

    let key = key();
    let moved = bank.store.move_money(&alice, &key, dollars(&from, &to, 1)).map(done);
    let cut = async {
        let cut_blocked = || {
            sqlx::query_scalar!(
                r#"SELECT count(pg_terminate_backend(pid)) AS "count!" FROM pg_stat_activity
                   WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0"#
            )
            .fetch_one(&bank.pool)
        };
        until(async || cut_blocked().await.unwrap() > 0).await;
        holder.rollback().await.unwrap();
    };
    let (posting, ()) = tokio::join!(moved, cut);

    assert_eq!(posting.account.balance.minor_units(), 99);
    assert_eq!(count_transfers(&bank.pool).await, 1);
    bank.assert_books_are_right().await;
}
