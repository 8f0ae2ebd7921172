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
        "SELECT setval('entries_id_seq', 1)",
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
        "UPDATE sessions SET username = '{mallory}'",
        "DELETE FROM sessions",
        // The rules themselves.
        "ALTER TABLE entries DISABLE TRIGGER ALL",
        "ALTER TABLE accounts DISABLE TRIGGER accounts_only_post",
        "ALTER TABLE movements DROP CONSTRAINT movements_key_key",
        "ALTER DOMAIN money_balance DROP CONSTRAINT money_balance_check",
        "DROP TRIGGER entries_post ON entries",
        "DROP TABLE entries",
        "DROP INDEX entries_movement_key",
        "CREATE OR REPLACE FUNCTION post_entry() RETURNS trigger LANGUAGE plpgsql
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

/// An entry of the last [`movement`].
fn entry(
    account: &str,
    version: i64,
    kind: &str,
    currency: &str,
    amount: i64,
    balance_after: i64,
) -> String {
    format!(
        "INSERT INTO entries (account_id, account_version, movement_id, kind, currency, amount,
             balance_after)
         SELECT {account}, {version}, max(id), '{kind}', '{currency}', {amount}, {balance_after}
         FROM movements;"
    )
}

/// The paying account holds 90 after two entries, the paid one 60 after two.
#[sqlx::test(migrations = "../migrations")]
async fn not_even_the_owner_can_write_bad_money(_: PgPoolOptions, options: PgConnectOptions) {
    const CHANGED: &str = "23001";
    const NO_POSTING: &str = "23000";
    const UNIQUE: &str = "23505";
    const NO_ENTRY: &str = "23503";
    const OUT_OF_RANGE: &str = "23514";

    let payment = |amount| movement("transfer", "{from}", "{to}", amount, "USD");
    let withdrawal = |amount| movement("withdrawal", "{from}", "", amount, "USD");
    let paying = |amount: i64| entry("{from}", 3, "transfer", "USD", -amount, 90 - amount);
    let paid = |amount: i64| entry("{to}", 3, "transfer", "USD", amount, 60 + amount);
    let leaving = |version, amount, balance_after| {
        withdrawal(10) + &entry("{from}", version, "withdrawal", "USD", amount, balance_after)
    };
    let third = |account: &str, amount, balance_after| {
        payment(10)
            + &paying(10)
            + &paid(10)
            + &entry(account, 1, "transfer", "EUR", amount, balance_after)
    };
    let movement_like = |columns: &str, values: &str| {
        format!("INSERT INTO movements (username, {columns}) VALUES ('{{mallory}}', {values})")
    };
    let key = "gen_random_uuid()::text";
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
        // An entry that is nobody's side, or does not follow the last.
        (leaving(3, -10, 90), NO_POSTING),
        (leaving(3, -10, 79), NO_POSTING),
        (leaving(3, -11, 79), NO_POSTING),
        (leaving(3, 10, 100), NO_POSTING),
        (leaving(4, -10, 80), NO_POSTING),
        (leaving(2, -10, 80), NO_POSTING),
        (leaving(3, -10, 80) + &entry("{from}", 4, "withdrawal", "USD", -10, 70), UNIQUE),
        (entry("{from}", 3, "deposit", "USD", 10, 100), NO_POSTING),
        (
            "INSERT INTO entries (account_id, account_version, movement_id, kind, currency, amount,
                 balance_after)
             VALUES ({from}, 3, 999, 'deposit', 'USD', 10, 100)"
                .to_owned(),
            NO_POSTING,
        ),
        // A transfer without its two entries, or with a third.
        (payment(10), NO_ENTRY),
        (payment(10) + &paying(10), NO_ENTRY),
        (payment(10) + &paid(10), NO_ENTRY),
        (payment(10) + &paying(10) + &paid(11), NO_POSTING),
        (payment(10) + &paying(9) + &paid(9), NO_POSTING),
        (third("{euros}", 10, 10), NO_POSTING),
        (
            payment(10) + &paying(10) + &paid(10) + &entry("{to}", 4, "transfer", "USD", 10, 80),
            UNIQUE,
        ),
        (withdrawal(10), NO_ENTRY),
        // Another currency, on either side.
        (
            movement("transfer", "{from}", "{euros}", 10, "USD")
                + &paying(10)
                + &entry("{euros}", 1, "transfer", "USD", 10, 10),
            NO_POSTING,
        ),
        (
            movement("transfer", "{from}", "{euros}", 10, "USD")
                + &paying(10)
                + &entry("{euros}", 1, "transfer", "EUR", 10, 10),
            NO_ENTRY,
        ),
        (
            movement("withdrawal", "{from}", "", 10, "EUR")
                + &entry("{from}", 3, "withdrawal", "EUR", -10, 80),
            NO_POSTING,
        ),
        // A kind that its sides do not make.
        (movement("deposit", "{from}", "{to}", 10, "USD") + &paying(10) + &paid(10), NO_ENTRY),
        (
            movement("withdrawal", "{from}", "{to}", 10, "USD")
                + &entry("{from}", 3, "withdrawal", "USD", -10, 80),
            NO_POSTING,
        ),
        // Beyond the bounds.
        (withdrawal(91) + &entry("{from}", 3, "withdrawal", "USD", -91, -1), OUT_OF_RANGE),
        (
            movement("deposit", "", "{from}", 9_007_199_254_740_991, "USD")
                + &entry(
                    "{from}",
                    3,
                    "deposit",
                    "USD",
                    9_007_199_254_740_991,
                    9_007_199_254_741_081,
                ),
            OUT_OF_RANGE,
        ),
        (payment(0), OUT_OF_RANGE),
        (payment(-10), OUT_OF_RANGE),
        (payment(9_007_199_254_740_992), OUT_OF_RANGE),
        (movement("transfer", "{from}", "{from}", 10, "USD"), OUT_OF_RANGE),
        (movement("deposit", "", "{from}", 10, "XYZ"), OUT_OF_RANGE),
        (movement("gift", "", "{from}", 10, "USD"), OUT_OF_RANGE),
        (
            "INSERT INTO accounts (owner, currency) VALUES ('{mallory}', 'XYZ')".to_owned(),
            OUT_OF_RANGE,
        ),
        // A key for two movements, a key that is none, a movement that is neither done nor refused.
        (
            "INSERT INTO movements (username, key, request_hash, refusal)
             SELECT username, key, request_hash, 'same_account' FROM movements"
                .to_owned(),
            UNIQUE,
        ),
        (
            movement_like("key, request_hash, refusal", "'short', sha256(''), 'same_account'"),
            OUT_OF_RANGE,
        ),
        (
            movement_like(
                "key, request_hash, refusal",
                "'0123456789abcde/', sha256(''), 'same_account'",
            ),
            OUT_OF_RANGE,
        ),
        (
            movement_like("key, request_hash, refusal", &format!("{key}, '', 'same_account'")),
            OUT_OF_RANGE,
        ),
        (
            movement_like("key, request_hash, refusal", &format!("{key}, sha256(''), 'no mood'")),
            OUT_OF_RANGE,
        ),
        (movement_like("key, request_hash", &format!("{key}, sha256('')")), OUT_OF_RANGE),
        (
            movement_like(
                "key, request_hash, refusal, to_account_id",
                &format!("{key}, sha256(''), 'same_account', {{from}}"),
            ),
            OUT_OF_RANGE,
        ),
    ];

    let scene = Scene::set(options.clone()).await;
    let mut connection = options.connect().await.unwrap();
    for (attack, sqlstate) in attacks {
        scene.refuse(&mut connection, &attack, sqlstate).await;
        scene.bank.assert_books_are_right().await;
    }

    // What follows the rules is taken: the refusals above are not for some other reason.
    let good = payment(10) + &paying(10) + &paid(10);
    connection.execute(AssertSqlSafe(scene.write(&good))).await.unwrap();
    scene.bank.assert_books_are_right().await;
    assert_eq!(scene.bank.balance(&scene.mallory, &scene.from).await, 80);
}
