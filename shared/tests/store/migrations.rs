use std::process::Command;

use shared::{
    domain::{Currency, Keyed},
    store::{
        Store,
        postgres::{
            migrations::{Direction, MIGRATOR, MigrationError, migrate},
            roles::restore_application,
        },
    },
};
use sqlx::{
    ConnectOptions, Executor, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::support::{Bank, deposit, dollars, done, key, owner_config, withdrawal};

/// What `pg_dump` says of the schema, without the lines that differ from run to run.
fn schema(options: &PgConnectOptions) -> String {
    let mut url = options.to_url_lossy();
    url.set_query(None); // The driver's own settings mean nothing to libpq.
    let dump = Command::new("pg_dump")
        .arg("--schema-only")
        // With what the database sets for roles.
        .arg("--create")
        .arg("--exclude-table=_sqlx_migrations")
        .arg(url.as_str())
        .output()
        .expect("pg_dump comes with Postgres; `make test` puts it on the PATH");
    assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
    let text = String::from_utf8(dump.stdout).unwrap();
    text.lines().filter(|line| !line.starts_with('\\')).collect::<Vec<_>>().join("\n")
}

#[sqlx::test(migrations = false)]
async fn down_and_up_again_leaves_the_same_schema(_: PgPoolOptions, options: PgConnectOptions) {
    let config = owner_config(&options);
    let newest = MIGRATOR.iter().map(|migration| migration.version).max().unwrap();
    let empty = migrate(&config, Direction::Stay).await.unwrap();
    assert_eq!((empty.version, empty.pending.last()), (0, Some(&newest)));
    let nothing = schema(&options);

    let up = migrate(&config, Direction::Up).await.unwrap();
    assert_eq!((up.version, up.pending), (newest, vec![]));
    let everything = schema(&options);
    assert_ne!(everything, nothing);

    for version in (0..newest).rev() {
        let before = schema(&options);
        let down = migrate(&config, Direction::Down).await.unwrap();
        assert_eq!(down.version, version);
        assert_ne!(schema(&options), before, "going down to {version} took something away");
    }
    assert_eq!(schema(&options), nothing, "nothing is left at the bottom");
    assert_eq!(migrate(&config, Direction::Down).await.unwrap().version, 0, "nothing more to undo");

    migrate(&config, Direction::Up).await.unwrap();
    assert_eq!(schema(&options), everything);
    assert_eq!(migrate(&config, Direction::Up).await.unwrap().version, newest, "up is idempotent");
}

#[sqlx::test(migrations = false)]
async fn a_failed_migration_leaves_nothing_and_blocks_nobody(
    pool_options: PgPoolOptions,
    options: PgConnectOptions,
) {
    let config = owner_config(&options);
    let pool: PgPool = pool_options.connect_with(options).await.unwrap();
    pool.execute("CREATE TABLE transfers (in_the_way int)").await.unwrap();

    let failed = migrate(&config, Direction::Up).await;
    assert!(matches!(failed, Err(MigrationError::Migration(_))), "{failed:?}");
    assert_eq!(migrate(&config, Direction::Stay).await.unwrap().version, 2);

    pool.execute("DROP TABLE transfers").await.unwrap();
    let up = migrate(&config, Direction::Up).await.unwrap();
    assert_eq!(up.pending, [0; 0]);
}

/// The present call of a function that had a parameter less.
const OLD_MOVE_MONEY: &str = "
    CREATE FUNCTION move_money(
        uuid, text, text, bytea, bigint, bigint, bigint, text, boolean,
        OUT outcome text, OUT is_replay boolean, OUT account_id bigint, OUT account_currency text,
        OUT account_created_at timestamptz, OUT entry_id bigint, OUT entry_amount bigint,
        OUT balance_after bigint, OUT transfer_id bigint, OUT entry_created_at timestamptz
    ) LANGUAGE sql AS 'SELECT outcome, is_replay, account_id, account_currency, account_created_at,
        entry_id, entry_amount, balance_after, transfer_id, entry_created_at
        FROM move_money($1, $2, $3, $4, $5, $6, $7, $8)'";
const NO_OLD_MOVE_MONEY: &str = "DROP FUNCTION IF EXISTS
    move_money(uuid, text, text, bytea, bigint, bigint, bigint, text, boolean)";

/// Money that was moved before the books were kept as they are now is in them all the same, and
/// every key answers as it did. So it is on the way back.
#[sqlx::test(migrations = false)]
async fn the_books_and_their_keys_survive_a_migration(_: PgPoolOptions, options: PgConnectOptions) {
    const BEFORE_MOVEMENTS: i64 = 6;
    let config = owner_config(&options);
    let down = async || {
        while migrate(&config, Direction::Stay).await.unwrap().version > BEFORE_MOVEMENTS {
            migrate(&config, Direction::Down).await.unwrap();
        }
    };
    migrate(&config, Direction::Up).await.unwrap();
    let mut bank = Bank::with(options, config.clone()).await;
    let (alice, bob) = (bank.customer().await, bank.customer().await);
    down().await;
    bank.pool.execute(OLD_MOVE_MONEY).await.unwrap();

    let from = bank.account_of(&alice, Currency::Usd, 100).await;
    let to = bank.account_of(&bob, Currency::Usd, 0).await;
    let requests = [
        (&alice, key(), dollars(&from, &to, 30)),
        (&alice, key(), withdrawal(&from, 20)),
        (&bob, key(), dollars(&to, &from, 7)),
        (&bob, key(), deposit(&to, 5)),
        (&alice, key(), dollars(&from, &to, 1_000)),
    ];
    let mut answers = Vec::new();
    for (caller, key, movement) in &requests {
        let answer = bank.store.move_money(caller, key, *movement).await.unwrap();
        answers.push(Keyed { is_replay: true, ..answer });
    }
    for direction in [Direction::Up, Direction::Down, Direction::Up] {
        match direction {
            Direction::Down => {
                down().await;
                bank.pool.execute(OLD_MOVE_MONEY).await.unwrap();
            }
            Direction::Up | Direction::Deploy | Direction::Stay => {
                bank.pool.execute(NO_OLD_MOVE_MONEY).await.unwrap();
                migrate(&config, direction).await.unwrap();
            }
        }
        for ((caller, key, movement), answer) in requests.iter().zip(&answers) {
            let again = bank.store.move_money(caller, key, *movement).await.unwrap();
            assert_eq!(again, *answer, "{direction:?}");
        }
        done(bank.store.move_money(&alice, &key(), dollars(&from, &to, 1)).await);
    }
    bank.assert_books_are_right().await;
    assert_eq!(bank.balance(&alice, &from).await, 100 - 30 - 20 + 7 - 3);
    assert_eq!(bank.balance(&bob, &to).await, 30 - 7 + 5 + 3);
}

/// Errors are told apart by constraint names, so none may be left for Postgres to make up.
#[sqlx::test(migrations = "../migrations")]
async fn every_constraint_is_named_by_its_migration(pool: PgPool) {
    let names = sqlx::query_scalar!(
        r"SELECT conname FROM pg_constraint
         WHERE connamespace = 'public'::regnamespace
           AND conname NOT LIKE '\_sqlx%' AND contype <> 'n'"
    );
    for name in names.fetch_all(&pool).await.unwrap() {
        let is_written = |sql: &str| {
            sql.contains(&format!("CONSTRAINT {name} "))
                || sql.contains(&format!("CONSTRAINT TRIGGER {name} "))
                || sql.contains(&format!("CONSTRAINT {name}\n"))
        };
        assert!(MIGRATOR.iter().any(|each| is_written(each.sql.as_str())), "{name}");
    }
}

/// Every role may change its own settings.
#[sqlx::test(migrations = "../migrations")]
async fn what_the_application_sets_for_itself_is_taken_back(
    pool_options: PgPoolOptions,
    options: PgConnectOptions,
) {
    let pool = pool_options.connect_with(options.clone()).await.unwrap();
    let settings = async || {
        let settings = sqlx::query_scalar!(
            r#"SELECT setconfig AS "setconfig!" FROM pg_db_role_setting
               WHERE setrole = 'bank_app'::regrole
                 AND setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())"#
        );
        settings.fetch_one(&pool).await.unwrap()
    };
    let wanted = settings().await;
    assert_eq!(wanted.len(), 3, "{wanted:?}");

    let mut application = options.clone().username("bank_app").connect().await.unwrap();
    let taken_over = "DO $$ BEGIN
        EXECUTE format('ALTER ROLE bank_app IN DATABASE %I SET statement_timeout = 0', current_database());
        EXECUTE format('ALTER ROLE bank_app IN DATABASE %I SET synchronous_commit = off', current_database());
    END $$";
    application.execute(taken_over).await.unwrap();
    assert_ne!(settings().await, wanted);

    restore_application(&owner_config(&options), None).await.unwrap();
    assert_eq!(settings().await, wanted);
}
