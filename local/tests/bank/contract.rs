//! What the published document says of requests is what functions read: neither has a field more.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Map, Value, json};

use super::people::{Bank, Customer, ROOT, key};

fn names(values: &Value) -> BTreeSet<String> {
    let values = values.as_array().into_iter().flatten();
    values.map(|value| value.as_str().unwrap().to_owned()).collect()
}

/// The fields that are refused in a request, which has nothing right in it.
async fn violated(
    alice: &Customer<'_>,
    (method, path): (&str, &str),
    query: &[String],
    body: Option<&Value>,
) -> BTreeSet<String> {
    let method: Method = method.to_uppercase().parse().unwrap();
    let path = path.replace("{id}", "1").replace("{username}", &alice.username);
    let query: Vec<String> = query.iter().map(|name| format!("{name}=")).collect();
    let path = format!("{path}?{}", query.join("&"));
    let answer = alice
        .bank
        .send(method, &path, |request| {
            let request = request.bearer_auth(&alice.access_token).header("idempotency-key", key());
            if let Some(body) = body { request.json(body) } else { request }
        })
        .await;
    answer.assert_problem(400, "invalid_argument");
    answer.violated().into_iter().map(str::to_owned).collect()
}

#[tokio::test]
async fn requests_have_the_fields_that_are_published() {
    let bank = Bank::start().await;
    let alice = bank.customer().await;
    let text = std::fs::read_to_string(format!("{ROOT}/functions/docs/openapi.json")).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    let (mut bodies, mut queries) = (0, 0);
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let route = (method.as_str(), path.as_str());
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"]["$ref"];
            let name = schema.as_str().and_then(|schema| schema.rsplit('/').next());
            let schema = name.map(|name| &document["components"]["schemas"][name]);
            // The original's JSON passes over what it does not know, and takes what is absent for empty.
            let strict = schema.filter(|schema| schema["additionalProperties"] == json!(false));
            if let Some(schema) = strict {
                let properties = schema["properties"].as_object().unwrap().keys();
                let nothing_right: Map<String, Value> =
                    properties.clone().map(|name| (name.clone(), json!([]))).collect();
                let refused = violated(&alice, route, &[], Some(&nothing_right.into())).await;
                assert_eq!(refused, properties.cloned().collect(), "{route:?}");
                let required = names(&schema["required"]);
                if !required.is_empty() {
                    let refused = violated(&alice, route, &[], Some(&json!({}))).await;
                    assert_eq!(refused, required, "{route:?}");
                }
                bodies += 1;
            }
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let query: Vec<String> = parameters
                .filter(|parameter| parameter["in"] == "query")
                .map(|parameter| parameter["name"].as_str().unwrap().to_owned())
                .collect();
            if !query.is_empty() {
                let refused = violated(&alice, route, &query, None).await;
                assert_eq!(refused, query.into_iter().collect(), "{route:?}");
                queries += 1;
            }
        }
    }
    assert!(bodies >= 9 && queries >= 4, "{bodies} bodies, {queries} queries");
}
