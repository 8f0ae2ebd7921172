//! SQL by somebody who has got hold of a connection: no code of the bank is involved.
//!
//! Twice: as the application's role, whose rights end early, and as the role that owns the schema,
//! to which only the rules of the schema itself can say no.

use shared::{
    domain::{Account, Caller, Currency, TransferId},
    store::Store,
};
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection,
    error::DatabaseError,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::support::{Bank, application, dollars, done, key};

/// What the attacks are about: a transfer of 10 from an account of 100 to one of 50, both in
/// dollars.
struct Scene {
    bank: Bank,
    mallory: Caller,
    from: Account,
    to: Account,
    euros: Account,
    transfer: TransferId,
}

impl Scene {
    async fn set(options: PgConnectOptions) -> Self {
        let mut bank = Bank::new(options).await;
        let (mallory, from) = bank.account(Currency::Usd, 100).await;
        let (_, to) = bank.account(Currency::Usd, 50).await;
        let (_, euros) = bank.account(Currency::Eur, 0).await;
        let paid = done(bank.store.move_money(&mallory, &key(), dollars(&from, &to, 10)).await);
        let transfer = paid.entry.kind.transfer_id().unwrap();
        Self { bank, mallory, from, to, euros, transfer }
    }

    /// Fills in the numbers and the name that a statement has in braces.
    fn write(&self, statement: &str) -> String {
        statement
            .replace("{from}", &self.from.id.0.to_string())
            .replace("{to}", &self.to.id.0.to_string())
            .replace("{euros}", &self.euros.id.0.to_string())
            .replace("{transfer}", &self.transfer.0.to_string())
            .replace("{mallory}", self.mallory.username.as_str())
    }

    /// Sends the statements as one transaction, and expects Postgres to say no with this SQLSTATE.
    async fn refuse(&self, connection: &mut PgConnection, statements: &str, sqlstate: &str) {
        let statements = self.write(statements);
        let mut transaction = connection.begin().await.unwrap();
        let mut outcome = transaction.execute(AssertSqlSafe(statements.clone())).await.map(drop);
        outcome = match outcome {
            // What is deferred speaks at the end.
            Ok(()) => transaction.commit().await,
            Err(error) => Err(error),
        };
        let error = outcome.expect_err(&statements);
        let code = error.as_database_error().and_then(DatabaseError::code).unwrap();
        assert_eq!(code, sqlstate, "{statements}: {error}");
    }
}

const DENIED: &str = "42501";

