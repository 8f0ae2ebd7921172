//! What people forget, a test remembers: layers, routes, events, headings.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail in any of these ways"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use serde_yaml_ng::Value as Yaml;
use shared::{bank::BankError, http::Problem, store::postgres::migrations::schemas};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every file below a folder that ends like this, with its path from the root.
fn files(folder: &str, ending: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                let name = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(!found.is_empty(), "{folder}");
    found
}

fn function_names() -> BTreeSet<String> {
    let folders = fs::read_dir(root().join("functions")).unwrap();
    folders.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// A function of the template, by its crate, and its routes as (method, path).
fn template_functions() -> Vec<(String, Vec<(String, String)>)> {
    let template: Yaml = serde_yaml_ng::from_str(&read("template.yaml")).unwrap();
    let resources = template["Resources"].as_mapping().unwrap().values();
    resources
        .filter(|resource| resource["Type"] == "AWS::Serverless::Function")
        .map(|function| {
            let properties = &function["Properties"];
            let code = properties["CodeUri"].as_str().unwrap();
            let name = code.strip_prefix("target/lambda/").unwrap().trim_end_matches('/');
            let events = properties["Events"].as_mapping();
            let events = events.into_iter().flat_map(|events| events.values());
            let routes = events.filter(|event| event["Type"] == "Api").map(|event| {
                let text = |name| event["Properties"][name].as_str().unwrap().to_owned();
                (text("Method").to_uppercase(), text("Path"))
            });
            (name.to_owned(), routes.collect())
        })
        .collect()
}

fn template_routes() -> BTreeSet<(String, String, String)> {
    template_functions()
        .into_iter()
        .flat_map(|(name, routes)| {
            routes.into_iter().map(move |(method, path)| (method, path, name.clone()))
        })
        .collect()
}

/// The layers of `shared/src`, and what each of them must not know.
#[test]
fn data_moves_one_way() {
    let outer = ["crate::bank", "crate::http", "crate::app"];
    let inner = |others: &[&'static str]| [outer.as_slice(), others].concat();
    let forbidden = [
        ("domain", inner(&["crate::store", "crate::auth", "crate::tasks"])),
        ("auth", inner(&["crate::store", "crate::tasks"])),
        ("store", inner(&["crate::auth", "crate::tasks"])),
        ("tasks", inner(&["crate::store"])),
        ("bank", vec!["crate::http", "crate::app"]),
        ("http", vec!["crate::app"]),
    ];
    for (layer, others) in forbidden {
        for (name, text) in files(&format!("shared/src/{layer}"), ".rs") {
            for other in &others {
                let module = other.trim_start_matches("crate::");
                let is_used = text.contains(other)
                    || text.split("use crate::{").skip(1).any(|rest| {
                        let group = rest.split(';').next().unwrap_or_default();
                        group.split([' ', '\n', '{', ',']).any(|word| {
                            word.strip_prefix(module).is_some_and(|rest| rest.starts_with("::"))
                        })
                    });
                assert!(!is_used, "{name} uses {other}");
            }
        }
    }
}

#[test]
fn each_library_is_known_in_one_place() {
    for folder in ["shared/src", "functions"] {
        for (name, text) in files(folder, ".rs") {
            let is_test_support = name.starts_with("shared/src/testing/");
            let may_sql = name.starts_with("shared/src/store/") || is_test_support;
            assert!(may_sql || !text.contains("sqlx"), "{name} uses sqlx");
            let may_http = name.starts_with("shared/src/http/") || is_test_support;
            assert!(may_http || !text.contains("lambda_http::"), "{name} uses lambda_http");
            let may_call = ["tasks/", "aws.rs", "secrets.rs"]
                .iter()
                .any(|place| name.starts_with(&format!("shared/src/{place}")));
            assert!(may_call || !text.contains("aws_sdk_"), "{name} calls AWS");
        }
    }
}

#[test]
fn every_source_file_says_why_it_exists() {
    for folder in ["shared/src", "functions", "local/src"] {
        for (name, text) in files(folder, ".rs") {
            let is_tests = name.ends_with("tests.rs") || name.contains("/tests/");
            assert!(is_tests || text.starts_with("//! "), "{name} begins without `//!`");
        }
    }
}

#[test]
fn every_function_is_in_the_template_and_the_readme() {
    let in_template: BTreeSet<String> =
        template_functions().into_iter().map(|(name, _)| name).collect();
    assert_eq!(in_template, function_names());
    let readme = read("README.md");
    for name in function_names() {
        assert!(readme.contains(&format!("`{name}`")), "README.md does not name {name}");
    }
}

#[test]
fn every_route_is_in_the_readme() {
    let readme = read("README.md");
    for (method, path, _) in template_routes() {
        let row = format!("`{method} {path}`");
        assert!(readme.contains(&row), "README.md has no row for {row}");
    }
}

/// SECURITY.md names the test of each attack: a file and, after it, functions in it, or a verb.
#[test]
fn every_attack_is_tried_where_it_says() {
    let security = read("SECURITY.md");
    let rows = security.lines().skip_while(|line| !line.starts_with("| attack |")).skip(2);
    let rows: Vec<&str> = rows.take_while(|line| line.starts_with('|')).collect();
    assert!(rows.len() > 20, "{} attacks", rows.len());
    for row in rows {
        let tests = row.rsplit('|').nth(1).unwrap();
        assert!(tests.contains('`'), "{row}");
        let mut file = None;
        for name in tests.split('`').skip(1).step_by(2) {
            if let Some(verb) = name.strip_prefix("make ") {
                assert!(read("Makefile").contains(&format!("\n{verb}: ")), "{name}: {row}");
            } else if name.contains('/') {
                file = Some(read(name));
            } else {
                let file: &String = file.as_ref().unwrap();
                assert!(file.contains(&format!("fn {name}(")), "{name} is nowhere: {row}");
            }
        }
    }
}

#[test]
fn every_route_is_in_the_published_document() {
    let document: Value = serde_json::from_str(&read("functions/docs/openapi.json")).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let published: BTreeSet<(String, String)> = paths
        .iter()
        .flat_map(|(path, operations)| {
            let methods = operations.as_object().unwrap().keys();
            methods.map(move |method| (method.to_uppercase(), path.clone()))
        })
        .collect();
    let served: BTreeSet<(String, String)> =
        template_routes().into_iter().map(|(method, path, _)| (method, path)).collect();
    assert_eq!(published, served);
}

/// SAM passes over a parameter that the template does not have, and what another stage's is would be taken.
#[test]
fn every_stage_is_given_its_own_parameters() {
    let template: Yaml = serde_yaml_ng::from_str(&read("template.yaml")).unwrap();
    let stored: BTreeSet<String> = template["Parameters"]
        .as_mapping()
        .unwrap()
        .iter()
        .filter(|(_, declared)| declared["Type"].as_str().unwrap().starts_with("AWS::SSM::"))
        .map(|(name, _)| name.as_str().unwrap().to_owned())
        .collect();
    let samconfig = read("samconfig.toml");
    let blocks: Vec<&str> = samconfig.split("parameter_overrides").skip(1).collect();
    assert_eq!(blocks.len(), 3, "a block for each stage");
    for block in blocks {
        let block = block.split("\n[").next().unwrap();
        let pairs: Vec<(&str, &str)> = block
            .split_whitespace()
            .filter_map(|word| word.split_once('='))
            .skip_while(|(name, _)| name.is_empty())
            .collect();
        let (_, stage) = pairs.iter().find(|(name, _)| *name == "Stage").unwrap();
        for (name, value) in &pairs {
            assert!(
                !template["Parameters"][*name].is_null(),
                "the template has no parameter {name}"
            );
            let of_stage = format!("/simplebank/{stage}/");
            assert!(
                !value.starts_with('/') || value.starts_with(&of_stage),
                "{stage}: {name}={value}"
            );
        }
        let given: BTreeSet<String> = pairs.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert!(stored.is_subset(&given), "{stage} is not given all of {stored:?}");
    }
}

/// Every function has its alarms, and every metric of ours that is looked at is one that is written.
#[test]
fn what_is_watched_is_there() {
    let watched = read("infra/observability.yaml");
    for name in function_names() {
        assert!(
            watched.contains(&format!("simplebank-${{Stage}}-{name}\"")),
            "nobody watches {name}"
        );
    }
    // The table in its documentation, which a test of the bank's holds against what functions write.
    let metrics = read("shared/src/telemetry/metrics.rs");
    let rows = metrics.lines().filter_map(|line| line.strip_prefix("//! | `"));
    let written: BTreeSet<(String, String)> = rows
        .map(|row| {
            let (name, rest) = row.split_once("` |").unwrap();
            let dimensions = rest.split('|').next().unwrap();
            (name.to_owned(), dimensions.replace(['`', ' '], ""))
        })
        .collect();
    let found = watched.split("SEARCH('{SimpleBank,Stage").skip(1);
    let looked_at: Vec<(String, String)> = found
        .map(|rest| {
            let (dimensions, rest) = rest.split_once("} MetricName=\\\"").unwrap();
            let name = rest.split('\\').next().unwrap();
            (name.to_owned(), dimensions.trim_start_matches(',').to_owned())
        })
        .collect();
    assert!(!looked_at.is_empty(), "observability.yaml is written otherwise by now");
    for pair in looked_at {
        assert!(written.contains(&pair), "nobody writes {pair:?}");
    }
    let namespaces: Vec<&str> = watched.split("Namespace: SimpleBank").skip(1).collect();
    assert!(!namespaces.is_empty(), "observability.yaml is written otherwise by now");
    for alarm in namespaces {
        let name = alarm.split("MetricName: ").nth(1).unwrap();
        let name = name.split_whitespace().next().unwrap().to_owned();
        assert!(written.contains(&(name.clone(), String::new())), "nobody writes {name} by stage");
    }
}

/// What the gateway says for itself, it says in the bank's words.
#[test]
fn gateway_responses_use_the_words_of_problems() {
    let problems: Vec<Problem> = [
        BankError::NotFound,
        BankError::Unauthenticated,
        BankError::PayloadTooLarge,
        BankError::UnsupportedMediaType,
        BankError::Malformed("The request could not be read."),
        BankError::Unavailable("".into()),
        BankError::OutcomeUnknown("".into()),
        BankError::Internal("".into()),
    ]
    .iter()
    .map(Problem::from)
    .collect();
    // The gateway says these of other things than the functions do.
    let gateways_own = ["too_many_requests", "permission_denied"];

    let template: Yaml = serde_yaml_ng::from_str(&read("template.yaml")).unwrap();
    let responses = &template["Resources"]["Api"]["Properties"]["GatewayResponses"];
    for (kind, response) in responses.as_mapping().unwrap() {
        let kind = kind.as_str().unwrap();
        let text = response["ResponseTemplates"]["application/json"].as_str().unwrap();
        let body: Value = serde_json::from_str(text).unwrap();
        let code = body["code"].as_str().unwrap();
        assert_eq!(body["status"], response["StatusCode"].as_u64().unwrap(), "{kind}");
        assert_eq!(body["type"], format!("https://simplebank.dev/problems/{code}"), "{kind}");
        assert_eq!(body["instance"], "$context.requestId", "{kind}");
        if gateways_own.contains(&code) || code == "$context.authorizer.code" {
            continue;
        }
        let problem = problems.iter().find(|problem| problem.code() == code);
        let problem = problem.unwrap_or_else(|| panic!("{kind} speaks of {code}"));
        assert_eq!(body["status"], problem.status().as_u16(), "{kind}");
        assert_eq!(body["title"], problem.title(), "{kind}");
        assert_eq!(body["detail"], problem.detail(), "{kind}");
    }
}

/// `cargo lambda watch` by itself serves the same routes.
#[test]
fn the_watch_router_is_the_templates() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let router = metadata["metadata"]["lambda"]["watch"]["router"].as_object().unwrap();
    let watched: BTreeSet<(String, String, String)> = router
        .iter()
        .flat_map(|(path, methods)| {
            methods.as_array().unwrap().iter().map(|route| {
                let text = |name: &str| route[name].as_str().unwrap().to_owned();
                (text("method"), path.clone(), text("function"))
            })
        })
        .collect();
    assert_eq!(watched, template_routes());
}

/// Every function has an event to be tried with, and every route one of its own.
#[test]
fn every_route_has_a_recorded_event() {
    let mut recorded = BTreeSet::new();
    for name in function_names() {
        for (_, text) in files(&format!("functions/{name}/events"), ".json") {
            let event: Value = serde_json::from_str(&text).unwrap();
            if let (Some(method), Some(path)) =
                (event["httpMethod"].as_str(), event["resource"].as_str())
            {
                recorded.insert((method.to_owned(), path.to_owned(), name.clone()));
            }
        }
    }
    assert_eq!(recorded, template_routes());
}

/// Or a stack would be deployed without its newest migration.
#[test]
fn the_template_deploys_the_newest_schema() {
    let template: Yaml = serde_yaml_ng::from_str(&read("template.yaml")).unwrap();
    let deployed = template["Resources"]["Migrations"]["Properties"]["Schema"].as_str().unwrap();
    assert_eq!(deployed, schemas().last().unwrap(), "migrations/ has changed: run `make schema`");
}

/// What each function is made of. `cargo tree` sees all of them together, as `make build` names them: features
/// that one asks for, all have.
fn function_tree() -> String {
    let functions = function_names().into_iter().flat_map(|name| ["-p".to_owned(), name]);
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--no-default-features", "--edges=normal", "--prefix=depth"])
        .args(functions)
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Who depends on what, as `name version`, and the names at the roots. Subtrees that were shown before are
/// left out of the text, so that it has to be read as a whole.
fn read_tree(text: &str) -> (BTreeSet<String>, BTreeMap<String, BTreeSet<String>>) {
    let (mut roots, mut edges) = (BTreeSet::new(), BTreeMap::<String, BTreeSet<String>>::new());
    let mut path: Vec<String> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let digits = line.find(|sign: char| !sign.is_ascii_digit()).unwrap();
        let (depth, package) = line.split_at(digits);
        let mut words = package.split(' ');
        let (name, version) = (words.next().unwrap(), words.next().unwrap());
        let package = format!("{name} {}", version.trim_start_matches('v'));
        path.truncate(depth.parse().unwrap());
        match path.last() {
            None => drop(roots.insert(package.clone())),
            Some(parent) => drop(edges.entry(parent.clone()).or_default().insert(package.clone())),
        }
        path.push(package);
    }
    (roots, edges)
}

/// What should be in no function, or not in two versions, or not beside another.
fn unasked(tree: &str) -> Vec<String> {
    // Other ways to speak HTTP and TLS, single sign-on, curves and RSA that nobody signs with, and
    // compressors that nobody can call.
    const NEVER: [&str; 18] = [
        "aws-lc-fips-sys",
        "aws-lc-rs",
        "aws-lc-sys",
        "aws-sdk-sso",
        "aws-sdk-ssooidc",
        "boring",
        "curl",
        "flate2",
        "isahc",
        "native-tls",
        "openssl",
        "openssl-sys",
        "p256",
        "p384",
        "rsa",
        "s2n-tls",
        "ureq",
        "zstd-sys",
    ];
    // The one way. Types alone are no stack: `http` may be there twice.
    const ONCE: [&str; 8] = [
        "h2",
        "hyper",
        "hyper-rustls",
        "hyper-util",
        "ring",
        "rustls",
        "tokio-rustls",
        "webpki-roots",
    ];
    const OLD: [(&str, &str); 3] = [("h2", "0.3."), ("hyper", "0.14."), ("rustls", "0.21.")];
    // What rustls can compute with.
    const PROVIDERS: [&str; 7] = [
        "aws-lc-rs",
        "boring",
        "graviola",
        "ring",
        "rustls-openssl",
        "rustls-rustcrypto",
        "rustls-symcrypt",
    ];

    let (roots, edges) = read_tree(tree);
    let mut found = Vec::new();
    for function in roots {
        let (mut packages, mut waiting) = (BTreeSet::new(), vec![function.clone()]);
        while let Some(package) = waiting.pop() {
            if packages.insert(package.clone()) {
                waiting.extend(edges.get(&package).into_iter().flatten().cloned());
            }
        }
        let packages: Vec<(&str, &str)> =
            packages.iter().map(|package| package.split_once(' ').unwrap()).collect();
        let is_unwanted = |(name, version): &&(&str, &str)| {
            NEVER.contains(name)
                || OLD.iter().any(|(old, start)| name == old && version.starts_with(start))
        };
        let unwanted = packages.iter().filter(is_unwanted);
        found.extend(unwanted.map(|(name, version)| format!("{function}: {name} {version}")));
        for name in ONCE {
            let count = packages.iter().filter(|(other, _)| *other == name).count();
            found.extend((count > 1).then(|| format!("{function}: {name} in {count} versions")));
        }
        let providers: BTreeSet<&str> = packages
            .iter()
            .map(|(name, _)| *name)
            .filter(|name| PROVIDERS.contains(name))
            .collect();
        found.extend((providers.len() > 1).then(|| format!("{function}: {providers:?}")));
    }
    found
}

/// One member or dependency with its defaults on would bring them into every function.
#[test]
fn nothing_comes_along_unasked() {
    let tree = function_tree();
    let (roots, edges) = read_tree(&tree);
    let names: BTreeSet<String> =
        roots.iter().map(|root| root.split_once(' ').unwrap().0.to_owned()).collect();
    assert_eq!(names, function_names());
    // It is the tree that was read: this is what TLS is for, and what it is made of.
    for package in ["rustls ", "ring ", "sqlx "] {
        let is_there = edges.values().flatten().any(|other| other.starts_with(package));
        assert!(is_there, "{package}");
    }
    let found = unasked(&tree);
    assert!(found.is_empty(), "see `cargo tree -e normal -i name@version`: {found:#?}");
}

#[test]
fn a_second_stack_is_found() {
    let plain = "0login v0.1.0 (/bank/functions/login)\n\
        1shared v0.1.0 (/bank/shared)\n\
        2hyper v1.12.0\n\
        3h2 v0.4.20\n\
        2rustls v0.23.46\n\
        3ring v0.17.14\n\
        3http v0.2.12\n\
        2http v1.5.0\n\
        \n\
        0docs v0.1.0 (/bank/functions/docs)\n";
    assert_eq!(unasked(plain), [""; 0]);
    for (planted, expected) in [
        ("1rustls v0.21.12", vec!["docs 0.1.0: rustls 0.21.12"]),
        ("1rustls v0.24.0", vec![]),
        (
            "1shared v0.1.0 (/bank/shared) (*)\n1rustls v0.24.0",
            vec!["docs 0.1.0: rustls in 2 versions"],
        ),
        (
            "1hyper v0.14.32\n2h2 v0.3.27",
            vec!["docs 0.1.0: h2 0.3.27", "docs 0.1.0: hyper 0.14.32"],
        ),
        (
            "1aws-lc-rs v1.15.0\n2aws-lc-sys v0.30.0",
            vec!["docs 0.1.0: aws-lc-rs 1.15.0", "docs 0.1.0: aws-lc-sys 0.30.0"],
        ),
        (
            "1ring v0.17.14\n1rustls-rustcrypto v0.1.0",
            vec![r#"docs 0.1.0: {"ring", "rustls-rustcrypto"}"#],
        ),
        ("1openssl-sys v0.9.0", vec!["docs 0.1.0: openssl-sys 0.9.0"]),
        ("1native-tls v0.2.0", vec!["docs 0.1.0: native-tls 0.2.0"]),
    ] {
        assert_eq!(unasked(&format!("{plain}{planted}\n")), expected, "{planted}");
    }
    // What all functions share is found in each of them, though its subtree is shown but once.
    let shared =
        plain.replace("2http v1.5.0", "2s2n-tls v0.3.0") + "1shared v0.1.0 (/bank/shared) (*)\n";
    assert_eq!(unasked(&shared), ["docs 0.1.0: s2n-tls 0.3.0", "login 0.1.0: s2n-tls 0.3.0"]);
}
