use serde_json::json;

use crate::handler::Command;

#[test]
fn only_three_actions_are_known() {
    for action in ["up", "down", "status"] {
        assert!(serde_json::from_value::<Command>(json!({ "action": action })).is_ok());
    }
    for event in [
        json!({}),
        json!({ "action": "UP" }),
        json!({ "action": "drop" }),
        json!({ "action": "up", "force": true }),
        json!("up"),
    ] {
        assert!(serde_json::from_value::<Command>(event.clone()).is_err(), "{event}");
    }
}
