//! What the Dockerfile and docker-compose.yaml name is there, as far as that can be told without Docker.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use axum::{
    Router,
    http::StatusCode,
    routing::{get, post},
};
use regex::Regex;
use serde_yaml_ng::Value;
use tokio::net::TcpListener;
use uuid::Uuid;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

fn path(name: &str) -> PathBuf {
    Path::new(ROOT).join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The crates of the template's functions.
fn functions() -> Vec<String> {
    let template: Value = serde_yaml_ng::from_str(&read("template.yaml")).unwrap();
    let resources = template["Resources"].as_mapping().unwrap().values();
    let functions = resources.filter(|resource| resource["Type"] == "AWS::Serverless::Function");
    functions
        .map(|function| function["Properties"]["CodeUri"].as_str().unwrap().to_owned())
        .map(|code| code.trim_start_matches("target/lambda/").trim_end_matches('/').to_owned())
        .collect()
}

/// The services of docker-compose.yaml, by name, where no variable is set.
fn services() -> Vec<(String, Value)> {
    let variable = Regex::new(r"\$\{[A-Z_]+:-([^}]*)\}").unwrap();
    let text = read("docker-compose.yaml");
    let mut compose: Value = serde_yaml_ng::from_str(&variable.replace_all(&text, "$1")).unwrap();
    // Once for what is merged, and once for what that merges itself.
    compose.apply_merge().unwrap();
    compose.apply_merge().unwrap();
    let services = compose["services"].as_mapping().unwrap().iter();
    services.map(|(name, service)| (name.as_str().unwrap().to_owned(), service.clone())).collect()
}

/// What a service runs, with this folder in place of the volume of keys, and the tree in place of the
/// image.
fn command_line(service: &Value, keys: &Path) -> Vec<String> {
    let lists = [&service["entrypoint"], &service["command"]];
    let words = lists.into_iter().filter_map(|list| list.as_sequence()).flatten();
    words
        .map(|word| word.as_str().unwrap().replace("/keys", keys.to_str().unwrap()))
        .map(|word| {
            word.replace("/bank/template.yaml", &format!("{ROOT}/template.yaml"))
                .replace("bank-keys", &format!("{ROOT}/local/keys.sh"))
        })
        .collect()
}

/// Runs it where `bank-local` and `token_keys` are found.
fn run(command_line: &[String]) -> Output {
    let binaries = Path::new(env!("CARGO_BIN_EXE_bank-local")).parent().unwrap();
    let mut command = Command::new("env");
    command
        .env_remove("BIN")
        .arg(format!("PATH={}:/usr/bin:/bin", binaries.display()))
        .args(command_line);
    command.output().unwrap()
}

#[test]
fn what_is_copied_is_there_and_not_ignored() {
    let ignored = read(".dockerignore");
    let mut rules = ignored.lines().filter(|line| !line.starts_with('#'));
    assert_eq!(rules.next(), Some("*"), "nothing gets in by itself");
    let (let_in, kept_out): (Vec<_>, Vec<_>) = rules.partition(|rule| rule.starts_with('!'));
    assert_eq!(kept_out, ["**/node_modules"], "no rule that this test does not know");
    let mut let_in: Vec<&str> = let_in.into_iter().map(|rule| &rule[1..]).collect();

    let dockerfile = read("Dockerfile");
    let copies = dockerfile.lines().filter_map(|line| line.strip_prefix("COPY "));
    let copies = copies.filter(|copy| !copy.contains("--from="));
    let mut sources: Vec<&str> =
        copies.flat_map(|copy| copy.rsplit(' ').skip(1).collect::<Vec<_>>()).collect();
    for source in &sources {
        assert!(path(source).exists(), "{source} is copied");
    }
    // What is in a folder that is let in needs no rule.
    let is_inside =
        |source: &str| let_in.iter().any(|folder| source.starts_with(&format!("{folder}/")));
    sources.retain(|source| !is_inside(source));
    sources.sort_unstable();
    let_in.sort_unstable();
    assert_eq!(sources, let_in);
}

/// The image takes all of `functions/`, in which each of them is.
#[test]
fn every_function_of_the_template_is_in_the_image() {
    let dockerfile = read("Dockerfile");
    assert!(dockerfile.contains("for function in functions/*; do install "));
    for function in functions() {
        assert!(path("functions").join(&function).join("Cargo.toml").exists(), "{function}");
    }
    let alone = dockerfile.split(" -p ").nth(1).unwrap().split(' ').next().unwrap();
    assert!(functions().contains(&alone.to_owned()), "the template has no function {alone}");
}

#[test]
fn versions_are_those_of_everywhere() {
    let toolchain = read("rust-toolchain.toml");
    let version = toolchain.split('"').nth(1).unwrap();
    let image = format!("FROM rust:{version}-");
    assert!(read("Dockerfile").contains(&image), "the Dockerfile builds with another Rust");

    let requirements = read("infra/requirements.txt");
    let version = requirements.lines().find_map(|line| line.strip_prefix("moto==")).unwrap();
    let services = services();
    let images = services.iter().filter_map(|(_, service)| service["image"].as_str());
    let moto: Vec<&str> =
        images.filter_map(|image| image.strip_prefix("motoserver/moto:")).collect();
    assert_eq!(moto, [version]);
}

/// Does what the service `keys` does, in this folder.
fn make_keys(folder: &Path) -> String {
    fs::create_dir_all(folder).unwrap();
    let services = services();
    let (_, service) = services.iter().find(|(name, _)| name == "keys").unwrap();
    let output = run(&command_line(service, folder));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    ["secrets", "parameters"].map(|file| fs::read_to_string(folder.join(file)).unwrap()).concat()
}

fn scratch() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(Uuid::new_v4().to_string())
}

