use std::collections::HashSet;

use futures_util::future::join_all;
use rand::RngExt;
use shared::{
    domain::{
        Account, AccountId, Caller, Currency, EntryKind, MAX_MINOR_UNITS, NewTransfer, Refusal,
    },
    store::{Store, StoreError},
};
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::support::{Bank, amount, key};

const CONNECTIONS: u32 = 16;

fn dollars(from: &Account, to: &Account, minor_units: i64) -> NewTransfer {
    let currency = Currency::Usd;
    NewTransfer { from: from.id, to: to.id, amount: amount(minor_units), currency }
}

/// What must hold of any ledger at any time.
async fn assert_books_balance(pool: &PgPool) {
    let wrong_balances = sqlx::query_scalar!(
        r#"SELECT accounts.id
           FROM accounts
           LEFT JOIN entries ON entries.account_id = accounts.id
           GROUP BY accounts.id
           HAVING accounts.balance <> coalesce(sum(entries.amount), 0)"#
    );
    assert!(wrong_balances.fetch_all(pool).await.unwrap().is_empty());
    let wrong_transfers = sqlx::query_scalar!(
        r#"SELECT transfers.id
           FROM transfers
           LEFT JOIN entries ON entries.transfer_id = transfers.id
           GROUP BY transfers.id
           HAVING count(entries.id) <> 2
               OR sum(entries.amount) <> 0
               OR max(entries.amount) <> transfers.amount"#
    );
    assert!(wrong_transfers.fetch_all(pool).await.unwrap().is_empty());
    let orphans =
        sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM entries WHERE balance_after < 0"#);
    assert_eq!(orphans.fetch_one(pool).await.unwrap(), 0);
}

async fn count_transfers(pool: &PgPool) -> i64 {
    let count = sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM transfers"#);
    count.fetch_one(pool).await.unwrap()
}

#[sqlx::test(migrations = "../migrations")]
async fn deposits_and_withdrawals(_: PgPoolOptions, options: PgConnectOptions) {
    let mut bank = Bank::new(options, 2).await;
    let (owner, account) = bank.account(Currency::Usd, 0).await;

    let posting = bank.store.deposit(&owner, &key(), account.id, amount(100)).await.unwrap();
    assert_eq!(posting.account.balance.minor_units(), 100);
    assert_eq!(posting.entry.kind, EntryKind::Deposit);
    assert_eq!((posting.entry.amount, posting.entry.balance_after), (100, posting.account.balance));

    let posting = bank.store.withdraw(&owner, &key(), account.id, amount(30)).await.unwrap();
    assert_eq!(posting.account.balance.minor_units(), 70);
    assert_eq!(posting.entry.kind, EntryKind::Withdrawal);
    assert_eq!((posting.entry.amount, posting.entry.balance_after), (-30, posting.account.balance));

    let refused = bank.store.withdraw(&owner, &key(), account.id, amount(71)).await;
    assert!(matches!(refused, Err(StoreError::Refused(Refusal::InsufficientFunds))));
    let refused = bank.store.deposit(&owner, &key(), account.id, amount(MAX_MINOR_UNITS)).await;
    assert!(matches!(refused, Err(StoreError::Refused(Refusal::BalanceLimit))));
    assert_eq!(bank.balance(&owner, &account).await, 70);
    assert_books_balance(&bank.pool).await;
}

