//! The same bank when `cargo lambda watch` builds and runs the functions.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Stdio,
};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use super::{
    mail::{MailingBank, email},
    people::{Bank, PASSWORD, ROOT, arguments, own_database, sign_up},
};
use crate::support::{self, Emulator};

/// `cargo lambda watch` at a free port, ended with the test.
struct Watch {
    url: String,
    port: String,
    child: Child,
    log: PathBuf,
}

impl Watch {
    async fn start(database_url: &str, endpoint: &str) -> Self {
        let port =
            TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("watch.env");
        // As `make watch` does it.
        let arguments = arguments(database_url);
        let arguments = arguments.iter().map(String::as_str);
        let env: Vec<&str> = arguments.chain(["--env", endpoint, "env"]).collect();
        let output = support::run(&env).await;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let mut variables = String::from_utf8(output.stdout).unwrap();
        variables.push_str("SQLX_OFFLINE=true\n");
        fs::write(&file, variables).unwrap();
        let log = file.with_extension("log");
        let output = fs::File::create(&log).unwrap();
        let child = Command::new("cargo")
            .args(["lambda", "watch", "--ignore-changes", "-A", "127.0.0.1", "-P", &port])
            .arg("--env-file")
            .arg(&file)
            .current_dir(ROOT)
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut watch = Self { url: format!("http://127.0.0.1:{port}"), port, child, log };
        watch.wait_until_ready().await;
        watch
    }

    /// The first call of a function waits for cargo, which may have something to build.
    async fn wait_until_ready(&mut self) {
        let patience = std::time::Duration::from_mins(5);
        let ready = async {
            while reqwest::get(format!("{}/healthz", self.url)).await.is_err() {
                assert_eq!(self.child.try_wait().unwrap(), None, "cargo lambda watch has ended");
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(patience, ready).await.expect("cargo lambda watch does not answer");
    }

    /// `cargo lambda invoke`, as a developer does it.
    async fn invoke(&self, function: &str, event: &Path) -> Value {
        let output = Command::new("cargo")
            .args([
                "lambda",
                "invoke",
                function,
                "-A",
                "127.0.0.1",
                "-P",
                &self.port,
                "--data-file",
            ])
            .arg(event)
            .current_dir(ROOT)
            .output()
            .await
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{function} {}: {error}", event.display());
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", fs::read_to_string(&self.log).unwrap_or_default());
        }
        // Its functions are processes of their own, in its group.
        if let Some(pid) = self.child.id() {
            let group = format!("-{pid}");
            drop(std::process::Command::new("kill").args(["-KILL", "--", &group]).status());
        }
    }
}

#[tokio::test]
async fn cargo_lambda_serves_the_same_bank() {
    let (database_url, emulator) = (own_database().await, Emulator::start().await);
    let endpoint = emulator.argument();
    let watch = Watch::start(&database_url, &endpoint).await;

    // Behind the gateway, everything works as it does with the gateway's own processes.
    let gateway = ["--lambda-endpoint", &watch.url, "--env", &endpoint];
    let bank = Bank::start_on(&database_url, &gateway).await;
    let post = MailingBank { bank, emulator };
    let bank = &post.bank;
    let alice = bank.customer().await;
    let newcomer = bank.newcomer().await;
    post.wait_for_mail(&email(&newcomer.username), 1).await;
    let bob = bank.customer().await;
    let from = alice.account("USD", 1_000).await;
    let to = bob.account("USD", 0).await;
    assert_eq!(alice.transfer(from, to, 250).await.status, 201);
    assert_eq!((alice.balance(from).await, bob.balance(to).await), (750, 250));
    bob.get(&format!("/accounts/{from}")).await.assert_problem(404, "not_found");
    let anonymous = bank.send(Method::GET, "/accounts", |request| request).await;
    anonymous.assert_problem(401, "unauthenticated");

    // By itself it has no authorizer: public routes work, and the others know no caller.
    let client = reqwest::Client::new();
    let name = format!("watched_{from}");
    let signed_up = client.post(format!("{}/users", watch.url)).json(&sign_up(&name));
    assert_eq!(signed_up.send().await.unwrap().status(), 201);
    let again = client.post(format!("{}/users", watch.url)).json(&sign_up(&name));
    let again = again.send().await.unwrap();
    assert_eq!(again.status(), 409);
    assert_eq!(again.headers()["content-type"], "application/problem+json");
    let path = format!("{}/accounts/{from}", watch.url);
    let refused = client.get(path).bearer_auth(&alice.access_token).send().await.unwrap();
    assert_eq!(refused.status(), 401);
    assert_eq!(refused.json::<Value>().await.unwrap()["code"], "unauthenticated");

    // The recorded events speak of alice. What each function says is in its own terms, never a failure.
    let known = client.post(format!("{}/users", watch.url)).json(&sign_up("alice")).send();
    assert!(matches!(known.await.unwrap().status().as_u16(), 201 | 409));
    for entry in fs::read_dir(Path::new(ROOT).join("functions")).unwrap() {
        let folder = entry.unwrap().path();
        let function = folder.file_name().unwrap().to_str().unwrap();
        for event in fs::read_dir(folder.join("events")).unwrap() {
            let event = event.unwrap().path();
            // What answers a stack has a deadline, and cargo-lambda's lies in 1970. `migrations.rs` and the
            // artefacts' tests try it.
            if fs::read_to_string(&event).unwrap().contains("\"ResponseURL\"") {
                continue;
            }
            let answer = watch.invoke(function, &event).await;
            match function {
                "migrate" if event.ends_with("grant_role.json") => {
                    assert_eq!(answer, json!({ "username": "alice", "role": "banker" }));
                }
                "authorizer" => assert_eq!(answer["context"]["code"], "invalid_token"),
                "migrate" => assert_eq!(answer["pending"], json!([])),
                "relay_outbox" => assert!(answer["published"].is_u64(), "{answer}"),
                "send_verify_email" => assert_eq!(answer, json!({ "batchItemFailures": [] })),
                "verify" => assert_eq!(answer["books_are_right"], true, "{answer}"),
                _ => assert!(answer["statusCode"].as_u64().unwrap() < 500, "{function}: {answer}"),
            }
        }
    }

    // What the functions log here is nobody else's to look at.
    let log = fs::read_to_string(&watch.log).unwrap();
    assert!(log.contains("POST /users/login"), "{log}");
    let tokens = [&*alice.access_token, &alice.refresh_token, &bob.access_token];
    for secret in tokens.into_iter().chain([PASSWORD, "@example.com", "k4.secret.", "$argon2"]) {
        assert!(!log.contains(secret), "{secret} was logged");
    }
}
