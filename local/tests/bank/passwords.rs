//! The passwords of the database's roles, on a server that asks for them: the owner's is read from its
//! secret, and the application's is set from its own.

use std::{env, fs, path::PathBuf, process::Command, time::Duration};

use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row};
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use super::{
    failures::processes,
    people::{Bank, ROOT, try_invoke},
};
use crate::support::Emulator;

/// Only the server's own user gets in without a password.
const RULES: &str = "host all bank 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n";

const PASSWORDS: [&str; 3] =
    ["the owner's password", "the first password, ø", "the second password"];

/// A Postgres of one's own.
struct Server {
    folder: PathBuf,
    url: String,
}

impl Server {
    async fn start() -> Self {
        let folder = env::temp_dir().join(format!("simplebank-test.{}", Uuid::new_v4()));
        let mut server = Self { folder, url: String::new() };
        server.run("start");
        server.url = server.run("url").trim().into();
        server.sql("ALTER SYSTEM SET log_statement = 'all'").await;
        fs::write(server.folder.join("data/pg_hba.conf"), RULES).unwrap();
        server.sql("SELECT pg_reload_conf()").await;
        let owner = PASSWORDS[0].replace('\'', "''");
        server.sql(&format!("CREATE ROLE owner LOGIN CREATEROLE PASSWORD '{owner}'")).await;
        server.sql("ALTER DATABASE simplebank OWNER TO owner").await;
        let asks = async {
            while server.log_in("owner", "").await.is_ok() {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(Duration::from_secs(20), asks).await.expect("it asks for no password");
        server
    }

    fn run(&self, verb: &str) -> String {
        let script = format!("{ROOT}/local/postgres.sh");
        let output = Command::new(script).arg(verb).arg(&self.folder).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    async fn sql(&self, statement: &str) {
        let mut connection = PgConnection::connect(&self.url).await.unwrap();
        connection.execute(AssertSqlSafe(statement.to_owned())).await.unwrap();
    }

    async fn log_in(&self, role: &str, password: &str) -> Result<PgConnection, sqlx::Error> {
        let options: sqlx::postgres::PgConnectOptions = self.url.parse().unwrap();
        PgConnection::connect_with(&options.username(role).password(password)).await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.run("remove");
    }
}

#[tokio::test]
async fn a_new_password_reaches_a_bank_that_runs() {
    let server = Server::start().await;
    let secrets = Emulator::start().await;
    let login =
        |role: &str, password: &str| json!({ "username": role, "password": password }).to_string();
    let [owner, first, second] = PASSWORDS;
    for (name, text) in [
        ("owner", login("owner", owner)),
        ("application", login("bank_app", first)),
        ("empty", login("bank_app", "")),
        ("broken", first.to_owned()),
    ] {
        secrets.secrets("CreateSecret", json!({ "Name": name, "SecretString": text })).await;
    }
    let aws = secrets.argument();
    let arguments = ["--env", &aws, "--parameter", "OwnerDatabaseSecret=owner", "--parameter"];
    let with = |secret: &'static str| [arguments.as_slice(), &[secret]].concat();
    let up = async |secret: &'static str| {
        let event = json!({ "action": "up" });
        let output = try_invoke(&server.url, &with(secret), "migrate", &event).await;
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(PASSWORDS.iter().all(|password| !log.contains(password)), "{log}");
        (output.status.success(), log)
    };

    for (secret, complaint) in [
        ("DatabaseSecret=owner", "needs bank_app for its username"),
        ("DatabaseSecret=empty", "needs bank_app for its username"),
        ("DatabaseSecret=broken", "the secret broken is of no use"),
        ("DatabaseSecret=missing", "the secret missing cannot be read"),
    ] {
        let (is_done, log) = up(secret).await;
        assert!(!is_done && log.contains(complaint), "{log}");
    }
    let mut connection = PgConnection::connect(&server.url).await.unwrap();
    let made = connection.fetch_one("SELECT to_regclass('_sqlx_migrations') IS NULL").await;
    assert!(made.unwrap().get::<bool, _>(0), "a secret of no use is found out first");

    let application = "DatabaseSecret=application";
    let (is_done, log) = up(application).await;
    assert!(is_done, "{log}");
    let bank = Bank::start_on(&server.url, &with(application)).await;
    for password in PASSWORDS {
        bank.gateway.keep_secret(password);
    }
    let alice = bank.customer().await;
    assert_eq!(alice.get("/accounts").await.status, 200);
    let before = processes(&bank.gateway, "accounts");

    let next = json!({ "SecretId": "application", "SecretString": login("bank_app", second) });
    secrets.secrets("PutSecretValue", next).await;
    server.sql("ALTER ROLE bank_app NOLOGIN").await;
    let (is_done, log) = up(application).await;
    assert!(is_done, "{log}");
    assert!(server.log_in("bank_app", first).await.is_err());
    server.log_in("bank_app", second).await.unwrap();
    assert_eq!(alice.get("/accounts").await.status, 200, "open connections stay open");

    // Whoever has to connect anew has the password of before.
    server
        .sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'bank_app'")
        .await;
    let recovery = async { while alice.get("/accounts").await.status != 200 {} };
    timeout(Duration::from_secs(20), recovery).await.expect("it never came back");
    assert_eq!(processes(&bank.gateway, "accounts"), before, "the same process goes on");
    let account = alice.account("USD", 5).await;
    assert_eq!(alice.balance(account).await, 5);

    let log = fs::read_to_string(server.folder.join("log")).unwrap();
    assert!(log.contains("ALTER ROLE bank_app LOGIN PASSWORD 'SCRAM-SHA-256$"), "{log}");
    assert!(!log.contains(first) && !log.contains(second), "a password is there");
}
