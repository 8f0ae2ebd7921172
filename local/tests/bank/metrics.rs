//! What the functions count, as `CloudWatch` reads it in their log.
#![expect(clippy::disallowed_types, reason = "counts, and times that were measured")]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{
    idempotency::post_keyed,
    people::{Bank, arguments, key, own_address, own_database, transfer},
};
use crate::support::{self, until};

/// Every metric with its dimensions and its unit.
const METRICS: [(&str, &[&str], &str); 9] = [
    ("Amount", &["Stage", "Kind", "Currency"], ""),
    ("Breaches", &["Stage"], ""),
    ("ColdStarts", &["Stage", "Function"], "Count"),
    ("DatabaseTime", &["Stage", "Route"], "Milliseconds"),
    ("Duration", &["Stage", "Route"], "Milliseconds"),
    ("LoginFailures", &["Stage"], "Count"),
    ("Movements", &["Stage", "Kind", "Currency"], "Count"),
    ("Refusals", &["Stage", "Code"], "Count"),
    ("Requests", &["Stage", "Route", "Status"], "Count"),
];

/// The values of each metric by its dimensions but for the stage, as in `Requests GET /accounts 200`.
/// Fails if a line has anything else in it.
fn read(log: &str) -> BTreeMap<String, Vec<f64>> {
    let mut values: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for line in log.lines().filter(|line| line.contains("\"_aws\"")) {
        let line: Value = serde_json::from_str(&line[line.find('{').unwrap()..]).unwrap();
        let mut known = BTreeSet::from(["_aws".to_owned()]);
        let [directive] = line["_aws"]["CloudWatchMetrics"].as_array().unwrap().as_slice() else {
            panic!("{line}");
        };
        assert_eq!(directive["Namespace"], "SimpleBank");
        assert!(line["_aws"]["Timestamp"].is_u64(), "{line}");
        for metric in directive["Metrics"].as_array().unwrap() {
            let name = metric["Name"].as_str().unwrap();
            let (_, dimensions, unit) = METRICS
                .iter()
                .find(|(known, ..)| *known == name)
                .unwrap_or_else(|| panic!("{line}"));
            assert_eq!(metric["Unit"].as_str().unwrap_or_default(), *unit, "{line}");
            assert_eq!(directive["Dimensions"], json!([dimensions]), "{line}");
            known.insert(name.to_owned());
            known.extend(dimensions.iter().map(|dimension| (*dimension).to_owned()));
            let words = dimensions.iter().skip(1).map(|it| line[*it].as_str().unwrap().to_owned());
            let key = [name.to_owned()].into_iter().chain(words).collect::<Vec<_>>().join(" ");
            let value = &line[name];
            let of_one = value.as_f64().map(|value| vec![value]);
            let of_many =
                || value.as_array().unwrap().iter().map(|it| it.as_f64().unwrap()).collect();
            values.entry(key).or_default().extend(of_one.unwrap_or_else(of_many));
        }
        let there: BTreeSet<String> = line.as_object().unwrap().keys().cloned().collect();
        assert_eq!(there, known, "nothing but numbers and their dimensions");
    }
    values
}

#[tokio::test]
async fn what_happens_is_counted_once() {
    let bank = Bank::start().await;
    let (alice, bob) = (bank.customer().await, bank.customer().await);
    let (from, to) = (alice.account("USD", 100).await, bob.account("USD", 5).await);
    let key = key();
    for _ in 0..2 {
        let moved = post_keyed(&alice, "/transfers", &key, &transfer(from, to, 30)).await;
        assert_eq!(moved.status, 201, "{moved:?}");
    }
    alice.transfer(from, to, 1_000).await.assert_problem(422, "insufficient_funds");
    let wrong = json!({ "username": alice.username, "password": "not her password" });
    let refused = bank.post_from(own_address(), "/users/login", &wrong).await;
    refused.assert_problem(401, "invalid_credentials");
    let body = json!({ "username": "nobody" });
    let call = bank.post("/simplebank.v1.SimpleBank/GetUser", &body).await;
    assert_eq!(call.status, 401, "{call:?}");

    // A line is passed on when it comes, which may be after the answer.
    until(|| bank.gateway.log().contains("unauthenticated")).await;
    let counted = || read(&bank.gateway.log());
    until(|| counted().contains_key("Refusals unauthenticated")).await;
    let counted = counted();
    let sum = |name: &str| counted.get(name).map(|values| values.iter().sum::<f64>());
    for (name, expected) in [
        ("Requests POST /transfers 201", 2.0),
        ("Requests POST /transfers 422", 1.0),
        ("Requests POST /users 201", 2.0),
        ("Requests POST /users/login 401", 1.0),
        ("Requests /simplebank.v1.SimpleBank/GetUser unauthenticated", 1.0),
        ("Refusals insufficient_funds", 1.0),
        ("Refusals invalid_credentials", 1.0),
        ("Refusals unauthenticated", 1.0),
        // What was told again has not moved again.
        ("Movements transfer USD", 1.0),
        ("Amount transfer USD", 30.0),
        ("Movements deposit USD", 2.0),
        ("Amount deposit USD", 105.0),
        ("LoginFailures", 1.0),
    ] {
        assert_eq!(sum(name), Some(expected), "{name} in {counted:#?}");
    }
    for function in ["authorizer", "create_user", "login", "transfer", "rpc"] {
        assert!(sum(&format!("ColdStarts {function}")) >= Some(1.0), "{function}: {counted:#?}");
    }
    let durations = &counted["Duration POST /transfers"];
    let in_database = &counted["DatabaseTime POST /transfers"];
    assert_eq!((durations.len(), in_database.len()), (3, 3));
    for (all, part) in durations.iter().zip(in_database) {
        assert!(0.0 < *part && part <= all, "{part} of {all} ms");
    }
}

/// An alarm waits for it, and goes off if it is not there.
#[tokio::test]
async fn how_many_rules_are_broken_is_said_even_if_none_is() {
    let url = own_database().await;
    let bank = Bank::start_on(&url, &[]).await;
    let alice = bank.customer().await;
    alice.account("USD", 100).await;
    let verify = async || {
        let arguments = arguments(&url);
        let invoke = ["invoke", "verify", "--data", "{}"];
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).chain(invoke).collect();
        let output = support::run(&arguments).await;
        assert!(output.status.success());
        read(&String::from_utf8(output.stderr).unwrap())["Breaches"].clone()
    };
    assert_eq!(verify().await, [0.0]);
    bank.sql("SET session_replication_role = replica; UPDATE accounts SET balance = 7").await;
    assert!(verify().await[0] >= 1.0);
}
