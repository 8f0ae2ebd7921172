//! Sessions from outside: begun, renewed, seen and ended.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::people::{Answer, Bank, Customer, PASSWORD};

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// A session that was renewed, as its user holds it now.
fn renewed<'a>(customer: &Customer<'a>, answer: &Answer) -> Customer<'a> {
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.body["session_id"], customer.session_id);
    assert_eq!(answer.body.as_object().unwrap().len(), 5);
    Customer {
        bank: customer.bank,
        username: customer.username.clone(),
        session_id: customer.session_id.clone(),
        access_token: text(&answer.body["access_token"]),
        refresh_token: text(&answer.body["refresh_token"]),
    }
}

/// As if the ten seconds were over in which a spent token gets its successor again.
async fn let_the_window_pass(bank: &Bank, customer: &Customer<'_>) {
    bank.sql(&format!(
        "BEGIN;
         SET LOCAL session_replication_role = replica;
         UPDATE spent_refresh_tokens SET spent_at = spent_at - interval '11 seconds'
         WHERE session_id = '{}';
         COMMIT",
        customer.session_id
    ))
    .await;
}

#[tokio::test]
async fn a_session_is_renewed_again_and_again() {
    let bank = Bank::start().await;
    let first = bank.customer().await;
    let account = first.account("USD", 100).await;
    let mut holder = bank.log_in(&first.username).await;
    for _ in 0..3 {
        let next = renewed(&holder, &bank.renew(&holder.refresh_token).await);
        assert_ne!(next.refresh_token, holder.refresh_token);
        assert_ne!(next.access_token, holder.access_token);
        assert_eq!(next.balance(account).await, 100);
        assert_eq!(
            holder.balance(account).await,
            100,
            "the earlier access token serves out its time"
        );
        holder = next;
    }
}

#[tokio::test]
async fn twenty_renewals_side_by_side_get_one_successor() {
    let bank = Bank::start().await;
    let alice = bank.customer().await;
    let answers = join_all((0..20).map(|_| bank.renew(&alice.refresh_token))).await;
    let holders: Vec<_> = answers.iter().map(|answer| renewed(&alice, answer)).collect();
    for holder in &holders {
        assert_eq!(holder.refresh_token, holders[0].refresh_token);
        assert_eq!(holder.get("/accounts").await.status, 200);
    }
    renewed(&alice, &bank.renew(&holders[0].refresh_token).await);
}

#[tokio::test]
async fn a_spent_token_that_comes_late_ends_the_session() {
    let bank = Bank::start().await;
    let alice = bank.customer().await;
    let other = bank.log_in(&alice.username).await;
    let next = renewed(&alice, &bank.renew(&alice.refresh_token).await);
    let_the_window_pass(&bank, &alice).await;

    let reused = bank.renew(&alice.refresh_token).await;
    reused.assert_problem(401, "session_ended");
    bank.renew(&next.refresh_token).await.assert_problem(401, "session_ended");
    for holder in [&alice, &next] {
        holder.get("/accounts").await.assert_problem(401, "session_ended");
    }
    bank.gateway.logged("a spent refresh token was shown").await;
    renewed(&other, &bank.renew(&other.refresh_token).await);
}

#[tokio::test]
async fn neither_token_passes_for_the_other() {
    let bank = Bank::start().await;
    let alice = bank.customer().await;
    bank.renew(&alice.access_token).await.assert_problem(401, "invalid_token");
    let as_access = Customer {
        access_token: alice.refresh_token.clone(),
        ..bank.log_in(&alice.username).await
    };
    as_access.get("/accounts").await.assert_problem(401, "unauthenticated");
    // With two dots it has the shape of an access token.
    let shaped = format!("{}.{}.x", alice.refresh_token, alice.refresh_token);
    let shaped = Customer { access_token: shaped, ..as_access };
    shaped.get("/accounts").await.assert_problem(401, "invalid_token");
    renewed(&alice, &bank.renew(&alice.refresh_token).await);
}

#[tokio::test]
async fn bodies_that_renew_nothing() {
    let bank = Bank::start().await;
    for body in [json!({}), json!({ "refresh_token": 1 }), json!({ "refresh_token": null })] {
        let answer = bank.post("/tokens/renew_access", &body).await;
        answer.assert_problem(400, "invalid_argument");
        assert_eq!(answer.violated(), ["refresh_token"]);
    }
    for token in ["", "x", &"A".repeat(43), &"A".repeat(10_000)] {
        bank.renew(token).await.assert_problem(401, "invalid_token");
    }
}

#[tokio::test]
async fn logging_out_is_felt_at_once() {
    let bank = Bank::start().await;
    let alice = bank.customer().await;
    let other = bank.log_in(&alice.username).await;
    // The gateway has the authorizer's answer by now.
    assert_eq!(alice.get("/accounts").await.status, 200);

    let out = alice.post("/users/logout", &json!({})).await;
    assert_eq!((out.status.as_u16(), out.body), (204, Value::Null));
    alice.get("/accounts").await.assert_problem(401, "session_ended");
    alice.post("/users/logout", &json!({})).await.assert_problem(401, "session_ended");
    bank.renew(&alice.refresh_token).await.assert_problem(401, "session_ended");
    assert_eq!(other.get("/accounts").await.status, 200);
}