#[sqlx::test(migrations = "../migrations")]
async fn the_application_can_only_add(_: PgPoolOptions, options: PgConnectOptions) {
    let attacks = [
        // Money by hand.
        "UPDATE accounts SET balance = balance + 100 WHERE id = {from}",
        "UPDATE accounts SET balance = 0 WHERE id = {to}",
        "UPDATE accounts SET version = version + 1",
        "INSERT INTO accounts (owner, currency, balance) VALUES ('{mallory}', 'CAD', 100)",
        "INSERT INTO entries (account_id, account_version, movement_id, kind, currency, amount,
             balance_after)
         VALUES ({from}, 3, {transfer}, 'transfer', 'USD', 10, 100)",
        "INSERT INTO movements (username, key, request_hash, kind, to_account_id, amount, currency)
         VALUES ('{mallory}', 'aaaaaaaaaaaaaaaa', sha256(''), 'deposit', {from}, 100, 'USD')",
        "INSERT INTO transfers (from_account_id, to_account_id, amount, currency)
         VALUES ({to}, {from}, 50, 'USD')",
        "SELECT setval('movements_id_seq', 1)",
        "SELECT nextval('movements_id_seq')",
        // The past.
        "UPDATE entries SET amount = 1000000",
        "DELETE FROM entries",
        "TRUNCATE entries",
        "UPDATE transfers SET amount = 1",
        "DELETE FROM transfers WHERE id = {transfer}",
        "UPDATE movements SET to_account_id = {from}",
        "DELETE FROM movements",
        "TRUNCATE movements CASCADE",
        "TRUNCATE accounts, users CASCADE",
        "DELETE FROM accounts",
        "MERGE INTO entries USING accounts ON false
         WHEN NOT MATCHED THEN INSERT (account_id) VALUES ({from})",
        // Who owns what.
        "UPDATE accounts SET owner = '{mallory}' WHERE id = {to}",
        "UPDATE accounts SET currency = 'EUR' WHERE id = {from}",
        "UPDATE users SET role = 'banker' WHERE username = '{mallory}'",
        "INSERT INTO users (username, hashed_password, full_name, email, role)
         VALUES ('mallory_2', 'x', 'M', 'm@example.com', 'banker')",
        "UPDATE users SET hashed_password = 'x'",
        "UPDATE users SET is_email_verified = true",
        "UPDATE verify_emails SET secret_hash = sha256(''), expires_at = 'infinity'",
        "UPDATE verify_emails SET tries = 0",
        "UPDATE verify_emails SET email = 'm@example.com'",
        "UPDATE verify_emails SET created_at = '2020-01-01'",
        "INSERT INTO verify_emails (username, email, reason, secret_hash, expires_at)
         VALUES ('{mallory}', 'm@example.com', 'resend', sha256(''), 'infinity')",
        "SELECT verify_email_wait_secs('{mallory}', 'resend', '0 seconds', 100)",
        "TRUNCATE verify_emails",
        "INSERT INTO sessions (id, username, refresh_token_hash, user_agent, client_ip, expires_at)
         VALUES (gen_random_uuid(), '{mallory}', sha256(''), 'm', '192.0.2.7', 'infinity')",
        "UPDATE sessions SET username = '{mallory}'",
        "UPDATE sessions SET expires_at = 'infinity'",
        "UPDATE sessions SET ends_at = 'infinity', expires_at = 'infinity'",
        "UPDATE sessions SET refresh_token_hash = sha256('')",
        "DELETE FROM sessions",
        "SELECT FROM spent_refresh_tokens",
        "DELETE FROM login_failures",
        "UPDATE login_failures SET locked_until = NULL",
        "INSERT INTO audit_events (actor, action, username, after)
         VALUES ('olga', 'role_granted', '{mallory}', 'banker')",
        "SELECT FROM audit_events",
        // The rules themselves.
        "ALTER TABLE entries DISABLE TRIGGER ALL",
        "ALTER TABLE accounts DISABLE TRIGGER accounts_only_post",
        "ALTER TABLE movements DROP CONSTRAINT movements_key_key",
        "ALTER DOMAIN money_balance DROP CONSTRAINT money_balance_check",
        "DROP TRIGGER entries_only_post ON entries",
        "DROP TABLE entries",
        "DROP INDEX entries_movement_key",
        "CREATE OR REPLACE FUNCTION post_movement() RETURNS trigger LANGUAGE plpgsql
         AS 'BEGIN RETURN NEW; END'",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE TABLE mine ()",
        "CREATE TEMPORARY TABLE accounts (id bigint)",
        "CREATE SCHEMA mine",
        "CREATE TRIGGER mine BEFORE INSERT ON accounts FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE RULE mine AS ON INSERT TO entries DO INSTEAD NOTHING",
        "GRANT UPDATE ON accounts TO bank_app; UPDATE accounts SET balance = 1",
        "ALTER FUNCTION move_money OWNER TO bank_app",
        "SET session_replication_role = replica",
        "COPY accounts TO PROGRAM 'cat'",
        "UPDATE _sqlx_migrations SET version = 0",
        "LOCK TABLE accounts IN ACCESS EXCLUSIVE MODE",
        "SELECT id FROM accounts FOR UPDATE",
        "SET ROLE bank",
        "SET SESSION AUTHORIZATION bank",
    ];
    let scene = Scene::set(options.clone()).await;
    let mut connection = application(&options).connect().await.unwrap();
    for attack in attacks {
        scene.refuse(&mut connection, attack, DENIED).await;
    }
    scene.bank.assert_books_are_right().await;
}

/// A movement of the owner's making; a side that is empty is the world outside.
fn movement(kind: &str, from: &str, to: &str, amount: i64, currency: &str) -> String {
    let side = |side: &str| if side.is_empty() { "NULL".to_owned() } else { side.to_owned() };
    format!(
        "INSERT INTO movements (username, key, request_hash, kind, from_account_id, to_account_id,
             amount, currency)
         VALUES ('{{mallory}}', gen_random_uuid()::text, sha256(''), '{kind}', {}, {}, {amount},
             '{currency}');",
        side(from),
        side(to)
    )
}

/// An entry of the last movement, by hand.
fn entry(account: &str, version: i64, kind: &str, amount: i64, balance_after: i64) -> String {
    format!(
        "INSERT INTO entries (id, account_id, account_version, movement_id, kind, currency, amount,
             balance_after)
         SELECT max(id) * 2 + ({amount} > 0)::int, {account}, {version}, max(id), '{kind}', 'USD',
                {amount}, {balance_after}
         FROM movements;"
    )
}

