//! The keyring comes out of Secrets Manager, spoken to by the SDK as on AWS. `moto` answers.

use std::net::TcpListener;

use serde_json::{Value, json};
use shared::auth::Keyring;
use uuid::Uuid;

use super::people::{Bank, Customer, PASSWORD, keyring, public_keys, sign_up};
use crate::support::Emulator;

/// A Secrets Manager of one's own, ended with the test.
struct SecretsManager(Emulator);

impl SecretsManager {
    async fn start() -> Self {
        Self(Emulator::start().await)
    }

    /// Makes a secret; the id of its version.
    async fn create(&self, name: &str, text: &str) -> String {
        let token = Uuid::new_v4();
        let body = json!({ "Name": name, "SecretString": text, "ClientRequestToken": token });
        version_id(&self.0.secrets("CreateSecret", body).await)
    }

    /// Gives a secret its next text, which is not current yet; the id of that version.
    async fn put_next(&self, name: &str, text: &str) -> String {
        let body = json!({
            "SecretId": name,
            "SecretString": text,
            "ClientRequestToken": Uuid::new_v4(),
            "VersionStages": ["NEXT"],
        });
        version_id(&self.0.secrets("PutSecretValue", body).await)
    }

    async fn make_current(&self, name: &str, old: &str, new: &str) {
        let body = json!({
            "SecretId": name,
            "VersionStage": "AWSCURRENT",
            "RemoveFromVersionId": old,
            "MoveToVersionId": new,
        });
        self.0.secrets("UpdateSecretVersionStage", body).await;
    }

    /// A bank whose keyring is a secret here. What the run's keyring signs, it does not know.
    async fn bank(&self, parameters: &[&str]) -> Bank {
        let endpoint = self.0.argument();
        let mut arguments = vec!["--env", &endpoint, "--env", "SIGNING_KEYRING="];
        for parameter in parameters {
            arguments.extend(["--parameter", parameter]);
        }
        Bank::start_with(&arguments).await
    }
}

fn version_id(answer: &Value) -> String {
    answer["VersionId"].as_str().unwrap().to_owned()
}

async fn assert_opens(customer: &Customer<'_>) {
    let answer = customer.get("/accounts").await;
    assert_eq!((answer.status.as_u16(), &answer.body), (200, &json!([])));
}

fn new_keyring() -> String {
    Keyring::generate().unwrap().expose().unwrap()
}

#[tokio::test]
async fn a_keyring_is_read_by_its_name() {
    let secrets = SecretsManager::start().await;
    let first = new_keyring();
    let version = secrets.create("simplebank/dev/keyring", &first).await;

    let name = "SigningKeyringSecret=simplebank/dev/keyring";
    for (format, start) in [("paseto", "v4.public."), ("jwt", "eyJ")] {
        let public = format!("TokenPublicKeys={}", public_keys(&first));
        let format = format!("TokenFormat={format}");
        let bank = secrets.bank(&[name, &public, &format]).await;
        let alice = bank.customer().await;
        assert!(alice.access_token.starts_with(start), "{}", alice.access_token);
        assert_opens(&alice).await;
        assert!(!bank.gateway.log().contains("k4.secret"));
    }

    // A rotation as SECURITY.md has it: the next keyring is stored under a label of its own, and
    // becomes the current one later. Whoever names a version gets that one.
    let second = Keyring::parse(&first).unwrap().rotated().unwrap().expose().unwrap();
    let next = secrets.put_next("simplebank/dev/keyring", &second).await;
    let both = public_keys(&second);
    let (new, old) = both.split_once(',').unwrap();
    let assert_signs = async |version: &str, key: &str| {
        let version = format!("SigningKeyringVersion={version}");
        let bank = secrets.bank(&[name, &version, &format!("TokenPublicKeys={key}")]).await;
        assert_opens(&bank.customer().await).await;
    };
    for (version, key) in [("", old), (version.as_str(), old), (next.as_str(), new)] {
        assert_signs(version, key).await;
    }
    // moto moves the label, but goes on giving the old text to whoever names no version.
    secrets.make_current("simplebank/dev/keyring", &version, &next).await;
    for (version, key) in [(version.as_str(), old), (next.as_str(), new)] {
        assert_signs(version, key).await;
    }
}

/// The function does not start, and says which secret it is for want of, but never a key.
#[tokio::test]
async fn without_its_keyring_login_does_not_start() {
    let secrets = SecretsManager::start().await;
    let broken = keyring().replacen("k4.local.", "k4.local.A", 1);
    secrets.create("broken", &broken).await;
    secrets.create("empty", " ").await;
    let unknown_version = format!("SigningKeyringVersion={}", Uuid::new_v4());
    for parameters in [
        ["SigningKeyringSecret=missing", "SigningKeyringVersion="],
        ["SigningKeyringSecret=broken", "SigningKeyringVersion="],
        ["SigningKeyringSecret=empty", "SigningKeyringVersion="],
        ["SigningKeyringSecret=broken", &unknown_version],
    ] {
        let bank = secrets.bank(&parameters).await;
        let username = format!("user_{}", Uuid::new_v4().simple());
        assert_eq!(bank.post("/users", &sign_up(&username)).await.status, 201);
        let body = json!({ "username": username, "password": PASSWORD });
        let answer = bank.post("/users/login", &body).await;
        assert_eq!(answer.status, 503, "{answer:?}");

        let name = parameters[0].split_once('=').unwrap().1;
        let line = bank.gateway.logged(name).await;
        println!("{line}");
        let log = bank.gateway.log();
        assert!(!log.contains("k4.secret") && !log.contains("k4.local."), "{log}");
    }
}

#[tokio::test]
async fn a_keyring_that_cannot_be_asked_for_is_not_waited_for_long() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
    // Of this service alone: the gateway itself has no emulator.
    let endpoint =
        format!("AWS_ENDPOINT_URL_SECRETS_MANAGER=http://{}", nobody.local_addr().unwrap());
    let secret = "SigningKeyringSecret=out/of/reach";
    let bank = Bank::start_with(&["--env", &endpoint, "--parameter", secret]).await;
    let body = json!({ "username": "alice", "password": PASSWORD });
    let answer = bank.post("/users/login", &body).await;
    assert_eq!(answer.status, 503, "{answer:?}");
    bank.gateway.logged("out/of/reach").await;
}
