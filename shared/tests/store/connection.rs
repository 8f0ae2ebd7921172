use shared::{
    config::DatabaseConfig,
    domain::Username,
    store::{PostgresStore, Store, StoreError, postgres::connect},
};
use sqlx::{
    ConnectOptions, Executor,
    postgres::{PgConnectOptions, PgPoolOptions},
};

fn config(options: &PgConnectOptions, allow_unsafe: bool) -> DatabaseConfig {
    DatabaseConfig { url: options.to_url_lossy().to_string(), ca_file: None, allow_unsafe }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_connection_that_was_cut_is_replaced(_: PgPoolOptions, options: PgConnectOptions) {
    let pool = connect(&config(&options, true)).await.unwrap();
    let store = PostgresStore::new(pool);
    let nobody = Username::parse("nobody").unwrap();
    store.find_credentials(&nobody).await.unwrap();

    let mut other = options.connect().await.unwrap();
    sqlx::query_scalar!(
        r#"SELECT count(pg_terminate_backend(pid)) AS "count!" FROM pg_stat_activity
           WHERE datname = current_database() AND application_name = 'simplebank'
             AND pid <> pg_backend_pid()"#
    )
    .fetch_one(&mut other)
    .await
    .unwrap();

    // Used a moment ago, it is trusted: the request that meets the cut is told to come back.
    let met_the_cut = store.find_credentials(&nobody).await;
    assert!(matches!(met_the_cut, Err(StoreError::Unavailable(_))), "{met_the_cut:?}");
    assert_eq!(store.find_credentials(&nobody).await.unwrap(), None);
}

#[sqlx::test(migrations = "../migrations")]
async fn no_database_is_no_reason_not_to_start(_: PgPoolOptions, options: PgConnectOptions) {
    let nowhere = options.port(1);
    let pool = connect(&config(&nowhere, true)).await.unwrap();
    let answer =
        PostgresStore::new(pool).find_credentials(&Username::parse("nobody").unwrap()).await;
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
    let nobody = Username::parse("nobody").unwrap();

    let store = PostgresStore::new(connect(&config(&options, false)).await.unwrap());
    let refused = store.find_credentials(&nobody).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");

    let store = PostgresStore::new(connect(&config(&options, true)).await.unwrap());
    assert_eq!(store.find_credentials(&nobody).await.unwrap(), None);
}
