//! Users, seen and changed from outside.

use serde_json::{Value, json};
use sqlx::Row;

use super::people::{Answer, Bank, OPERATOR, PASSWORD};

const NEW_PASSWORD: &str = "eight short herons by a river";

#[tokio::test]
async fn users_change_what_they_give_and_nothing_else() {
    let bank = Bank::start().await;
    let alice = bank.customer().await;
    let before = alice.get(&alice.path()).await;
    assert_eq!(before.status, 200);
    let mut fields: Vec<_> = before.body.as_object().unwrap().keys().collect();
    fields.sort();
    assert_eq!(
        fields,
        [
            "created_at",
            "email",
            "full_name",
            "is_email_verified",
            "password_changed_at",
            "role",
            "username"
        ]
    );

    let mut expected = before.body.clone();
    let nothing = alice.patch(&alice.path(), &json!({})).await;
    assert_eq!((nothing.status.as_u16(), &nothing.body), (200, &expected));

    expected["full_name"] = json!("Alice Pleasance");
    let named = alice.patch(&alice.path(), &json!({ "full_name": "Alice Pleasance" })).await;
    assert_eq!((named.status.as_u16(), &named.body), (200, &expected));

    assert_eq!(expected["is_email_verified"], json!(true));
    expected["is_email_verified"] = json!(false);
    let email = format!("new_{}@example.com", alice.username);
    expected["email"] = json!(email);
    let change = json!({ "email": email, "current_password": PASSWORD });
    let moved = alice.patch(&alice.path(), &change).await;
    assert_eq!((moved.status.as_u16(), &moved.body), (200, &expected), "and it is not verified");
    assert_eq!(alice.get(&alice.path()).await.body, expected);
}

#[tokio::test]
async fn a_new_password_ends_the_other_sessions_and_takes_the_olds_place() {
    let bank = Bank::start().await;
    let alice = bank.customer().await;
    let other = bank.log_in(&alice.username).await;
    assert_eq!(other.get("/accounts").await.status, 200);

    bank.gateway.keep_secret(NEW_PASSWORD);
    let change = json!({ "password": NEW_PASSWORD, "current_password": PASSWORD });
    let changed = alice.patch(&alice.path(), &change).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    assert!(changed.body["password_changed_at"].as_str() > changed.body["created_at"].as_str());

    other.get("/accounts").await.assert_problem(401, "session_ended");
    bank.renew(&other.refresh_token).await.assert_problem(401, "session_ended");
    assert_eq!(alice.get("/accounts").await.status, 200);
    assert_eq!(bank.renew(&alice.refresh_token).await.status, 200);

    let log_in = |password: &str| json!({ "username": alice.username, "password": password });
    let address = super::people::own_address();
    let old = bank.post_from(address, "/users/login", &log_in(PASSWORD)).await;
    old.assert_problem(401, "invalid_credentials");
    assert_eq!(bank.post("/users/login", &log_in(NEW_PASSWORD)).await.status, 200);
}

#[tokio::test]
async fn changes_that_are_none() {
    let bank = Bank::start().await;
    let alice = bank.customer().await;
    let bob = bank.customer().await;
    let before = alice.get(&alice.path()).await.body;
    for (body, violated) in [
        (json!({ "email": "a@example.com" }), vec!["current_password"]),
        (json!({ "password": NEW_PASSWORD }), vec!["current_password"]),
        (json!({ "role": "banker" }), vec!["role"]),
        (json!({ "username": "mallory" }), vec!["username"]),
        (json!({ "is_email_verified": true }), vec!["is_email_verified"]),
        (json!({ "full_name": "" }), vec!["full_name"]),
        (json!({ "full_name": null }), vec!["full_name"]),
        (json!({ "full_name": "A\u{0}" }), vec!["full_name"]),
        (
            json!({ "email": "x", "password": "y", "full_name": "<" }),
            vec!["full_name", "email", "password"],
        ),
        (json!({ "password": "password1", "current_password": PASSWORD }), vec!["password"]),
        (json!({ "password": before["email"], "current_password": PASSWORD }), vec!["password"]),
        (json!({ "password": alice.username, "current_password": PASSWORD }), vec!["password"]),
        (json!({ "password": "short", "current_password": PASSWORD }), vec!["password"]),
    ] {
        let answer = alice.patch(&alice.path(), &body).await;
        answer.assert_problem(400, "invalid_argument");
        assert_eq!(answer.violated(), violated, "{body}");
    }
    let taken = json!({
        "email": format!("{}@EXAMPLE.com", bob.username), "current_password": PASSWORD,
    });
    alice.patch(&alice.path(), &taken).await.assert_problem(409, "email_taken");
    assert_eq!(alice.get(&alice.path()).await.body, before, "nothing was left behind");
}

