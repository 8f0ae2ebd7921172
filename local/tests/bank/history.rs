//! What has happened, as its owners read it.

use serde_json::{Value, json};

use super::people::{Answer, Bank, Customer};

fn ids(rows: &[Value]) -> Vec<i64> {
    rows.iter().map(|row| row["id"].as_i64().unwrap()).collect()
}

/// Reads a list to its end, two rows at a time. `meanwhile` runs between the pages.
async fn walk(
    customer: &Customer<'_>,
    path: &str,
    rows: &str,
    meanwhile: impl AsyncFn(),
) -> Vec<Value> {
    let separator = if path.contains('?') { '&' } else { '?' };
    let mut read = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = customer.get(&format!("{path}{separator}limit=2{cursor}")).await;
        assert_eq!(page.status, 200, "{}", page.body);
        assert_eq!(page.body.as_object().unwrap().len(), 2, "{}", page.body);
        let items = page.body[rows].as_array().unwrap();
        assert!((1..=2).contains(&items.len()), "{}", page.body);
        read.extend_from_slice(items);
        let Some(next) = page.body["next_cursor"].as_str() else { break };
        assert_eq!(items.len(), 2, "only the last page is short");
        cursor = format!("&cursor={next}");
        meanwhile().await;
    }
    read
}

async fn next_cursor(customer: &Customer<'_>, path: &str) -> String {
    let page = customer.get(path).await;
    page.body["next_cursor"].as_str().unwrap_or_else(|| panic!("{}", page.body)).to_owned()
}

#[tokio::test]
async fn lists_are_walked_while_money_moves() {
    let bank = Bank::start().await;
    let alice = bank.customer().await;
    let bob = bank.customer().await;
    let from = alice.account("USD", 1_000).await;
    let to = bob.account("USD", 1_000).await;
    alice.account("EUR", 5).await;
    let mut made = Vec::new();
    for amount in 1..=5 {
        let done = alice.transfer(from, to, amount).await;
        made.insert(0, done.body["transfer"].clone());
        let deposit = json!({ "amount": 100 });
        alice.post(&format!("/accounts/{from}/deposits"), &deposit).await;
    }
    // Both ways: what was sent, and what was received.
    let more = async || {
        assert_eq!(alice.transfer(from, to, 9).await.status, 201);
        assert_eq!(bob.transfer(to, from, 9).await.status, 201);
    };

    let newest = ids(&made)[0];
    let of_account = format!("/transfers?account_id={from}");
    for path in ["/transfers", &of_account] {
        let mut read = walk(&alice, path, "transfers", &more).await;
        read.retain(|transfer| transfer["id"].as_i64().unwrap() <= newest);
        assert_eq!(read, made, "{path}: complete, once each, newest first, without deposits");
    }
    let mut read = walk(&bob, "/transfers", "transfers", &more).await;
    read.retain(|transfer| transfer["id"].as_i64().unwrap() <= newest);
    assert_eq!(read, made, "the other side sees the same");

    let entries = walk(&alice, &format!("/accounts/{from}/entries"), "entries", &more).await;
    assert!(ids(&entries).is_sorted_by(|newer, older| newer > older));
    for (older, newer) in entries.iter().skip(1).zip(&entries) {
        let before = older["balance_after"].as_i64().unwrap();
        let after = before.checked_add(newer["amount"].as_i64().unwrap());
        assert_eq!(newer["balance_after"].as_i64(), after, "no entry is missing or doubled");
    }
    let first = entries.last().unwrap();
    assert_eq!((&first["kind"], &first["balance_after"]), (&json!("deposit"), &json!(1_000)));
    assert_eq!(first["transfer_id"], Value::Null);
}