#[sqlx::test(migrations = "../migrations")]
async fn each_refusal_names_its_cause_and_writes_nothing(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let mut bank = Bank::new(options, 2).await;
    let (alice, from) = bank.account(Currency::Usd, 100).await;
    let (_, to) = bank.account(Currency::Usd, 0).await;
    let (_, full) = bank.account(Currency::Usd, MAX_MINOR_UNITS).await;
    let (_, euros) = bank.account(Currency::Eur, 100).await;
    let own_euros = bank.store.open_account(&alice, Currency::Eur).await.unwrap();

    let absent = NewTransfer { to: AccountId(i64::MAX), ..dollars(&from, &to, 1) };
    let in_euros = NewTransfer { currency: Currency::Eur, ..dollars(&from, &euros, 1) };
    let cases = [
        ("too much", dollars(&from, &to, 101), Some(Refusal::InsufficientFunds)),
        ("too much for the recipient", dollars(&from, &full, 1), Some(Refusal::BalanceLimit)),
        ("absent recipient", absent, Some(Refusal::RecipientUnavailable)),
        ("foreign recipient", dollars(&from, &euros, 1), Some(Refusal::RecipientUnavailable)),
        ("own foreign account", dollars(&from, &own_euros, 1), Some(Refusal::RecipientUnavailable)),
        ("foreign request", in_euros, Some(Refusal::CurrencyMismatch)),
        ("to itself", dollars(&from, &from, 1), Some(Refusal::SameAccount)),
        ("another's account", dollars(&to, &from, 1), None),
        ("another's account to itself", dollars(&to, &to, 1), None),
    ];
    for (name, new, refusal) in cases {
        let answer = bank.store.transfer(&alice, &key(), new).await;
        match (answer, refusal) {
            (Err(StoreError::Refused(actual)), Some(expected)) => {
                assert_eq!(actual, expected, "{name}");
            }
            (Err(StoreError::NotFound), None) => {}
            (answer, _) => panic!("{name}: {answer:?}"),
        }
    }
    assert_eq!(count_transfers(&bank.pool).await, 0);
    assert_eq!(bank.balance(&alice, &from).await, 100);
}

/// The course's test of concurrent transfers, ten times its size: fifty in one direction.
#[sqlx::test(migrations = "../migrations")]
async fn concurrent_transfers_in_one_direction(_: PgPoolOptions, options: PgConnectOptions) {
    let mut bank = Bank::new(options, CONNECTIONS).await;
    let spare = bank.random.random_range(0..1_000);
    let (alice, from) = bank.account(Currency::Usd, 500 + spare).await;
    let (bob, to) = bank.account(Currency::Usd, spare).await;

    let transfers = (0..50).map(|_| {
        let (store, alice, new) = (bank.store.clone(), alice.clone(), dollars(&from, &to, 10));
        async move { store.transfer(&alice, &key(), new).await.unwrap() }
    });
    let done = join_all(transfers).await;

    let mut steps = HashSet::new();
    for transferred in &done {
        let transfer = transferred.transfer;
        assert_eq!((transfer.from, transfer.to), (from.id, to.id));
        assert_eq!(transfer.amount, amount(10));
        let entry = &transferred.from_entry;
        assert_eq!((entry.account_id, entry.amount), (from.id, -10));
        assert_eq!(entry.kind, EntryKind::Transfer(transfer.id));
        assert_eq!(entry.balance_after, transferred.from_account.balance);
        let paid = 500 + spare - transferred.from_account.balance.minor_units();
        assert_eq!(paid % 10, 0);
        assert!((10..=500).contains(&paid));
        assert!(steps.insert(paid), "each balance is seen once");
    }
    assert_eq!(bank.balance(&alice, &from).await, spare);
    assert_eq!(bank.balance(&bob, &to).await, spare + 500);
    assert_eq!(count_transfers(&bank.pool).await, 50);
    assert_books_balance(&bank.pool).await;
}

/// The course's test for deadlocks, ten times its size: a hundred in alternating directions.
#[sqlx::test(migrations = "../migrations")]
async fn alternating_directions_do_not_deadlock(_: PgPoolOptions, options: PgConnectOptions) {
    let mut bank = Bank::new(options, CONNECTIONS).await;
    let (alice, first) = bank.account(Currency::Usd, 1_000).await;
    let (bob, second) = bank.account(Currency::Usd, 1_000).await;

    let transfers = (0..100).map(|number| {
        let (payer, new): (&Caller, _) = if number % 2 == 0 {
            (&alice, dollars(&first, &second, 10))
        } else {
            (&bob, dollars(&second, &first, 10))
        };
        let (store, payer) = (bank.store.clone(), payer.clone());
        async move { store.transfer(&payer, &key(), new).await.unwrap() }
    });
    join_all(transfers).await;

    assert_eq!(bank.balance(&alice, &first).await, 1_000);
    assert_eq!(bank.balance(&bob, &second).await, 1_000);
    assert_books_balance(&bank.pool).await;
    let deadlocks = sqlx::query_scalar!(
        r#"SELECT deadlocks AS "deadlocks!" FROM pg_stat_database
           WHERE datname = current_database()"#
    );
    assert_eq!(deadlocks.fetch_one(&bank.pool).await.unwrap(), 0);
}