/// Neither by a new password nor by a new address.
#[tokio::test]
async fn a_password_never_becomes_the_users_address() {
    let bank = Bank::start().await;
    let alice = bank.customer().await;
    let address = format!("later_{}@example.org", alice.username);
    let password = json!({ "password": address, "current_password": PASSWORD });
    assert_eq!(alice.patch(&alice.path(), &password).await.status, 200);
    let email = json!({ "email": address.to_uppercase(), "current_password": address });
    let answer = alice.patch(&alice.path(), &email).await;
    answer.assert_problem(400, "invalid_argument");
    assert_eq!(answer.violated(), ["email"]);
}

#[tokio::test]
async fn a_role_counts_from_the_next_request_on() {
    let bank = Bank::start().await;
    let (alice, banker) = (bank.customer().await, bank.customer().await);
    let nobody = "/users/nobody_at_all";
    let rename = json!({ "full_name": "Alice Pleasance" });
    let credentials = [
        json!({ "email": "mallory@example.com", "current_password": PASSWORD }),
        json!({ "password": NEW_PASSWORD, "current_password": PASSWORD }),
    ];

    let [others, unused] = [banker.get(&alice.path()).await, banker.get(nobody).await];
    others.assert_problem(404, "not_found");
    assert_eq!((others.status, others.anonymous()), (unused.status, unused.anonymous()));
    let others = banker.patch(&alice.path(), &rename).await;
    let unused = banker.patch(nobody, &rename).await;
    others.assert_problem(404, "not_found");
    assert_eq!(others.anonymous(), unused.anonymous());

    bank.grant(&banker.username, "banker").await;
    assert_eq!(banker.get(&banker.path()).await.body["role"], "banker");
    assert_eq!(banker.get(&alice.path()).await.body["username"], alice.username);
    let renamed = banker.patch(&alice.path(), &rename).await;
    assert_eq!(renamed.body["full_name"], "Alice Pleasance");
    for change in &credentials {
        banker.patch(&alice.path(), change).await.assert_problem(403, "permission_denied");
        banker.patch(nobody, change).await.assert_problem(404, "not_found");
    }
    banker.get(nobody).await.assert_problem(404, "not_found");

    bank.grant(&banker.username, "depositor").await;
    banker.get(&alice.path()).await.assert_problem(404, "not_found");
    banker.patch(&alice.path(), &rename).await.assert_problem(404, "not_found");
    for change in &credentials {
        banker.patch(&alice.path(), change).await.assert_problem(404, "not_found");
    }
    assert_eq!(bank.log_in(&alice.username).await.get("/accounts").await.status, 200);

    let record = sqlx::raw_sql(sqlx::AssertSqlSafe(format!(
        "SELECT actor, action, after FROM audit_events WHERE username IN ('{}', '{}') ORDER BY id",
        alice.username, banker.username
    )))
    .fetch_all(&mut bank.database().await)
    .await
    .unwrap();
    let shown: Vec<[String; 3]> =
        record.iter().map(|row| [row.get(0), row.get(1), row.get(2)]).collect();
    assert_eq!(
        shown,
        [
            [OPERATOR, "role_granted", "banker"],
            [&*banker.username, "full_name_changed", "Alice Pleasance"],
            [OPERATOR, "role_granted", "depositor"],
        ]
    );
}

#[tokio::test]
async fn names_in_paths_that_are_none() {
    let bank = Bank::start().await;
    let alice = bank.customer().await;
    for name in ["Alice", "ab", "a'--", "%00", "..", "alice%2F..", &"a".repeat(101)] {
        let path = format!("/users/{name}");
        let answers: [Answer; 2] =
            [alice.get(&path).await, alice.patch(&path, &json!({ "full_name": "A" })).await];
        for answer in answers {
            answer.assert_problem(404, "not_found");
        }
    }
    let body: Value = alice.get(&alice.path()).await.body;
    assert_eq!(body["full_name"], "Alice Liddell");
}
