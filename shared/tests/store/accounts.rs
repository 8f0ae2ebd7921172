use shared::{
    domain::{
        AccountId, Caller, Currency, Movement, NewTransfer, Page, SessionId, Slice, TransferId,
        UserChanges,
    },
    store::{Store, StoreError, Unique},
};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use crate::support::{Bank, amount, attempt, key};

#[sqlx::test(migrations = "../migrations")]
async fn one_account_per_owner_and_currency(_: PgPoolOptions, options: PgConnectOptions) {
    let mut bank = Bank::new(options).await;
    let owner = bank.customer().await;

    let opened = bank.store.open_account(&owner, Currency::Eur).await.unwrap();
    assert_eq!(opened.owner, owner.username);
    assert_eq!(opened.currency, Currency::Eur);
    assert_eq!(opened.balance.minor_units(), 0);
    assert_eq!(bank.store.get_account(&owner, opened.id).await.unwrap(), opened);

    let again = bank.store.open_account(&owner, Currency::Eur).await;
    assert!(matches!(again, Err(StoreError::Taken(Unique::AccountCurrency))), "{again:?}");
    bank.store.open_account(&owner, Currency::Usd).await.unwrap();
}

#[sqlx::test(migrations = "../migrations")]
async fn what_is_not_yours_looks_like_what_is_not_there(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let mut bank = Bank::new(options).await;
    let (_, account) = bank.account(Currency::Usd, 100).await;
    let stranger = bank.customer().await;

    for id in [account.id, AccountId(i64::MAX)] {
        let read = bank.store.get_account(&stranger, id).await;
        assert!(matches!(read, Err(StoreError::NotFound)), "{read:?}");
        let amount = amount(1);
        for movement in [
            Movement::Deposit { account: id, amount },
            Movement::Withdrawal { account: id, amount },
        ] {
            let moved = bank.store.move_money(&stranger, &key(), movement).await;
            assert!(matches!(moved, Err(StoreError::NotFound)), "{moved:?}");
        }
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn lists_are_pages_of_ones_own(_: PgPoolOptions, options: PgConnectOptions) {
    let mut bank = Bank::new(options).await;
    let owner = bank.customer().await;
    assert_eq!(bank.store.list_accounts(&owner, Page::default()).await.unwrap(), []);

    let mut opened = Vec::new();
    for currency in Currency::ALL {
        opened.push(bank.store.open_account(&owner, currency).await.unwrap());
        bank.account(currency, 7).await;
    }
    assert_eq!(bank.store.list_accounts(&owner, Page::default()).await.unwrap(), opened);
    let first_two = Page::first(2).unwrap();
    assert_eq!(bank.store.list_accounts(&owner, first_two).await.unwrap(), opened[..2]);
    let second = Page::numbered(2, 2);
    assert_eq!(bank.store.list_accounts(&owner, second).await.unwrap(), opened[2..]);
    let beyond = Page::numbered(9, 5);
    assert_eq!(bank.store.list_accounts(&owner, beyond).await.unwrap(), []);
}

/// Every call for a caller, with each way in which a session can be no session.
#[sqlx::test(migrations = "../migrations")]
async fn a_session_that_has_ended_does_nothing(_: PgPoolOptions, options: PgConnectOptions) {
    let mut bank = Bank::new(options).await;
    let (revoked, account) = bank.account(Currency::Usd, 100).await;
    let (expired, _) = bank.account(Currency::Usd, 100).await;
    let (other, _) = bank.account(Currency::Usd, 100).await;
    sqlx::query!("UPDATE sessions SET revoked_at = now() WHERE id = $1", revoked.session_id.0)
        .execute(&bank.pool)
        .await
        .unwrap();
    sqlx::query!(
        "UPDATE sessions SET created_at = now() - interval '2 hours', expires_at = now()
         WHERE id = $1",
        expired.session_id.0
    )
    .execute(&bank.pool)
    .await
    .unwrap();
    let unknown = Caller { session_id: SessionId(Uuid::from_u128(1)), ..other.clone() };
    let somebody_elses = Caller { session_id: other.session_id, ..revoked.clone() };

    for caller in [revoked, expired, unknown, somebody_elses] {
        let new = NewTransfer {
            from: account.id,
            to: AccountId(account.id.0 + 1),
            amount: amount(1),
            currency: Currency::Usd,
        };
        let store = &bank.store;
        let answers = [
            store.open_account(&caller, Currency::Cad).await.map(drop),
            store.get_account(&caller, account.id).await.map(drop),
            store.list_accounts(&caller, Page::default()).await.map(drop),
            store.move_money(&caller, &key(), Movement::Transfer(new)).await.map(drop),
            store.list_entries(&caller, account.id, Slice::default()).await.map(drop),
            store.get_transfer(&caller, TransferId(1)).await.map(drop),
            store.list_transfers(&caller, None, Slice::default()).await.map(drop),
            store.list_transfers(&caller, Some(account.id), Slice::default()).await.map(drop),
            store.list_sessions(&caller).await.map(drop),
            store.end_session(&caller, caller.session_id).await,
            store.get_user(&caller, &caller.username).await.map(drop),
            store.find_own_proof(&caller, &attempt(&caller.username)).await.map(drop),
            store.change_user(&caller, &caller.username, UserChanges::default()).await.map(drop),
        ];
        for answer in answers {
            assert!(matches!(answer, Err(StoreError::SessionEnded)), "{caller:?}: {answer:?}");
        }
    }
    let entries = sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM entries"#);
    assert_eq!(entries.fetch_one(&bank.pool).await.unwrap(), 3, "the three first deposits");
}
