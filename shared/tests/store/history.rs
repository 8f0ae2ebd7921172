use std::{collections::BTreeSet, fmt::Write};

use serde_json::Value;
use shared::{
    domain::{
        Account, AccountId, Caller, Currency, Entry, EntryKind, Limit, Movement, NewTransfer,
        Position, Slice, Transfer, TransferId,
    },
    store::{Store, StoreError},
};
use sqlx::{
    AssertSqlSafe, PgConnection, Row,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::support::{Bank, amount, done, key};

fn slice(rows: i64, before: Option<Position>) -> Slice {
    Slice { limit: Limit::new(rows).unwrap(), before }
}

async fn deposit(bank: &Bank, owner: &Caller, account: &Account, minor_units: i64) -> Entry {
    let movement = Movement::Deposit { account: account.id, amount: amount(minor_units) };
    done(bank.store.move_money(owner, &key(), movement).await).entry
}

async fn transfer(bank: &Bank, owner: &Caller, from: &Account, to: &Account) -> (Transfer, Entry) {
    let new = NewTransfer { from: from.id, to: to.id, amount: amount(1), currency: from.currency };
    let moved = bank.store.move_money(owner, &key(), Movement::Transfer(new)).await;
    let entry = done(moved).entry;
    let transfer = Transfer {
        id: entry.kind.transfer_id().unwrap(),
        from: new.from,
        to: new.to,
        amount: new.amount,
        currency: new.currency,
        created_at: entry.created_at,
    };
    (transfer, entry)
}

#[sqlx::test(migrations = "../migrations")]
async fn entries_are_whole_and_disjoint_while_more_come(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let mut bank = Bank::new(options).await;
    let (owner, account) = bank.account(Currency::Usd, 0).await;
    let (payer, payers) = bank.account(Currency::Usd, 100).await;
    let empty = bank.store.list_entries(&owner, account.id, slice(5, None)).await.unwrap();
    assert_eq!((empty.items, empty.next), (vec![], None));

    let mut made = vec![deposit(&bank, &owner, &account, 500).await];
    made.push(transfer(&bank, &owner, &account, &payers).await.1);
    let withdrawal = Movement::Withdrawal { account: account.id, amount: amount(7) };
    made.push(done(bank.store.move_money(&owner, &key(), withdrawal).await).entry);
    for _ in 0..3 {
        made.push(transfer(&bank, &owner, &account, &payers).await.1);
    }
    made.reverse();

    // The slices fit exactly, so that the last one is full and has no next.
    let mut read = Vec::new();
    let mut before = None;
    for number in 0..3 {
        let sliced = bank.store.list_entries(&owner, account.id, slice(2, before)).await.unwrap();
        assert_eq!(sliced.items.len(), 2);
        assert_eq!(sliced.next.is_some(), number < 2, "{number}");
        read.extend(sliced.items);
        before = sliced.next;
        deposit(&bank, &owner, &account, 1).await;
        transfer(&bank, &payer, &payers, &account).await;
    }
    assert_eq!(read, made);

    let all = bank.store.list_entries(&owner, account.id, slice(100, None)).await.unwrap();
    assert_eq!((all.items.len(), all.next), (12, None));
    assert!(all.items.is_sorted_by(|newer, older| newer.id > older.id));
    let received = &all.items[0];
    assert_eq!(received.amount, 1);
    assert!(matches!(received.kind, EntryKind::Transfer(_)), "{received:?}");
}

#[sqlx::test(migrations = "../migrations")]
async fn transfers_are_whole_and_disjoint_while_more_come(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let mut bank = Bank::new(options).await;
    let owner = bank.customer().await;
    let none = bank.store.list_transfers(&owner, None, slice(5, None)).await.unwrap();
    assert_eq!((none.items, none.next), (vec![], None), "without an account");

    // Both ways in each currency, in turn, with deposits in between.
    let mut sides = Vec::new();
    for currency in Currency::ALL {
        let own = bank.store.open_account(&owner, currency).await.unwrap();
        let (other, others) = bank.account(currency, 100).await;
        deposit(&bank, &owner, &own, 100).await;
        sides.push((own, other, others));
    }
    let none = bank.store.list_transfers(&owner, None, slice(5, None)).await.unwrap();
    assert_eq!((none.items, none.next), (vec![], None), "deposits are no transfers");
    let mut made = Vec::new();
    for _ in 0..2 {
        for (own, other, others) in &sides {
            made.push(transfer(&bank, &owner, own, others).await.0);
            deposit(&bank, &owner, own, 1).await;
            made.push(transfer(&bank, other, others, own).await.0);
        }
    }
    made.reverse();

    let dollars = sides[0].0.id;
    let of_dollars: Vec<Transfer> =
        made.iter().copied().filter(|made| made.from == dollars || made.to == dollars).collect();
    assert_eq!(of_dollars.len(), 4);
    for (account, expected) in [(None, &made), (Some(dollars), &of_dollars)] {
        let mut read = Vec::new();
        let mut before = None;
        loop {
            let asked = slice(2, before);
            let sliced = bank.store.list_transfers(&owner, account, asked).await.unwrap();
            assert_eq!(sliced.items.len(), 2);
            read.extend(sliced.items);
            for (own, other, others) in &sides {
                transfer(&bank, &owner, own, others).await;
                transfer(&bank, other, others, own).await;
            }
            let Some(next) = sliced.next else { break };
            before = Some(next);
        }
        // Those of the round before are newer than all that are expected.
        read.retain(|transfer| transfer.id <= made[0].id);
        assert_eq!(&read, expected, "{account:?}");
        let last = bank.store.list_transfers(&owner, account, slice(100, before)).await.unwrap();
        assert_eq!((last.items.len(), last.next), (2, None));
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_transfer_is_seen_from_both_sides_and_by_nobody_else(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let mut bank = Bank::new(options).await;
    let (payer, from) = bank.account(Currency::Usd, 100).await;
    let (paid, to) = bank.account(Currency::Usd, 0).await;
    let (stranger, strangers) = bank.account(Currency::Usd, 5).await;
    let (made, entry) = transfer(&bank, &payer, &from, &to).await;
    // Movements share their numbers, but a deposit is no transfer.
    let no_transfer = TransferId(made.id.0 - 1);

    for (party, own) in [(&payer, &from), (&paid, &to)] {
        assert_eq!(bank.store.get_transfer(party, made.id).await.unwrap(), made);
        for account in [None, Some(own.id)] {
            let listed = bank.store.list_transfers(party, account, slice(20, None)).await.unwrap();
            assert_eq!((listed.items, listed.next), (vec![made], None));
        }
        let listed = bank.store.list_entries(party, own.id, slice(1, None)).await.unwrap();
        assert_eq!(listed.items[0].kind, EntryKind::Transfer(made.id));
        for id in [no_transfer, TransferId(i64::MAX)] {
            let read = bank.store.get_transfer(party, id).await;
            assert!(matches!(read, Err(StoreError::NotFound)), "{read:?}");
        }
    }
    let listed = bank.store.list_entries(&payer, from.id, slice(1, None)).await.unwrap();
    assert_eq!(listed.items, [entry]);

    let listed = bank.store.list_transfers(&stranger, None, slice(20, None)).await.unwrap();
    assert_eq!((listed.items, listed.next), (vec![], None));
    let own = Some(strangers.id);
    let listed = bank.store.list_transfers(&stranger, own, slice(20, None)).await.unwrap();
    assert_eq!((listed.items, listed.next), (vec![], None));
    for id in [from.id, to.id, AccountId(i64::MAX)] {
        let answers = [
            bank.store.get_transfer(&stranger, made.id).await.map(drop),
            bank.store.list_transfers(&stranger, Some(id), slice(20, None)).await.map(drop),
            bank.store.list_entries(&stranger, id, slice(20, None)).await.map(drop),
        ];
        for answer in answers {
            assert!(matches!(answer, Err(StoreError::NotFound)), "{answer:?}");
        }
    }
}

const DEPOSITS: i64 = 100_000;
/// The first transfers of all, with every deposit after them.
const OLD_TRANSFERS: i64 = 50;
const EURO_TRANSFERS: i64 = 5_000;
const OTHERS_TRANSFERS: i64 = 50_000;

/// A bank with a long history: the owner's dollars are nearly all deposits, their euros all
/// transfers, and most transfers are others'.
struct LongHistory {
    bank: Bank,
    owner: Caller,
    dollars: Account,
    euros: Account,
}

impl LongHistory {
    async fn new(options: PgConnectOptions) -> Self {
        let mut bank = Bank::new(options).await;
        let owner = bank.customer().await;
        let dollars = bank.store.open_account(&owner, Currency::Usd).await.unwrap();
        let euros = bank.store.open_account(&owner, Currency::Eur).await.unwrap();
        bank.store.open_account(&owner, Currency::Cad).await.unwrap();
        let (_, others_dollars) = bank.account(Currency::Usd, 0).await;
        let (_, others_euros) = bank.account(Currency::Eur, 0).await;
        let (_, third) = bank.account(Currency::Usd, 0).await;

        // As a replica, where no trigger posts and checks each entry by itself.
        let mut load = "BEGIN;
             SET LOCAL session_replication_role = replica;
             INSERT INTO users (username, hashed_password, full_name, email)
             SELECT 'crowd_' || n, '-', '-', n || '@example.com' FROM generate_series(1, 2000) AS n;
             INSERT INTO sessions
                 (id, username, refresh_token_hash, user_agent, client_ip, expires_at)
             SELECT gen_random_uuid(), username, sha256(username::bytea), '-', '-',
                    now() + interval '1 hour'
             FROM users WHERE username LIKE 'crowd%';
             INSERT INTO accounts (owner, currency)
             SELECT username, currency
             FROM users, unnest(ARRAY['USD', 'EUR', 'CAD']) AS currency
             WHERE username LIKE 'crowd%';"
            .to_owned();
        for (from, to, count) in [
            (Some(&others_dollars), &dollars, OLD_TRANSFERS),
            (None, &dollars, DEPOSITS),
            (Some(&euros), &others_euros, EURO_TRANSFERS),
            (Some(&others_dollars), &third, OTHERS_TRANSFERS),
        ] {
            load.push_str(&many(from, to, count));
        }
        load.push_str("COMMIT; ANALYZE;");
        sqlx::raw_sql(AssertSqlSafe(load)).execute(&bank.pool).await.unwrap();
        Self { bank, owner, dollars, euros }
    }
}

/// Inserts as many movements of 1 from one side to the other, with their entries.
fn many(from: Option<&Account>, to: &Account, count: i64) -> String {
    let payer = from.map_or("NULL".to_owned(), |from| from.id.0.to_string());
    let kind = if from.is_some() { "transfer" } else { "deposit" };
    let currency = to.currency;
    let mut statements = format!(
        "CREATE TEMPORARY TABLE moved ON COMMIT DROP AS
         SELECT nextval('movements_id_seq') AS id, n FROM generate_series(1, {count}) AS n;
         INSERT INTO movements (id, username, key, request_hash, kind, from_account_id,
                                to_account_id, amount, currency)
         OVERRIDING SYSTEM VALUE
         SELECT id, 'crowd_1', 'bulk-' || lpad(id::text, 20, '0'), sha256(''), '{kind}',
                {payer}, {payee}, 1, '{currency}'
         FROM moved;",
        payee = to.id.0,
    );
    for (side, change, number) in [(from, -1, 0), (Some(to), 1, 1)] {
        let Some(account) = side else { continue };
        write!(
            statements,
            "INSERT INTO entries
                 (id, account_id, account_version, movement_id, kind, currency, amount,
                  balance_after)
             SELECT moved.id * 2 + {number}, account.id, account.version + n, moved.id, '{kind}',
                    '{currency}', {change}, 1
             FROM moved, accounts AS account WHERE account.id = {id} ORDER BY n;
             UPDATE accounts SET version = version + {count} WHERE id = {id};",
            id = account.id.0,
        )
        .unwrap();
    }
    statements + "DROP TABLE moved;"
}

/// What Postgres did to answer a statement, planned with and without a look at its parameters.
struct Plan {
    /// The scans, by index and direction.
    indices: BTreeSet<String>,
    /// Rows that scans produced or threw away.
    rows_read: i64,
    /// The most rows that were put in order at once.
    rows_sorted: i64,
    /// Pages of tables and indices that were looked at.
    pages: i64,
    text: String,
}

impl Plan {
    async fn of(connection: &mut PgConnection, mode: &str, sql: &str, arguments: &str) -> Self {
        let types = match arguments.split(',').count() {
            3 => "uuid, text, bigint",
            4 => "uuid, text, bigint, bigint",
            _ => "uuid, text, bigint, bigint, bigint",
        };
        let prepare = format!(
            "DEALLOCATE ALL; SET plan_cache_mode = {mode}; PREPARE asked ({types}) AS {sql}"
        );
        sqlx::raw_sql(AssertSqlSafe(prepare)).execute(&mut *connection).await.unwrap();
        let explain =
            format!("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE asked ({arguments})");
        let row = sqlx::raw_sql(AssertSqlSafe(explain)).fetch_one(connection).await.unwrap();
        let explained: Value = row.try_get_unchecked::<String, _>(0).unwrap().parse().unwrap();
        let root = &explained[0]["Plan"];
        let mut plan = Self {
            indices: BTreeSet::new(),
            rows_read: 0,
            rows_sorted: 0,
            pages: number(root, "Shared Hit Blocks") + number(root, "Shared Read Blocks"),
            text: format!("{mode}: {root:#}"),
        };
        plan.visit(root);
        plan
    }

    fn visit(&mut self, node: &Value) {
        let kind = node["Node Type"].as_str().unwrap();
        let children = node["Plans"].as_array();
        match kind {
            "Index Scan" | "Index Only Scan" => {
                let index = node["Index Name"].as_str().unwrap();
                let direction = node["Scan Direction"].as_str().unwrap();
                self.indices.insert(format!("{index} {direction}"));
                let kept = number(node, "Actual Rows");
                let dropped = number(node, "Rows Removed by Filter");
                self.rows_read += (kept + dropped) * number(node, "Actual Loops");
            }
            // Of one owner's accounts, which are three at most.
            "Bitmap Heap Scan" if node["Relation Name"] == "accounts" => {
                self.rows_read += number(node, "Actual Rows") * number(node, "Actual Loops");
            }
            "Sort" | "Incremental Sort" => {
                let input = &node["Plans"][0];
                let rows = number(input, "Actual Rows") * number(input, "Actual Loops");
                self.rows_sorted = self.rows_sorted.max(rows);
            }
            "Bitmap Index Scan" | "Limit" | "Nested Loop" | "Memoize" => {}
            other => panic!("{other} in {}", self.text),
        }
        children.into_iter().flatten().for_each(|child| self.visit(child));
    }
}

/// A figure of a plan; of rows, the average of a node's loops, rounded up.
#[expect(clippy::as_conversions, clippy::cast_possible_truncation, reason = "small figures")]
fn number(node: &Value, name: &str) -> i64 {
    node[name].as_f64().unwrap_or_default().ceil() as i64
}

const ENTRIES: &str = include_str!("../../src/store/postgres/history/entries.sql");
const TRANSFER: &str = include_str!("../../src/store/postgres/history/transfer.sql");
const TRANSFERS: &str = include_str!("../../src/store/postgres/history/transfers.sql");
const TRANSFERS_OF_ACCOUNT: &str =
    include_str!("../../src/store/postgres/history/transfers_of_account.sql");

/// However long the list is, and wherever in it the slice begins.
#[sqlx::test(migrations = "../migrations")]
async fn a_slice_of_a_long_history_costs_what_a_slice_costs(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let LongHistory { bank, owner, dollars, euros } = LongHistory::new(options).await;
    let store = &bank.store;
    let newest = store.list_transfers(&owner, Some(euros.id), slice(1, None)).await.unwrap();
    let newest = newest.items[0].id.0;
    let who = format!("'{}', '{}'", owner.session_id.0, owner.username);
    let list = |sql, position: i64| (sql, format!("{who}, {position}, 21"));
    let of = |sql, account: &Account, position: i64| {
        (sql, format!("{who}, {}, {position}, 21", account.id.0))
    };
    let entries = &["entries_pkey Backward"][..];
    let transfers = &["entries_movement_key Backward", "movements_pkey Forward"][..];

    let mut connection = bank.pool.acquire().await.unwrap();
    for ((sql, arguments), expected) in [
        (of(ENTRIES, &dollars, i64::MAX), entries),
        (of(ENTRIES, &dollars, DEPOSITS / 2), entries),
        (of(ENTRIES, &dollars, 22), entries),
        (list(TRANSFERS, i64::MAX), transfers),
        (list(TRANSFERS, newest - EURO_TRANSFERS / 2), transfers),
        (list(TRANSFERS, newest - EURO_TRANSFERS - DEPOSITS / 2), transfers),
        (of(TRANSFERS_OF_ACCOUNT, &euros, i64::MAX), transfers),
        (of(TRANSFERS_OF_ACCOUNT, &euros, newest - EURO_TRANSFERS + 30), transfers),
        (of(TRANSFERS_OF_ACCOUNT, &dollars, i64::MAX), transfers),
        (of(TRANSFERS_OF_ACCOUNT, &dollars, newest - EURO_TRANSFERS - DEPOSITS), transfers),
        ((TRANSFER, format!("{who}, {newest}")), &["movements_pkey Forward"]),
    ] {
        for mode in ["force_generic_plan", "force_custom_plan"] {
            let plan = Plan::of(&mut connection, mode, sql, &arguments).await;
            for index in expected {
                assert!(plan.indices.contains(*index), "{index}: {}", plan.text);
            }
            let three_accounts = 3 * 21;
            assert!(
                plan.rows_sorted <= three_accounts,
                "{} sorted: {}",
                plan.rows_sorted,
                plan.text
            );
            // Besides the slice: a session, three accounts, and a look-up for each transfer.
            assert!(
                plan.rows_read <= three_accounts + 21 + 5,
                "{} read: {}",
                plan.rows_read,
                plan.text
            );
            println!(
                "{mode} {} rows, {} sorted, {} pages {arguments}",
                plan.rows_read, plan.rows_sorted, plan.pages
            );
            assert!(plan.pages <= 250, "{} pages: {}", plan.pages, plan.text);
        }
    }
    drop(connection);

    // The rows are those that were loaded.
    let first = store.list_entries(&owner, dollars.id, slice(100, None)).await.unwrap();
    assert!(first.items.iter().all(|entry| entry.kind == EntryKind::Deposit));
    let last =
        store.list_entries(&owner, dollars.id, slice(100, Some(Position(51)))).await.unwrap();
    assert!(last.items.iter().all(|entry| entry.kind != EntryKind::Deposit));
    assert_eq!((last.items.len(), last.next), (50, None));
    let old = store.list_transfers(&owner, Some(dollars.id), slice(100, None)).await.unwrap();
    assert_eq!((old.items.len(), old.next), (50, None));
    let all = store.list_transfers(&owner, None, slice(100, None)).await.unwrap();
    assert_eq!((all.items.len(), all.items[0].id.0), (100, newest));
}
