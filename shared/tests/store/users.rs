use shared::{
    domain::{Email, NewUser, Role, Username},
    store::{Store, StoreError, Unique},
};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::support::Bank;

#[sqlx::test(migrations = "../migrations")]
async fn a_user_is_kept_as_created(_: PgPoolOptions, options: PgConnectOptions) {
    let mut bank = Bank::new(options).await;
    let new = bank.new_user();

    let created = bank.store.create_user(new.clone()).await.unwrap();
    let read = bank.store.find_credentials(&new.username).await.unwrap().unwrap();

    assert_eq!(read.user, created);
    assert_eq!(read.hashed_password, new.hashed_password);
    assert_eq!(created.username, new.username);
    assert_eq!(created.full_name, new.full_name.as_str());
    assert_eq!(created.email, new.email.as_str());
    assert_eq!(created.role, Role::Depositor);
    assert!(!created.is_email_verified);
    assert_eq!(created.password_changed_at, created.created_at);
}

#[sqlx::test(migrations = "../migrations")]
async fn nobody_has_an_unknown_name(_: PgPoolOptions, options: PgConnectOptions) {
    let bank = Bank::new(options).await;
    let nobody = Username::parse("nobody").unwrap();
    assert_eq!(bank.store.find_credentials(&nobody).await.unwrap(), None);
}

#[sqlx::test(migrations = "../migrations")]
async fn names_and_addresses_are_unique(_: PgPoolOptions, options: PgConnectOptions) {
    let mut bank = Bank::new(options).await;
    let first = bank.new_user();
    bank.store.create_user(first.clone()).await.unwrap();

    let same_name = NewUser { username: first.username.clone(), ..bank.new_user() };
    let refused = bank.store.create_user(same_name).await;
    assert!(matches!(refused, Err(StoreError::Taken(Unique::Username))), "{refused:?}");

    let shouted = Email::parse(&first.email.as_str().to_uppercase()).unwrap();
    let same_address = NewUser { email: shouted, ..bank.new_user() };
    let refused = bank.store.create_user(same_address).await;
    assert!(matches!(refused, Err(StoreError::Taken(Unique::Email))), "{refused:?}");
}
