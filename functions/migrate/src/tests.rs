use serde_json::json;
use shared::config::{DatabaseConfig, MigrationConfig};

use crate::handler::{Command, handle};

#[test]
fn only_four_actions_are_known() {
    for event in [
        json!({ "action": "up" }),
        json!({ "action": "down" }),
        json!({ "action": "status" }),
        json!({ "action": "grant_role", "username": "alice", "role": "banker", "operator": "o" }),
    ] {
        assert!(serde_json::from_value::<Command>(event.clone()).is_ok(), "{event}");
    }
    for event in [
        json!({}),
        json!({ "action": "UP" }),
        json!({ "action": "drop" }),
        json!({ "action": "up", "force": true }),
        json!("up"),
        json!({ "action": "grant_role", "username": "alice", "role": "banker" }),
        json!({ "action": "grant_role", "username": "alice", "role": "b", "operator": "o", "x": 1 }),
    ] {
        assert!(serde_json::from_value::<Command>(event.clone()).is_err(), "{event}");
    }
}

#[tokio::test]
async fn a_grant_that_is_none_reaches_no_database() {
    let url = "postgres://nobody@localhost:1/none".to_owned();
    let owner =
        DatabaseConfig { url, secret: None, ca_file: None, allow_unsafe: false, connections: None };
    let config = MigrationConfig { owner, application_secret: None };
    for (username, role, operator, refused) in [
        ("Alice", "banker", "olga", "username"),
        ("alice", "root", "olga", "role"),
        ("alice", "banker", " ", "operator"),
        ("alice", "banker", "ol\nga", "operator"),
    ] {
        let event = json!({
            "action": "grant_role", "username": username, "role": role, "operator": operator,
        });
        let command = serde_json::from_value(event).unwrap();
        let error = handle(&config, command).await.unwrap_err().to_string();
        assert!(error.starts_with(refused), "{error}");
    }
}
