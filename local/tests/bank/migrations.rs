//! The function `migrate` as the stack's custom resource: real events, a real database, and a server in
//! the place of the address that is signed for the answer.

use std::{
    collections::VecDeque,
    fs,
    future::pending,
    path::Path,
    process::Output,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::to_bytes,
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
};
use serde_json::{Value, json};
use shared::store::postgres::migrations::schemas;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row};
use tokio::{net::TcpListener, time::timeout};
use uuid::Uuid;

use super::{
    failures::children,
    people::{ROOT, arguments, empty_database, invoke, try_invoke},
};
use crate::support::{command, signal};

/// What is signed, which has to arrive as it is.
pub(crate) const SIGNED: &str = "/arn%3Aaws%3Acloudformation%3Astack/bank%7CMigrations%7C1?X-Amz-Signature=\
                      a%2Fb%2Bc%3D&x=+~'()*";

/// What came to the address.
struct Delivery {
    method: String,
    path_and_query: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

/// Where answers go.
pub(crate) struct Address {
    pub(crate) url: String,
    inbox: Arc<Inbox>,
}

#[derive(Default)]
struct Inbox {
    /// What the next ones get: this status, or nothing at all. All others get 200.
    first: Mutex<VecDeque<Option<StatusCode>>>,
    deliveries: Mutex<Vec<Delivery>>,
}

impl Address {
    pub(crate) async fn start(first: &[Option<StatusCode>]) -> Self {
        let first = Mutex::new(VecDeque::from(first.to_vec()));
        let inbox = Arc::new(Inbox { first, ..Inbox::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(take_in).with_state(Arc::clone(&inbox));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, inbox }
    }

    /// All answers that came since the last time.
    fn take(&self) -> Vec<Value> {
        let deliveries = std::mem::take(&mut *self.inbox.deliveries.lock().unwrap());
        deliveries.iter().map(read).collect()
    }
}

async fn take_in(State(inbox): State<Arc<Inbox>>, request: Request) -> StatusCode {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, 10_000).await.unwrap().to_vec();
    inbox.deliveries.lock().unwrap().push(Delivery {
        method: head.method.to_string(),
        path_and_query: head.uri.to_string(),
        headers: head.headers,
        body,
    });
    let next = inbox.first.lock().unwrap().pop_front();
    match next {
        Some(None) => pending().await,
        Some(Some(status)) => status,
        None => StatusCode::OK,
    }
}

/// Status and reason of an answer, which is as `CloudFormation` wants it.
fn read(delivery: &Delivery) -> Value {
    assert_eq!((&*delivery.method, &*delivery.path_and_query), ("PUT", SIGNED));
    assert_eq!(delivery.headers["content-type"], "");
    assert_eq!(delivery.headers["content-length"], delivery.body.len().to_string());
    assert!(!delivery.headers.contains_key("transfer-encoding"));
    assert!(delivery.body.len() <= 4_096);
    let mut answer: Value = serde_json::from_slice(&delivery.body).unwrap();
    let event = recorded("create");
    assert_eq!(answer["PhysicalResourceId"], "schema");
    for name in ["StackId", "RequestId", "LogicalResourceId"] {
        assert_eq!(answer[name].take(), event[name], "{name}");
    }
    json!({ "status": answer["Status"], "reason": answer["Reason"] })
}

fn recorded(kind: &str) -> Value {
    let file = format!("{ROOT}/functions/migrate/events/{kind}.json");
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

fn success() -> Value {
    json!({ "status": "SUCCESS", "reason": null })
}

#[track_caller]
fn assert_failed(answer: &Value, reason: &str) {
    assert_eq!(answer["status"], "FAILED");
    assert!(answer["reason"].as_str().unwrap().contains(reason), "{answer}");
}

fn newest() -> String {
    schemas().last().unwrap()
}

fn newest_version() -> i64 {
    i64::try_from(schemas().count()).unwrap()
}

/// A stack that is deployed: its database, and where it waits for answers.
struct Stack {
    database_url: String,
    address: Address,
}

impl Stack {
    /// Nothing has been deployed.
    async fn new() -> Self {
        Self::waiting_at(Address::start(&[]).await).await
    }

    async fn waiting_at(address: Address) -> Self {
        Self { database_url: empty_database().await, address }
    }

    fn event(&self, kind: &str, schema: &str) -> Value {
        let mut event = recorded(kind);
        event["ResponseURL"] = format!("{}{SIGNED}", self.address.url).into();
        event["ResourceProperties"]["Schema"] = schema.into();
        event
    }

    async fn try_deploy(&self, kind: &str, schema: &str, more: &[&str]) -> Output {
        let event = self.event(kind, schema);
        let output = try_invoke(&self.database_url, more, "migrate", &event).await;
        let log = String::from_utf8_lossy(&output.stderr);
        assert!(!log.contains("X-Amz"), "the address was logged: {log}");
        output
    }

    /// What the stack is answered: once.
    async fn deploy_with(&self, kind: &str, schema: &str, more: &[&str]) -> Value {
        let output = self.try_deploy(kind, schema, more).await;
        let log = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{log}");
        let answers = self.address.take();
        let [answer] = answers.as_slice() else { panic!("{answers:?}: {log}") };
        answer.clone()
    }

    async fn deploy(&self, kind: &str, schema: &str) -> Value {
        self.deploy_with(kind, schema, &[]).await
    }

    async fn database(&self) -> PgConnection {
        PgConnection::connect(&self.database_url).await.unwrap()
    }

    async fn sql(&self, statement: &str) {
        self.database().await.execute(AssertSqlSafe(statement.to_owned())).await.unwrap();
    }

    async fn version(&self) -> i64 {
        let state = invoke(&self.database_url, "migrate", &json!({ "action": "status" })).await;
        state["version"].as_i64().unwrap()
    }

    async fn down_to(&self, version: i64) {
        while self.version().await > version {
            invoke(&self.database_url, "migrate", &json!({ "action": "down" })).await;
        }
    }

    /// Waits until this is so.
    async fn until(&self, condition: &str) {
        let mut database = self.database().await;
        let query = format!("SELECT {condition}");
        let asking = async {
            while !database.fetch_one(AssertSqlSafe(query.clone())).await.unwrap().get::<bool, _>(0)
            {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(Duration::from_secs(20), asking).await.expect(condition);
    }

    /// Nobody migrates any more, or holds the lock of those who do.
    async fn until_quiet(&self) {
        self.until(
            "NOT EXISTS (SELECT FROM pg_locks JOIN pg_database ON database = pg_database.oid
                         WHERE locktype = 'advisory' AND datname = current_database())
             AND NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
                             AND application_name = 'simplebank')",
        )
        .await;
    }

    /// Nothing of migration 13 is there, which makes this table first.
    async fn assert_nothing_half_applied(&self) {
        assert_eq!(self.version().await, BEFORE_VERIFIED_EMAILS);
        self.until("to_regclass('verify_emails') IS NULL").await;
    }
}

const BEFORE_VERIFIED_EMAILS: i64 = 12;

#[tokio::test]
async fn a_stack_gets_its_schema_and_keeps_it() {
    let stack = Stack::new().await;
    assert_eq!(stack.deploy("create", &newest()).await, success());
    assert_eq!(stack.version().await, newest_version());
    stack.until_quiet().await;
    assert_eq!(stack.deploy("update", &newest()).await, success(), "nothing is new");

    stack.down_to(newest_version() - 2).await;
    assert_eq!(stack.deploy("update", &newest()).await, success());
    assert_eq!(stack.version().await, newest_version(), "two were new");

    // Without a database as well.
    let nowhere = "--parameter=OwnerDatabaseUrl=postgres://nobody@127.0.0.1:1/none";
    assert_eq!(stack.deploy_with("delete", &newest(), &[nowhere]).await, success());
    assert_eq!(stack.version().await, newest_version(), "data outlive their stack");
    let unreachable = stack.deploy_with("update", &newest(), &[nowhere]).await;
    assert_failed(&unreachable, "the database cannot be reached");
}

#[tokio::test]
async fn what_is_taken_back_leaves_the_schema_as_it_is() {
    let stack = Stack::new().await;
    stack.deploy("create", &newest()).await;
    let earlier: Vec<String> = schemas().collect();
    let earlier = &earlier[earlier.len() - 2];
    assert_eq!(stack.deploy("update", earlier).await, success());
    assert_eq!(stack.version().await, newest_version(), "the next one works with it");
    stack.down_to(newest_version() - 1).await;
    assert_eq!(stack.deploy("update", earlier).await, success());
    assert_eq!(stack.version().await, newest_version() - 1, "nothing is applied either");

    for schema in ["0".repeat(64), String::new(), newest().to_uppercase()] {
        assert_failed(&stack.deploy("update", &schema).await, "of different releases");
    }
    assert_eq!(stack.version().await, newest_version() - 1);
}

/// A deployment is taken back after its migrations were applied: this is the release before then.
#[tokio::test]
async fn a_database_that_is_ahead_is_left_alone() {
    let stack = Stack::new().await;
    stack.deploy("create", &newest()).await;
    stack
        .sql(
            r"INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
              VALUES (9999, 'of a later release', true, '\x00', 0)",
        )
        .await;
    assert_eq!(stack.deploy("update", &newest()).await, success());
    let up = try_invoke(&stack.database_url, &[], "migrate", &json!({ "action": "up" })).await;
    assert!(!up.status.success(), "by hand it is refused");

    for difference in [
        "UPDATE _sqlx_migrations SET checksum = '' WHERE version = 1",
        "DELETE FROM _sqlx_migrations WHERE version = 1",
    ] {
        stack.sql(difference).await;
        assert_failed(&stack.deploy("update", &newest()).await, "9999");
    }
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing_behind() {
    let stack = Stack::new().await;
    stack.deploy("create", &newest()).await;
    stack.down_to(BEFORE_VERIFIED_EMAILS).await;
    stack.sql("CREATE TABLE verify_emails_undone_idx (in_the_way int)").await;
    let reason = r#"relation "verify_emails_undone_idx" already exists"#;
    assert_failed(&stack.deploy("update", &newest()).await, reason);
    stack.until_quiet().await;
    stack.assert_nothing_half_applied().await;

    stack.sql("DROP TABLE verify_emails_undone_idx").await;
    assert_eq!(stack.deploy("update", &newest()).await, success());
    assert_eq!(stack.version().await, newest_version());
}

#[tokio::test]
async fn two_at_once_are_both_answered() {
    let stack = Stack::new().await;
    let newest = newest();
    let deploy = || stack.try_deploy("create", &newest, &[]);
    let (one, other) = tokio::join!(deploy(), deploy());
    assert!(one.status.success() && other.status.success(), "{one:?} {other:?}");
    let answers = stack.address.take();
    assert_eq!(answers.len(), 2);
    assert!(answers.contains(&success()), "{answers:?}");
    for answer in answers.iter().filter(|answer| **answer != success()) {
        // On a machine that is very busy.
        assert_failed(answer, "lock timeout");
    }
    assert_eq!(stack.version().await, newest_version());
    stack.until_quiet().await;
}

/// The function is gone while one of its statements waits.
#[tokio::test]
async fn a_function_killed_in_the_middle_leaves_nothing_behind() {
    let stack = Stack::new().await;
    stack.deploy("create", &newest()).await;
    stack.down_to(BEFORE_VERIFIED_EMAILS).await;

    let mut database = stack.database().await;
    let mut holder = database.begin().await.unwrap();
    // Migration 13 drops it when it has made a table and functions.
    holder.execute("COMMENT ON FUNCTION change_user IS 'held'").await.unwrap();
    let mut invocation = arguments(&stack.database_url);
    let event = stack.event("update", &newest()).to_string();
    invocation.extend(["invoke", "migrate", "--data", &event].map(str::to_owned));
    let invocation: Vec<&str> = invocation.iter().map(String::as_str).collect();
    let mut invocation = command(&invocation).kill_on_drop(true).spawn().unwrap();
    stack
        .until(
            "EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
                     AND application_name = 'simplebank' AND wait_event_type = 'Lock')",
        )
        .await;
    let migrating = children(invocation.id().unwrap(), "migrate");
    assert_eq!(migrating.len(), 1);
    signal(&migrating[0], "KILL");
    assert!(!invocation.wait().await.unwrap().success());

    // The server need not be told by anybody, and the lock is still held.
    stack.until_quiet().await;
    stack.assert_nothing_half_applied().await;
    holder.rollback().await.unwrap();
    assert_eq!(stack.deploy("update", &newest()).await, success());
    assert_eq!(stack.version().await, newest_version());
}

/// The function has a second for the work here, and what it does would take a minute.
#[tokio::test]
async fn work_that_takes_too_long_is_answered_in_time() {
    let stack = Stack::new().await;
    stack.deploy("create", &newest()).await;
    stack.down_to(BEFORE_VERIFIED_EMAILS).await;
    stack
        .sql(
            "CREATE FUNCTION dawdle() RETURNS event_trigger LANGUAGE plpgsql
             AS 'BEGIN PERFORM pg_sleep(60); END';
             CREATE EVENT TRIGGER dawdle ON ddl_command_end WHEN TAG IN ('CREATE FUNCTION')
             EXECUTE FUNCTION dawdle()",
        )
        .await;
    let template = fs::read_to_string(format!("{ROOT}/template.yaml")).unwrap();
    assert_eq!(template.matches("Timeout: 300\n").count(), 1, "the function's own");
    let short = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}.yaml", Uuid::new_v4()));
    fs::write(&short, template.replace("Timeout: 300\n", "Timeout: 11\n")).unwrap();
    let mut arguments = arguments(&stack.database_url);
    arguments[0] = format!("--template={}", short.display());
    let event = stack.event("update", &newest()).to_string();
    arguments.extend(["invoke", "migrate", "--data", &event].map(str::to_owned));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let output = crate::support::run(&arguments).await;
    assert!(output.status.success(), "{output:?}");
    let answers = stack.address.take();
    assert_failed(&answers[0], "it took too long");

    stack.until_quiet().await;
    stack.assert_nothing_half_applied().await;
    stack.sql("DROP EVENT TRIGGER dawdle").await;
    assert_eq!(stack.deploy("update", &newest()).await, success());
}

#[tokio::test]
async fn an_answer_is_sent_until_it_is_taken() {
    let unavailable = Some(StatusCode::SERVICE_UNAVAILABLE);
    for first in [[unavailable, Some(StatusCode::FORBIDDEN)], [None, unavailable]] {
        let stack = Stack::waiting_at(Address::start(&first).await).await;
        let output = stack.try_deploy("delete", &newest(), &[]).await;
        assert!(output.status.success(), "{output:?}");
        assert_eq!(stack.address.take(), [success(), success(), success()]);
    }
}

#[tokio::test]
async fn an_answer_that_nobody_takes_is_a_failure() {
    let refusing = Address::start(&[Some(StatusCode::FORBIDDEN); 3]).await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let absent = Address { url: format!("http://{nobody}"), inbox: Arc::default() };
    for address in [refusing, absent] {
        let stack = Stack::waiting_at(address).await;
        let output = stack.try_deploy("create", &newest(), &[]).await;
        assert!(!output.status.success());
        let log = String::from_utf8_lossy(&output.stderr);
        assert!(log.contains("nobody took the answer"), "{log}");
        assert_eq!(stack.version().await, newest_version(), "it was done all the same");
    }
}