#[tokio::test]
async fn a_transfer_is_its_two_parties_affair() {
    let bank = Bank::start().await;
    let alice = bank.customer().await;
    let bob = bank.customer().await;
    let mallory = bank.customer().await;
    let from = alice.account("USD", 100).await;
    let to = bob.account("USD", 0).await;
    mallory.account("USD", 100).await;
    let done = alice.transfer(from, to, 25).await;
    let transfer = &done.body["transfer"];
    let path = format!("/transfers/{}", transfer["id"]);

    for (party, own) in [(&alice, from), (&bob, to)] {
        assert_eq!(&party.get(&path).await.body, transfer);
        let listed = party.get("/transfers").await;
        assert_eq!(listed.body, json!({ "transfers": [transfer], "next_cursor": null }));
        let entries = party.get(&format!("/accounts/{own}/entries?limit=1")).await;
        assert_eq!(entries.body["entries"][0]["transfer_id"], transfer["id"]);
    }

    let listed = mallory.get("/transfers").await;
    assert_eq!(listed.body, json!({ "transfers": [], "next_cursor": null }));
    let unused = i64::MAX;
    for (others, absent) in [
        (path, format!("/transfers/{unused}")),
        (format!("/transfers?account_id={from}"), format!("/transfers?account_id={unused}")),
        (format!("/accounts/{to}/entries"), format!("/accounts/{unused}/entries")),
    ] {
        let answers = [mallory.get(&others).await, mallory.get(&absent).await];
        for answer in &answers {
            answer.assert_problem(404, "not_found");
        }
        let [others, absent] = answers.map(Answer::anonymous);
        assert_eq!(others, absent);
    }
    for id in ["0", "01", "+1", "-1", "1%2F..", "%D9%A1", "9223372036854775808", "x", "%00"] {
        for path in [format!("/transfers/{id}"), format!("/accounts/{id}/entries")] {
            alice.get(&path).await.assert_problem(404, "not_found");
        }
    }
}

#[tokio::test]
async fn cursors_are_of_use_to_one_user_in_one_list() {
    let bank = Bank::start().await;
    let alice = bank.customer().await;
    let bob = bank.customer().await;
    let from = alice.account("USD", 100).await;
    let to = bob.account("USD", 100).await;
    let euros = alice.account("EUR", 5).await;
    for _ in 0..2 {
        alice.transfer(from, to, 1).await;
    }

    let entries = format!("/accounts/{from}/entries?limit=1");
    let transfers = "/transfers?limit=1".to_owned();
    let of_account = format!("/transfers?account_id={from}&limit=1");
    let of_euros = format!("/transfers?account_id={euros}&limit=1");
    let entries_of_euros = format!("/accounts/{euros}/entries?limit=1");
    let bobs = next_cursor(&bob, &transfers).await;
    let lists = [entries, transfers, of_account, of_euros, entries_of_euros];
    for list in &lists[..3] {
        let cursor = next_cursor(&alice, list).await;
        assert_eq!(alice.get(&format!("{list}&cursor={cursor}")).await.status, 200);
        // Another session of the same user goes on where the first one was.
        let again = bank.log_in(&alice.username).await;
        assert_eq!(again.get(&format!("{list}&cursor={cursor}")).await.status, 200);
        let middle = cursor.len().div_euclid(2);
        let changed = if &cursor[middle..=middle] == "A" { "B" } else { "A" };
        let changed =
            format!("{}{changed}{}", &cursor[..middle], &cursor[middle.saturating_add(1)..]);
        let others = lists.iter().filter(|other| *other != list);
        for (list, cursor) in others.map(|other| (other, cursor.as_str())).chain([
            (list, bobs.as_str()),
            (list, &changed),
            (list, &cursor[..middle]),
            (list, "41"),
            (list, ""),
            (list, "%00"),
            (list, &"A".repeat(513)),
        ]) {
            let answer = alice.get(&format!("{list}&cursor={cursor}")).await;
            answer.assert_problem(400, "invalid_argument");
            assert_eq!(answer.violated(), ["cursor"], "{list} {cursor}");
        }
    }
    for (query, violated) in
        [("limit=0", "limit"), ("limit=101", "limit"), ("page_id=1", "page_id"), ("x=1", "x")]
    {
        for path in [format!("/accounts/{from}/entries"), "/transfers".to_owned()] {
            let answer = alice.get(&format!("{path}?{query}")).await;
            answer.assert_problem(400, "invalid_argument");
            assert_eq!(answer.violated(), [violated], "{path}?{query}");
        }
    }
    let answer = alice.get("/transfers?account_id=0").await;
    assert_eq!((answer.status.as_u16(), answer.violated()), (400, vec!["account_id"]));
}
