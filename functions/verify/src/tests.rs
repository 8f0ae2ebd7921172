use serde_json::json;
use shared::store::postgres::verification::Breach;

use crate::handler::{Command, report};

#[test]
fn it_takes_no_orders() {
    assert!(serde_json::from_value::<Command>(json!({})).is_ok());
    for event in [json!({ "action": "repair" }), json!("all"), json!(null)] {
        assert!(serde_json::from_value::<Command>(event.clone()).is_err(), "{event}");
    }
}

#[test]
fn breaches_are_gathered_by_rule() {
    let breach = |invariant: &str, offender: &str| Breach {
        invariant: invariant.to_owned(),
        offender: offender.to_owned(),
    };
    let report = |found| serde_json::to_value(report(found)).unwrap();
    assert_eq!(report(vec![]), json!({ "books_are_right": true, "breaches": {} }));
    assert_eq!(
        report(vec![
            breach("versions_have_no_gap", "7"),
            breach("balance_in_range", "7"),
            breach("versions_have_no_gap", "9"),
        ]),
        json!({
            "books_are_right": false,
            "breaches": { "balance_in_range": ["7"], "versions_have_no_gap": ["7", "9"] },
        })
    );
}
