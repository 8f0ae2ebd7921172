use shared::{
    config::DatabaseConfig,
    domain::{Caller, Email, FullName, NewUser, Role, User, UserChanges, Username},
    store::{
        Store, StoreError, Unique,
        postgres::roles::{GrantError, grant_role},
    },
};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::support::{Bank, attempt, owner_config};

#[sqlx::test(migrations = "../migrations")]
async fn a_user_is_kept_as_created(_: PgPoolOptions, options: PgConnectOptions) {
    let mut bank = Bank::new(options).await;
    let new = bank.new_user();

    let (created, _) = bank.store.create_user(new.clone()).await.unwrap();
    let proof = bank.store.find_proof(&attempt(&new.username)).await.unwrap();
    let read = proof.credentials.unwrap();

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
    assert_eq!(bank.store.find_proof(&attempt(&nobody)).await.unwrap().credentials, None);
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

fn renamed(name: &str) -> UserChanges {
    UserChanges { full_name: Some(FullName::parse(name).unwrap()), ..UserChanges::default() }
}

fn moved(email: &str, user: &User) -> UserChanges {
    UserChanges {
        email: Some(Email::parse(email).unwrap()),
        proven_changed_at: Some(user.password_changed_at),
        ..UserChanges::default()
    }
}

async fn hashed_password(bank: &Bank, user: &User) -> String {
    let proof = bank.store.find_proof(&attempt(&user.username)).await.unwrap();
    proof.credentials.unwrap().hashed_password
}

#[sqlx::test(migrations = "../migrations")]
async fn what_is_not_given_stays(_: PgPoolOptions, options: PgConnectOptions) {
    let mut bank = Bank::new(options).await;
    let (user, caller, _) = bank.logged_in().await;
    let before = hashed_password(&bank, &user).await;
    let change = async |changes| {
        bank.store.change_user(&caller, &user.username, changes).await.map(|(user, _)| user)
    };

    assert_eq!(change(UserChanges::default()).await.unwrap(), user, "nothing is given");
    let named = change(renamed("Ada")).await.unwrap();
    assert_eq!(named, User { full_name: "Ada".to_owned(), ..user.clone() });
    let moved = change(moved("ada@example.com", &user)).await.unwrap();
    assert_eq!(moved, User { email: "ada@example.com".to_owned(), ..named.clone() });
    assert_eq!(hashed_password(&bank, &user).await, before);

    let new = UserChanges {
        hashed_password: Some("another".to_owned()),
        proven_changed_at: Some(user.password_changed_at),
        ..UserChanges::default()
    };
    let changed = change(new.clone()).await.unwrap();
    assert!(changed.password_changed_at > user.password_changed_at);
    assert_eq!(User { password_changed_at: user.password_changed_at, ..changed.clone() }, moved);
    assert_eq!(hashed_password(&bank, &user).await, "another");
    assert_eq!(bank.store.get_user(&caller, &user.username).await.unwrap(), changed);

    let refused = change(new).await;
    assert!(matches!(refused, Err(StoreError::ProofOutdated)), "{refused:?}");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_new_address_is_not_verified(_: PgPoolOptions, options: PgConnectOptions) {
    let mut bank = Bank::new(options).await;
    let (user, caller, _) = bank.logged_in().await;
    let (taken, ..) = bank.logged_in().await;
    sqlx::query!("UPDATE users SET is_email_verified = true").execute(&bank.pool).await.unwrap();
    let change = async |changes| {
        bank.store.change_user(&caller, &user.username, changes).await.map(|(user, _)| user)
    };

    assert!(change(moved(&user.email, &user)).await.unwrap().is_email_verified, "the same one");
    assert!(change(renamed("Ada")).await.unwrap().is_email_verified);
    let refused = change(moved(&taken.email.to_uppercase(), &user)).await;
    assert!(matches!(refused, Err(StoreError::Taken(Unique::Email))), "{refused:?}");
    assert!(!change(moved("ada@example.com", &user)).await.unwrap().is_email_verified);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_new_password_ends_the_other_sessions(_: PgPoolOptions, options: PgConnectOptions) {
    let mut bank = Bank::new(options).await;
    let (user, caller, token) = bank.logged_in().await;
    let (other, other_token) = bank.log_in(&user).await;
    let (_, stranger, _) = bank.logged_in().await;
    let new = UserChanges {
        hashed_password: Some("another".to_owned()),
        proven_changed_at: Some(user.password_changed_at),
        ..UserChanges::default()
    };
    bank.store.change_user(&caller, &user.username, new).await.unwrap();

    let refused = bank.store.get_user(&other, &user.username).await;
    assert!(matches!(refused, Err(StoreError::SessionEnded)), "{refused:?}");
    let refused = crate::sessions::renew(&bank.store, other_token).await;
    assert!(matches!(refused, Err(StoreError::SessionEnded)), "{refused:?}");
    crate::sessions::renew(&bank.store, token).await.unwrap();
    assert_eq!(bank.store.list_sessions(&stranger).await.unwrap().len(), 1);
}

/// Everything that the caller may and may not do to another user.
async fn dealings(bank: &Bank, caller: &Caller, other: &User) -> [Result<User, StoreError>; 4] {
    let password = UserChanges {
        hashed_password: Some("another".to_owned()),
        proven_changed_at: Some(other.password_changed_at),
        ..UserChanges::default()
    };
    let change = async |changes| {
        bank.store.change_user(caller, &other.username, changes).await.map(|(user, _)| user)
    };
    [
        bank.store.get_user(caller, &other.username).await,
        change(renamed("Ada")).await,
        change(moved("mallory@example.com", other)).await,
        change(password).await,
    ]
}

#[sqlx::test(migrations = "../migrations")]
async fn a_role_is_felt_on_the_next_request_and_leaves_a_record(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let owner: DatabaseConfig = owner_config(&options);
    let mut bank = Bank::new(options).await;
    let (banker, caller, _) = bank.logged_in().await;
    let (other, ..) = bank.logged_in().await;
    let before = hashed_password(&bank, &other).await;

    for answer in dealings(&bank, &caller, &other).await {
        assert!(matches!(answer, Err(StoreError::NotFound)), "{answer:?}");
    }
    grant_role(&owner, &banker.username, Role::Banker, "olga").await.unwrap();
    let [read, named, moved, password] = dealings(&bank, &caller, &other).await;
    assert_eq!(read.unwrap(), other);
    assert_eq!(named.unwrap().full_name, "Ada");
    for answer in [moved, password] {
        assert!(matches!(answer, Err(StoreError::PermissionDenied)), "{answer:?}");
    }
    let nobody = Username::parse("nobody_at_all").unwrap();
    let unknown = bank.store.change_user(&caller, &nobody, renamed("Ada")).await;
    assert!(matches!(unknown, Err(StoreError::NotFound)), "{unknown:?}");
    assert_eq!(bank.store.get_user(&caller, &banker.username).await.unwrap().role, Role::Banker);

    sqlx::query!("UPDATE users SET role = 'depositor'").execute(&bank.pool).await.unwrap();
    for answer in dealings(&bank, &caller, &other).await {
        assert!(matches!(answer, Err(StoreError::NotFound)), "{answer:?}");
    }
    assert_eq!(hashed_password(&bank, &other).await, before);

    let record = sqlx::query!(
        r#"SELECT actor, action, username, before, after, actor = session_user AS "is_role!"
           FROM audit_events ORDER BY id"#
    );
    let record = record.fetch_all(&bank.pool).await.unwrap();
    let shown: Vec<_> = record
        .iter()
        .map(|event| (&*event.action, &*event.username, event.before.as_deref(), &*event.after))
        .collect();
    let (banker_name, other_name) = (banker.username.as_str(), other.username.as_str());
    assert_eq!(
        shown,
        [
            ("role_granted", banker_name, Some("depositor"), "banker"),
            ("full_name_changed", other_name, Some(&*other.full_name), "Ada"),
            ("role_granted", banker_name, Some("banker"), "depositor"),
        ]
    );
    assert_eq!((&*record[0].actor, &*record[1].actor), ("olga", banker_name));
    assert!(record[2].is_role, "SQL by hand is written down under the database's role");
}

#[sqlx::test(migrations = "../migrations")]
async fn nobody_gets_a_role_who_is_not_there(_: PgPoolOptions, options: PgConnectOptions) {
    let nobody = Username::parse("nobody").unwrap();
    let granted = grant_role(&owner_config(&options), &nobody, Role::Banker, "olga").await;
    assert!(matches!(granted, Err(GrantError::NoSuchUser)), "{granted:?}");
}