#[test]
fn keys_are_made_once() {
    let folder = scratch();
    let keys = make_keys(&folder);
    assert!(keys.contains("simplebank/dev/cursor_key=k4.local."));
    assert!(keys.contains("TokenPublicKeys=k4.public."));
    assert_eq!(make_keys(&folder), keys);
}

/// All options are those of `bank-local`, and with them the template lacks nothing.
#[test]
fn what_compose_tells_the_bank_is_understood() {
    let folder = scratch();
    make_keys(&folder);
    for (name, service) in services() {
        let line = command_line(&service, &folder);
        if line.first().is_none_or(|program| program != "bank-local") {
            continue;
        }
        let mut from_verb =
            line.iter().skip_while(|word| !["exec", "invoke"].contains(&word.as_str()));
        if let Some(function) = from_verb.nth(1) {
            assert!(functions().contains(function), "the template has no function {function}");
        }
        let options = &line[..service["entrypoint"].as_sequence().unwrap().len()];
        for (line, word) in [(line.as_slice(), "--help"), (options, "env")] {
            let output = run(&[line, &[word.to_owned()]].concat());
            assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        }
    }
}

#[test]
fn containers_may_do_little_and_are_reached_from_this_machine_only() {
    for (name, service) in services() {
        assert_eq!(service["read_only"], true, "{name}");
        assert_eq!(service["cap_drop"][0], "ALL", "{name}");
        assert_eq!(service["security_opt"][0], "no-new-privileges:true", "{name}");
        for port in service["ports"].as_sequence().into_iter().flatten() {
            assert!(port.as_str().unwrap().starts_with("127.0.0.1:"), "{name}");
        }
    }
}

#[tokio::test]
async fn a_probe_believes_only_who_is_well() {
    async fn probe(kind: &str, status: StatusCode, body: &'static str) -> bool {
        let answer = async move || (status, body);
        let router = Router::new()
            .route("/healthz", get(answer))
            .route("/grpc.health.v1.Health/Check", post(answer));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port().to_string();
        let server = tokio::spawn(async move { axum::serve(listener, router).await });
        let script = path("local/probe.sh");
        let output = tokio::process::Command::new(script).args([kind, &port]).output();
        let is_well = output.await.unwrap().status.success();
        server.abort();
        is_well
    }
    let (ok, unavailable) = (StatusCode::OK, StatusCode::SERVICE_UNAVAILABLE);
    assert!(probe("rest", ok, "{}").await);
    assert!(!probe("rest", unavailable, "{}").await);
    assert!(probe("grpc", ok, r#"{"status":"SERVING"}"#).await);
    assert!(!probe("grpc", ok, r#"{"status":"NOT_SERVING"}"#).await);
    assert!(!probe("grpc", unavailable, r#"{"status":"SERVING"}"#).await);
    let nobody = Command::new(path("local/probe.sh")).args(["rest", "1"]).output().unwrap();
    assert!(!nobody.status.success());
}
