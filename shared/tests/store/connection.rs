use std::time::Duration;

use shared::{
    config::DatabaseConfig,
    domain::{Attempt, Proof, Username},
    store::{PostgresStore, Store, StoreError},
};
use sqlx::{
    AssertSqlSafe, ConnectOptions, Executor, PgConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::support::{Bank, attempt, config};

fn nobody() -> Attempt {
    attempt(&Username::parse("nobody").unwrap())
}

const UNKNOWN: Proof = Proof { credentials: None, locked_for: None };

/// The server's processes that serve the store.
async fn backends(observer: &mut PgConnection) -> Vec<i32> {
    sqlx::query_scalar!(
        r#"SELECT pid AS "pid!" FROM pg_stat_activity
           WHERE datname = current_database() AND application_name = 'simplebank'
             AND pid <> pg_backend_pid()"#
    )
    .fetch_all(observer)
    .await
    .unwrap()
}

#[sqlx::test(migrations = "../migrations")]
async fn one_connection_serves_one_request_after_another(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let mut observer = options.clone().application_name("observer").connect().await.unwrap();
    let store = PostgresStore::open(&config(&options)).await.unwrap();
    let opened = backends(&mut observer).await;
    assert_eq!(opened.len(), 1, "before the first request");
    for _ in 0..5 {
        store.find_proof(&nobody()).await.unwrap();
    }
    assert_eq!(backends(&mut observer).await, opened);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_connection_that_was_cut_is_replaced(_: PgPoolOptions, options: PgConnectOptions) {
    let mut observer = options.clone().application_name("observer").connect().await.unwrap();
    let store = PostgresStore::open(&config(&options)).await.unwrap();
    for pid in backends(&mut observer).await {
        sqlx::query_scalar!("SELECT pg_terminate_backend($1)", pid)
            .fetch_one(&mut observer)
            .await
            .unwrap();
    }
    // Used a moment ago, it is trusted: the request that meets the cut is told to come back.
    let met_the_cut = store.find_proof(&nobody()).await;
    assert!(matches!(met_the_cut, Err(StoreError::Unavailable(_))), "{met_the_cut:?}");
    assert_eq!(store.find_proof(&nobody()).await.unwrap(), UNKNOWN);
}

/// The other end does not answer, not even that it is gone: whoever gives up waiting leaves nothing
/// behind, and the next request gets a new connection.
#[sqlx::test(migrations = "../migrations")]
async fn a_silent_server_process_is_left_behind(_: PgPoolOptions, options: PgConnectOptions) {
    let mut observer = options.clone().application_name("observer").connect().await.unwrap();
    let store = PostgresStore::open(&config(&options)).await.unwrap();
    let mut holder = options.clone().application_name("holder").connect().await.unwrap();
    holder.execute("BEGIN; LOCK TABLE users").await.unwrap();
    let before = backends(&mut observer).await;

    let name = nobody();
    let waiting = store.find_proof(&name);
    let gave_up = tokio::time::timeout(Duration::from_millis(100), waiting).await;
    assert!(gave_up.is_err());
    holder.execute("ROLLBACK").await.unwrap();

    assert_eq!(store.find_proof(&nobody()).await.unwrap(), UNKNOWN);
    let after = backends(&mut observer).await;
    assert!(after.iter().any(|pid| !before.contains(pid)), "{before:?} {after:?}");
}

#[sqlx::test(migrations = "../migrations")]
async fn no_database_is_no_reason_not_to_start(_: PgPoolOptions, options: PgConnectOptions) {
    let store = PostgresStore::open(&config(&options.port(1))).await.unwrap();
    let answer = store.find_proof(&nobody()).await;
    assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_server_that_may_lose_commits_is_refused(
    pool_options: PgPoolOptions,
    options: PgConnectOptions,
) {
    let pool = pool_options.connect_with(options.clone()).await.unwrap();
    pool.execute(
        "DO $$ BEGIN
             EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', current_database());
         END $$",
    )
    .await
    .unwrap();

    let careful = DatabaseConfig { allow_unsafe: false, ..config(&options) };
    let store = PostgresStore::open(&careful).await.unwrap();
    let refused = store.find_proof(&nobody()).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");

    let store = PostgresStore::open(&config(&options)).await.unwrap();
    assert_eq!(store.find_proof(&nobody()).await.unwrap(), UNKNOWN);
}

/// Runs `ALTER DATABASE … SET` for the test's own.
async fn set(observer: &mut PgConnection, setting: &'static str) {
    let name = sqlx::query_scalar!(r#"SELECT quote_ident(current_database()) AS "name!""#)
        .fetch_one(&mut *observer)
        .await
        .unwrap();
    observer.execute(AssertSqlSafe(format!("ALTER DATABASE {name} SET {setting}"))).await.unwrap();
}

/// A connection that leads to a writer that is none any more would refuse writes for as long as it lasts.
#[sqlx::test(migrations = "../migrations")]
async fn a_writer_that_has_become_a_reader_is_left(_: PgPoolOptions, options: PgConnectOptions) {
    let mut observer = options.clone().application_name("observer").connect().await.unwrap();
    set(&mut observer, "default_transaction_read_only = on").await;
    let mut bank = Bank::new(options).await;
    let (first, second) = (bank.new_user(), bank.new_user());
    set(&mut observer, "default_transaction_read_only = off").await;
    let refused = bank.store.create_user(first).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    bank.store.create_user(second).await.unwrap();
}

#[sqlx::test(migrations = "../migrations")]
async fn a_reader_is_not_taken(_: PgPoolOptions, options: PgConnectOptions) {
    let mut observer = options.clone().application_name("observer").connect().await.unwrap();
    let reads = "CREATE FUNCTION public.pg_is_in_recovery() RETURNS boolean RETURN true";
    observer.execute(reads).await.unwrap();
    set(&mut observer, "search_path = public, pg_catalog").await;
    let store = PostgresStore::open(&config(&options)).await.unwrap();
    let refused = store.find_proof(&nobody()).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    set(&mut observer, "search_path = public").await;
    assert_eq!(store.find_proof(&nobody()).await.unwrap(), UNKNOWN);
}