/// Whoever comes second finds it ended.
#[tokio::test]
async fn log_outs_side_by_side() {
    let bank = Bank::start().await;
    for _ in 0..5 {
        let alice = bank.customer().await;
        let body = json!({});
        let own = format!("/sessions/{}", alice.session_id);
        let (outs, ends) = tokio::join!(
            join_all((0..4).map(|_| alice.post("/users/logout", &body))),
            join_all((0..4).map(|_| alice.delete(&own))),
        );
        let mut done = 0;
        for answer in outs.iter().chain(&ends) {
            if answer.status == 204 {
                done += 1;
            } else {
                answer.assert_problem(401, "session_ended");
            }
        }
        assert_eq!(done, 1);
    }
}

#[tokio::test]
async fn no_route_takes_a_large_body() {
    let bank = Bank::start().await;
    let alice = bank.customer().await;
    let large = " ".repeat(17 * 1024);
    alice.post_text("/users/logout", &large).await.assert_problem(413, "payload_too_large");
    assert_eq!(alice.get("/sessions").await.status, 200);
}

#[tokio::test]
async fn users_see_their_sessions_and_end_any_of_them() {
    let bank = Bank::start().await;
    let alice = bank.customer().await;
    let phone = bank.log_in(&alice.username).await;
    let mallory = bank.customer().await;

    let seen = alice.get("/sessions").await;
    let shown: Vec<_> = seen.body.as_array().unwrap().iter().collect();
    let ids: Vec<_> = shown.iter().map(|session| text(&session["id"])).collect();
    assert_eq!(ids, [phone.session_id.clone(), alice.session_id.clone()], "newest first");
    assert_eq!([&shown[0]["current"], &shown[1]["current"]], [&json!(false), &json!(true)]);
    assert_eq!(shown[0]["client_ip"], "127.0.0.1");
    let mut fields: Vec<_> = shown[0].as_object().unwrap().keys().collect();
    fields.sort();
    assert_eq!(fields, ["client_ip", "created_at", "current", "expires_at", "id", "user_agent"]);

    let path = format!("/sessions/{}", phone.session_id);
    let unused = format!("/sessions/{}", uuid::Uuid::new_v4());
    let [others, nobodys] = [mallory.delete(&path).await, mallory.delete(&unused).await];
    others.assert_problem(404, "not_found");
    nobodys.assert_problem(404, "not_found");
    assert_eq!(others.anonymous(), nobodys.anonymous());
    for id in ["1", "x", "%00", &phone.session_id.to_uppercase()] {
        alice.delete(&format!("/sessions/{id}")).await.assert_problem(404, "not_found");
    }

    assert_eq!(alice.delete(&path).await.status, 204);
    phone.get("/sessions").await.assert_problem(401, "session_ended");
    bank.renew(&phone.refresh_token).await.assert_problem(401, "session_ended");
    alice.delete(&path).await.assert_problem(404, "not_found");
    assert_eq!(alice.get("/sessions").await.body.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_eleventh_log_in_ends_the_oldest_session() {
    let bank = Bank::start().await;
    let oldest = bank.customer().await;
    let log_ins = join_all((0..9).map(|_| bank.log_in(&oldest.username))).await;
    assert_eq!(oldest.get("/sessions").await.body.as_array().unwrap().len(), 10);
    let newest = bank.log_in(&oldest.username).await;
    oldest.get("/sessions").await.assert_problem(401, "session_ended");
    bank.renew(&oldest.refresh_token).await.assert_problem(401, "session_ended");
    for holder in log_ins.iter().chain([&newest]) {
        assert_eq!(holder.get("/sessions").await.body.as_array().unwrap().len(), 10);
    }
}

/// However often it is renewed, and sooner when it is not.
#[tokio::test]
async fn a_session_ends_by_itself() {
    let lives = ["--parameter=RefreshTokenTtlSecs=60", "--parameter=SessionTtlSecs=90"];
    let bank = Bank::start_with(&lives).await;
    let alice = bank.customer().await;
    let began = alice.get("/sessions").await.body[0].clone();
    let life = |session: &Value| {
        let at = |field: &str| text(&session[field]);
        (at("created_at"), at("expires_at"))
    };
    let (created_at, first_end) = life(&began);
    let answer = bank.renew(&alice.refresh_token).await;
    let next = renewed(&alice, &answer);
    assert!(text(&answer.body["refresh_token_expires_at"]) > first_end);
    assert!(created_at < first_end);

    let idle = format!(
        "UPDATE sessions SET created_at = '2020-01-01', expires_at = now() WHERE id = '{}'",
        alice.session_id
    );
    bank.sql(&idle).await;
    next.get("/sessions").await.assert_problem(401, "session_ended");
    bank.renew(&next.refresh_token).await.assert_problem(401, "session_ended");
    let body = json!({ "username": alice.username, "password": PASSWORD });
    assert_eq!(bank.post("/users/login", &body).await.status, 200);
}