#[sqlx::test(migrations = "../migrations")]
async fn nobody_spends_the_same_money_twice(_: PgPoolOptions, options: PgConnectOptions) {
    let mut bank = Bank::new(options, CONNECTIONS).await;
    let (alice, from) = bank.account(Currency::Usd, 100).await;
    let (bob, to) = bank.account(Currency::Usd, 0).await;

    let transfers = (0..50).map(|_| {
        let (store, alice, new) = (bank.store.clone(), alice.clone(), dollars(&from, &to, 60));
        async move { store.transfer(&alice, &key(), new).await }
    });
    let (done, refused): (Vec<_>, Vec<_>) =
        join_all(transfers).await.into_iter().partition(Result::is_ok);

    assert_eq!((done.len(), refused.len()), (1, 49));
    for answer in refused {
        assert!(matches!(answer, Err(StoreError::Refused(Refusal::InsufficientFunds))));
    }
    assert_eq!(bank.balance(&alice, &from).await, 40);
    assert_eq!(bank.balance(&bob, &to).await, 60);
    assert_books_balance(&bank.pool).await;
}

/// Many accounts, many payers, every kind of movement at once.
#[sqlx::test(migrations = "../migrations")]
async fn random_movements_keep_the_books(_: PgPoolOptions, options: PgConnectOptions) {
    let mut bank = Bank::new(options, CONNECTIONS).await;
    let mut accounts = Vec::new();
    for _ in 0..5 {
        accounts.push(bank.account(Currency::Usd, 1_000).await);
    }
    let mut movements = Vec::new();
    for _ in 0..400 {
        let (payer, from) = accounts[bank.random.random_range(0..accounts.len())].clone();
        let (_, to) = accounts[bank.random.random_range(0..accounts.len())].clone();
        let kind = bank.random.random_range(0..10);
        let minor_units = bank.random.random_range(1..800);
        let store = bank.store.clone();
        movements.push(async move {
            match kind {
                0 => store.deposit(&payer, &key(), from.id, amount(minor_units)).await.map(drop),
                1 => store.withdraw(&payer, &key(), from.id, amount(minor_units)).await.map(drop),
                _ => {
                    store.transfer(&payer, &key(), dollars(&from, &to, minor_units)).await.map(drop)
                }
            }
        });
    }
    for answer in join_all(movements).await {
        assert!(matches!(answer, Ok(()) | Err(StoreError::Refused(_))), "{answer:?}");
    }
    assert_books_balance(&bank.pool).await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_lock_is_not_waited_for_longer_than_a_second(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let mut bank = Bank::impatient(options, 3).await;
    let (alice, from) = bank.account(Currency::Usd, 100).await;
    let (_, to) = bank.account(Currency::Usd, 0).await;
    let mut holder = bank.pool.begin().await.unwrap();
    sqlx::query!("SELECT id FROM accounts WHERE id = $1 FOR UPDATE", to.id.0)
        .fetch_one(&mut *holder)
        .await
        .unwrap();

    let blocked = bank.store.transfer(&alice, &key(), dollars(&from, &to, 1)).await;
    assert!(matches!(blocked, Err(StoreError::Unavailable(_))), "{blocked:?}");

    holder.rollback().await.unwrap();
    bank.store.transfer(&alice, &key(), dollars(&from, &to, 1)).await.unwrap();
    assert_eq!(bank.balance(&alice, &from).await, 99);
}
