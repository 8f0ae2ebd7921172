//! Wrong passwords, counted.

use std::time::Duration;

use futures_util::future::join_all;
use shared::{
    domain::{Attempt, AttemptLimits, Username},
    store::{PostgresStore, Store, StoreError},
};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::support::Bank;

const LIMITS: AttemptLimits = AttemptLimits { by_name: 5, by_address: 20 };

fn attempt(username: &str, address: &str) -> Attempt {
    Attempt::new(Username::parse(username).unwrap(), address)
}

/// Whether it was counted, and so may be told to be wrong.
async fn fail(store: &PostgresStore, attempt: &Attempt) -> bool {
    match store.count_failure(attempt, LIMITS).await {
        Ok(()) => true,
        Err(StoreError::Locked(_)) => false,
        Err(error) => panic!("{error:?}"),
    }
}

async fn locked_secs(bank: &Bank, attempt: &Attempt) -> Option<u64> {
    let proof = bank.store.find_proof(attempt).await.unwrap();
    proof.locked_for.as_ref().map(Duration::as_secs)
}

/// As if so long had gone by.
async fn let_pass(bank: &Bank, seconds: i64) {
    sqlx::query!(
        "UPDATE login_failures
         SET counted_since = counted_since - $1::bigint * interval '1 second',
             last_at = last_at - $1::bigint * interval '1 second',
             locked_until = locked_until - $1::bigint * interval '1 second'",
        seconds
    )
    .execute(&bank.pool)
    .await
    .unwrap();
}

#[sqlx::test(migrations = "../migrations")]
async fn a_name_is_locked_longer_each_time_be_it_known_or_not(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let mut bank = Bank::new(options).await;
    let (user, ..) = bank.logged_in().await;
    for (number, name) in [user.username.as_str(), "nobody_at_all"].into_iter().enumerate() {
        let here = format!("192.0.2.{number}");
        for _ in 0..4 {
            assert!(fail(&bank.store, &attempt(name, &here)).await);
            assert_eq!(locked_secs(&bank, &attempt(name, &here)).await, None);
        }
        for secs in [30, 60, 120, 240, 480, 900, 900] {
            assert!(fail(&bank.store, &attempt(name, &here)).await);
            // From everywhere.
            let locked = locked_secs(&bank, &attempt(name, "198.51.100.1")).await.unwrap();
            assert!((secs - 5..=secs).contains(&locked), "{locked} of {secs}");
            assert!(!fail(&bank.store, &attempt(name, &here)).await, "not counted while locked");
            let_pass(&bank, i64::try_from(secs).unwrap()).await;
            assert_eq!(locked_secs(&bank, &attempt(name, &here)).await, None);
        }
        // A day later it is as if nothing had been.
        let_pass(&bank, 86_400).await;
        assert!(fail(&bank.store, &attempt(name, &here)).await);
        assert_eq!(locked_secs(&bank, &attempt(name, &here)).await, None);
    }
    assert_eq!(locked_secs(&bank, &attempt("somebody_else", "192.0.2.0")).await, None);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_right_password_sets_the_name_back(_: PgPoolOptions, options: PgConnectOptions) {
    let mut bank = Bank::new(options).await;
    let (user, ..) = bank.logged_in().await;
    let wrong = attempt(user.username.as_str(), "192.0.2.9");
    for _ in 0..3 {
        for _ in 0..4 {
            assert!(fail(&bank.store, &wrong).await);
        }
        bank.log_in(&user).await;
        assert_eq!(locked_secs(&bank, &wrong).await, None);
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn while_locked_not_even_the_right_password_begins_a_session(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let mut bank = Bank::new(options).await;
    let (user, caller, token) = bank.logged_in().await;
    let wrong = attempt(user.username.as_str(), "192.0.2.9");
    for _ in 0..5 {
        assert!(fail(&bank.store, &wrong).await);
    }
    let new = bank.new_session(&user);
    let refused =
        bank.store.begin_session(&attempt(user.username.as_str(), "192.0.2.1"), new).await;
    assert!(matches!(refused, Err(StoreError::Locked(_))), "{refused:?}");
    // What was begun before goes on.
    crate::sessions::renew(&bank.store, token).await.unwrap();
    assert_eq!(bank.store.list_sessions(&caller).await.unwrap().len(), 1);
}

#[sqlx::test(migrations = "../migrations")]
async fn an_address_is_locked_by_many_names(_: PgPoolOptions, options: PgConnectOptions) {
    let bank = Bank::new(options).await;
    let here = |number: i32| attempt(&format!("name_{number}"), "2001:db8:1:2::7");
    for number in 0..19 {
        assert!(fail(&bank.store, &here(number)).await);
    }
    assert_eq!(locked_secs(&bank, &here(20)).await, None);
    assert!(fail(&bank.store, &here(19)).await, "the twentieth");
    let locked = locked_secs(&bank, &here(20)).await.unwrap();
    assert!((895..=900).contains(&locked), "{locked}");
    let next_door = attempt("name_0", "2001:db8:1:2:ffff::1");
    assert!(locked_secs(&bank, &next_door).await.is_some(), "the same customer of a provider");
    let elsewhere = attempt("name_0", "2001:db8:1:3::7");
    assert_eq!(locked_secs(&bank, &elsewhere).await, None);
    let_pass(&bank, 900).await;
    assert_eq!(locked_secs(&bank, &here(20)).await, None);
    assert!(fail(&bank.store, &here(21)).await);
    assert_eq!(locked_secs(&bank, &here(22)).await, None, "it counts from one again");
}

#[sqlx::test(migrations = "../migrations")]
async fn twenty_failures_over_a_longer_time_lock_no_address(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let bank = Bank::new(options).await;
    for number in 0..40 {
        assert!(fail(&bank.store, &attempt(&format!("name_{number}"), "192.0.2.1")).await);
        let_pass(&bank, 32).await;
    }
    assert_eq!(locked_secs(&bank, &attempt("name_41", "192.0.2.1")).await, None);
}

/// Guesses that are sent together are told no more than guesses in turn.
#[sqlx::test(migrations = "../migrations")]
async fn of_fifty_guesses_side_by_side_five_are_answered(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let bank = Bank::new(options).await;
    let stores = bank.environments(50).await;
    let attempts: Vec<_> =
        (0..50).map(|number| attempt("victim", &format!("192.0.2.{number}"))).collect();
    let guesses = stores.iter().zip(&attempts).map(|(store, attempt)| fail(store, attempt));
    let answered = join_all(guesses).await.into_iter().filter(|counted| *counted).count();
    assert_eq!(answered, 5);
}

/// Nobody fills the table with names: every failure takes older ones away.
#[sqlx::test(migrations = "../migrations")]
async fn what_is_a_day_old_is_cleared_away(_: PgPoolOptions, options: PgConnectOptions) {
    let bank = Bank::new(options).await;
    for number in 0..30 {
        let address = format!("192.0.2.{number}");
        assert!(fail(&bank.store, &attempt(&format!("name_{number}"), &address)).await);
    }
    let_pass(&bank, 86_401).await;
    for _ in 0..7 {
        fail(&bank.store, &attempt("later", "198.51.100.1")).await;
        let_pass(&bank, 901).await;
    }
    let rows = sqlx::query_scalar!("SELECT subject FROM login_failures ORDER BY kind, subject");
    let rows = rows.fetch_all(&bank.pool).await.unwrap();
    assert_eq!(rows, ["198.51.100.1", "later"]);
}