/// A row of movements with nothing but these.
fn bare_movement(columns: &str, values: &str) -> String {
    format!("INSERT INTO movements (username, {columns}) VALUES ('{{mallory}}', {values})")
}

const CHANGED: &str = "23001";
const NOT_POSTED: &str = "23000";
const UNIQUE: &str = "23505";
const OUT_OF_RANGE: &str = "23514";

/// The paying account holds 90 after two entries, the paid one 60 after two.
#[sqlx::test(migrations = "../migrations")]
async fn not_even_the_owner_can_write_bad_money(_: PgPoolOptions, options: PgConnectOptions) {
    let payment = |amount| movement("transfer", "{from}", "{to}", amount, "USD");
    let max = 9_007_199_254_740_991;
    let key = "gen_random_uuid()::text, sha256('')";
    let attacks = [
        // A balance without an entry.
        ("UPDATE accounts SET balance = balance + 1 WHERE id = {from}".to_owned(), CHANGED),
        ("UPDATE accounts SET version = 9 WHERE id = {from}".to_owned(), CHANGED),
        (
            "INSERT INTO accounts (owner, currency, balance) VALUES ('{mallory}', 'CAD', 1)"
                .to_owned(),
            CHANGED,
        ),
        // An account that becomes another's, or another.
        ("UPDATE accounts SET owner = '{mallory}' WHERE id = {to}".to_owned(), CHANGED),
        ("UPDATE accounts SET currency = 'EUR' WHERE id = {from}".to_owned(), CHANGED),
        ("UPDATE accounts SET id = DEFAULT WHERE id = {from}".to_owned(), CHANGED),
        ("DELETE FROM accounts WHERE id = {euros}".to_owned(), CHANGED),
        // The past.
        ("UPDATE entries SET amount = -9 WHERE account_id = {from}".to_owned(), CHANGED),
        ("DELETE FROM entries WHERE account_id = {from}".to_owned(), CHANGED),
        ("UPDATE movements SET amount = 9".to_owned(), CHANGED),
        ("UPDATE transfers SET amount = 9".to_owned(), CHANGED),
        ("DELETE FROM transfers".to_owned(), CHANGED),
        ("TRUNCATE entries, movements".to_owned(), CHANGED),
        ("TRUNCATE users CASCADE".to_owned(), CHANGED),
        // Sessions that live again or longer, and a record that is mended.
        (
            "UPDATE sessions SET revoked_at = now(); UPDATE sessions SET revoked_at = NULL"
                .to_owned(),
            CHANGED,
        ),
        (
            "UPDATE sessions SET created_at = '2020-01-01', expires_at = '2020-01-02';
             UPDATE sessions SET expires_at = '2020-01-03'"
                .to_owned(),
            CHANGED,
        ),
        ("UPDATE sessions SET ends_at = 'infinity'".to_owned(), CHANGED),
        ("UPDATE sessions SET expires_at = 'infinity'".to_owned(), OUT_OF_RANGE),
        ("UPDATE sessions SET username = '{mallory}'".to_owned(), CHANGED),
        ("TRUNCATE spent_refresh_tokens".to_owned(), CHANGED),
        ("UPDATE users SET role = 'banker'; DELETE FROM audit_events".to_owned(), CHANGED),
        ("UPDATE users SET role = 'banker'; TRUNCATE audit_events".to_owned(), CHANGED),
        // An entry by hand: a third one, a gap, one that fits, one for nothing.
        (payment(10) + &entry("{euros}", 1, "transfer", 10, 10), CHANGED),
        (entry("{from}", 4, "withdrawal", -10, 80), CHANGED),
        (entry("{from}", 3, "deposit", 10, 100), CHANGED),
        (entry("{from}", 3, "deposit", 10, 90), CHANGED),
        // A side that is no account of the movement's currency, or no other than the first.
        (movement("transfer", "{from}", "{euros}", 10, "USD"), NOT_POSTED),
        (movement("transfer", "{from}", "{euros}", 10, "EUR"), NOT_POSTED),
        (movement("transfer", "{from}", "999", 10, "USD"), NOT_POSTED),
        (movement("withdrawal", "{from}", "", 10, "EUR"), NOT_POSTED),
        (movement("deposit", "", "{from}", 10, "XYZ"), NOT_POSTED),
        (movement("deposit", "", "999", 10, "USD"), NOT_POSTED),
        (movement("transfer", "{from}", "{from}", 10, "USD"), NOT_POSTED),
        // A kind that its sides do not make.
        (movement("deposit", "{from}", "{to}", 10, "USD"), NOT_POSTED),
        (movement("transfer", "{from}", "", 10, "USD"), NOT_POSTED),
        (movement("withdrawal", "", "{to}", 10, "USD"), NOT_POSTED),
        (movement("gift", "", "{from}", 10, "USD"), NOT_POSTED),
        // Neither done nor refused, or both.
        (movement("deposit", "", "", 10, "USD"), NOT_POSTED),
        (bare_movement("key, request_hash", key), NOT_POSTED),
        (
            bare_movement(
                "key, request_hash, refusal, to_account_id",
                &format!("{key}, 'same_account', {{from}}"),
            ),
            NOT_POSTED,
        ),
        (
            bare_movement(
                "key, request_hash, refusal, kind, amount",
                &format!("{key}, 'same_account', 'transfer', 10"),
            ),
            NOT_POSTED,
        ),
        // Beyond the bounds.
        (payment(91), OUT_OF_RANGE),
        (movement("withdrawal", "{from}", "", 91, "USD"), OUT_OF_RANGE),
        (movement("deposit", "", "{from}", max, "USD"), OUT_OF_RANGE),
        (payment(0), OUT_OF_RANGE),
        (payment(-10), OUT_OF_RANGE),
        (payment(max + 1), OUT_OF_RANGE),
        (
            "INSERT INTO accounts (owner, currency) VALUES ('{mallory}', 'XYZ')".to_owned(),
            OUT_OF_RANGE,
        ),
        // A key for two movements, and keys, hashes and reasons that are none.
        (
            "INSERT INTO movements (username, key, request_hash, refusal)
             SELECT username, key, request_hash, 'same_account' FROM movements"
                .to_owned(),
            UNIQUE,
        ),
        (
            bare_movement("key, request_hash, refusal", "'short', sha256(''), 'same_account'"),
            OUT_OF_RANGE,
        ),
        (
            bare_movement(
                "key, request_hash, refusal",
                "'0123456789abcde/', sha256(''), 'same_account'",
            ),
            OUT_OF_RANGE,
        ),
        (
            bare_movement(
                "key, request_hash, refusal",
                "gen_random_uuid()::text, '', 'same_account'",
            ),
            OUT_OF_RANGE,
        ),
        (bare_movement("key, request_hash, refusal", &format!("{key}, 'no mood'")), OUT_OF_RANGE),
        // Without the trigger that posts: a transfer with no entry, with one, with the wrong two.
        // The end of the transaction finds them out.
        (format!("{HANDS_ON}{}", payment(10)), NOT_POSTED),
        (
            format!("{HANDS_ON}{}{}", payment(10), entry("{from}", 3, "transfer", -10, 80)),
            NOT_POSTED,
        ),
        (format!("{HANDS_ON}{}{}", payment(10), entry("{to}", 3, "transfer", 10, 70)), NOT_POSTED),
        (
            format!(
                "{HANDS_ON}{}{}{}",
                payment(10),
                entry("{from}", 3, "transfer", -10, 80),
                entry("{to}", 3, "deposit", 10, 70)
            ),
            NOT_POSTED,
        ),
        (
            format!(
                "{HANDS_ON}{}{}{}",
                payment(10),
                entry("{from}", 3, "transfer", -10, 80),
                entry("{to}", 3, "transfer", 11, 71)
            ),
            NOT_POSTED,
        ),
        (
            format!(
                "{HANDS_ON}{}{}{}",
                payment(10),
                entry("{from}", 3, "transfer", -10, 80),
                entry("{from}", 4, "transfer", 10, 90)
            ),
            UNIQUE,
        ),
        (format!("{HANDS_ON}{}{}", payment(10), entry("{from}", 2, "transfer", -10, 80)), UNIQUE),
    ];

    let scene = Scene::set(options.clone()).await;
    let mut connection = options.connect().await.unwrap();
    for (attack, sqlstate) in attacks {
        scene.refuse(&mut connection, &attack, sqlstate).await;
        scene.bank.assert_books_are_right().await;
    }

    // What follows the rules is taken: the refusals above are not for some other reason.
    connection.execute(AssertSqlSafe(scene.write(&payment(10)))).await.unwrap();
    scene.bank.assert_books_are_right().await;
    assert_eq!(scene.bank.balance(&scene.mallory, &scene.from).await, 80);
}

/// What only an owner can do, and a careless migration might.
const HANDS_ON: &str = "ALTER TABLE movements DISABLE TRIGGER movements_post;
    ALTER TABLE entries DISABLE TRIGGER entries_only_post;";
