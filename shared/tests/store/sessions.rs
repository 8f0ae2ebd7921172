//! Sessions: how they begin, are renewed, and end.

use std::time::Duration;

use futures_util::future::join_all;
use shared::{
    domain::{Caller, LiveSession, SessionLimits, User, UserChanges},
    store::{PostgresStore, Store, StoreError},
};
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::support::{Bank, SESSIONS, attempt, until};

impl Bank {
    /// A user and the first of their sessions, with the hash of its refresh token.
    pub(crate) async fn logged_in(&mut self) -> (User, Caller, [u8; 32]) {
        let new = self.new_user();
        let (user, _) = self.store.create_user(new).await.unwrap();
        let (caller, token) = self.log_in(&user).await;
        (user, caller, token)
    }

    /// As if so long had gone by since any refresh token was spent.
    pub(crate) async fn let_pass(&self, seconds: i64) {
        let mut transaction = self.pool.begin().await.unwrap();
        // The owner's rules are not for a test that turns the clock.
        sqlx::query!("SET LOCAL session_replication_role = replica")
            .execute(&mut *transaction)
            .await
            .unwrap();
        sqlx::query!(
            "UPDATE spent_refresh_tokens SET spent_at = spent_at - $1::bigint * interval '1 second'",
            seconds
        )
        .execute(&mut *transaction)
        .await
        .unwrap();
        transaction.commit().await.unwrap();
    }
}

/// The token that comes after one, as tests count them.
pub(crate) fn next(token: [u8; 32]) -> [u8; 32] {
    let mut next = token;
    for byte in &mut next {
        *byte = byte.wrapping_mul(167).wrapping_add(13);
    }
    next
}

pub(crate) async fn renew(store: &PostgresStore, token: [u8; 32]) -> Result<[u8; 32], StoreError> {
    store
        .renew_session(token, next(token), SESSIONS.idle)
        .await
        .map(|renewed| renewed.successor_hash)
}

async fn end_reason(pool: &PgPool, caller: &Caller) -> Option<String> {
    let reason = sqlx::query_scalar!(
        "SELECT end_reason FROM sessions WHERE id = $1 AND revoked_at IS NOT NULL",
        caller.session_id.0
    );
    reason.fetch_one(pool).await.unwrap()
}

#[sqlx::test(migrations = "../migrations")]
async fn a_renewed_session_lives_longer_and_for_its_user(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let mut bank = Bank::new(options).await;
    let (user, caller, first) = bank.logged_in().await;
    let before = bank.store.list_sessions(&caller).await.unwrap()[0].expires_at;

    let renewed = bank.store.renew_session(first, next(first), SESSIONS.idle).await.unwrap();
    assert_eq!((renewed.session.id, renewed.username), (caller.session_id, user.username));
    assert_eq!(renewed.successor_hash, next(first));
    assert!(renewed.session.expires_at > before);
    let after = bank.store.list_sessions(&caller).await.unwrap()[0].expires_at;
    assert_eq!(after, renewed.session.expires_at);
}

#[sqlx::test(migrations = "../migrations")]
async fn no_renewal_goes_beyond_the_sessions_life(_: PgPoolOptions, options: PgConnectOptions) {
    let mut bank = Bank::new(options).await;
    let new = bank.new_user();
    let (user, _) = bank.store.create_user(new).await.unwrap();
    let life = Duration::from_secs(90);
    let limits = SessionLimits { idle: Duration::from_mins(1), life };
    let mut session = bank.new_session(&user);
    session.limits = limits;
    let token = session.refresh_token_hash;
    let begun = bank.store.begin_session(&attempt(&user.username), session).await.unwrap();
    let renewed = bank.store.renew_session(token, next(token), limits.idle).await.unwrap().session;
    let longer = SessionLimits { idle: Duration::from_hours(1), ..limits };
    let last = bank.store.renew_session(next(token), next(next(token)), longer.idle).await.unwrap();
    assert!(renewed.expires_at > begun.expires_at);
    // By the database's clock it began a minute before its first end.
    let end = begun.expires_at - Duration::from_mins(1) + life;
    assert_eq!(last.session.expires_at, end);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_token_that_is_shown_again_at_once_gets_the_same_successor(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let mut bank = Bank::new(options).await;
    let (_, caller, first) = bank.logged_in().await;
    let second = renew(&bank.store, first).await.unwrap();
    let third = renew(&bank.store, second).await.unwrap();

    // Even a caller that would derive another one now: the first answer stands.
    let other = bank.store.renew_session(first, [7; 32], SESSIONS.idle).await.unwrap();
    assert_eq!(other.successor_hash, second);
    assert_eq!(renew(&bank.store, second).await.unwrap(), third);
    assert_eq!(bank.store.list_sessions(&caller).await.unwrap().len(), 1);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_token_that_is_shown_again_later_ends_the_session(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let mut bank = Bank::new(options).await;
    let (user, caller, first) = bank.logged_in().await;
    let (other, other_token) = bank.log_in(&user).await;
    let second = renew(&bank.store, first).await.unwrap();
    bank.let_pass(9).await;
    assert_eq!(renew(&bank.store, first).await.unwrap(), second, "it is still a retry");

    bank.let_pass(2).await;
    let reused = renew(&bank.store, first).await;
    assert!(
        matches!(reused, Err(StoreError::TokenReused(id)) if id == caller.session_id),
        "{reused:?}"
    );
    assert_eq!(end_reason(&bank.pool, &caller).await.as_deref(), Some("token_reused"));
    for token in [first, second] {
        let refused = renew(&bank.store, token).await;
        assert!(matches!(refused, Err(StoreError::SessionEnded)), "{refused:?}");
    }
    let refused = bank.store.list_sessions(&caller).await;
    assert!(matches!(refused, Err(StoreError::SessionEnded)), "{refused:?}");
    renew(&bank.store, other_token).await.unwrap();
    assert_eq!(bank.store.list_sessions(&other).await.unwrap().len(), 1, "the other one goes on");
}

#[sqlx::test(migrations = "../migrations")]
async fn renewals_side_by_side_get_one_successor(_: PgPoolOptions, options: PgConnectOptions) {
    let mut bank = Bank::new(options).await;
    let (_, caller, first) = bank.logged_in().await;
    let stores = bank.environments(20).await;
    let renewals = stores.iter().enumerate().map(|(number, store)| {
        // Each with a successor of its own, so that it is seen whose was taken.
        let mut successor = next(first);
        successor[0] = u8::try_from(number).unwrap();
        async move { store.renew_session(first, successor, SESSIONS.idle).await.unwrap() }
    });
    let renewed = join_all(renewals).await;
    assert!(renewed.iter().all(|each| *each == renewed[0]), "{renewed:?}");
    let spent = sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM spent_refresh_tokens"#);
    assert_eq!(spent.fetch_one(&bank.pool).await.unwrap(), 1);
    renew(&bank.store, renewed[0].successor_hash).await.unwrap();
    assert_eq!(bank.store.list_sessions(&caller).await.unwrap().len(), 1);
}

#[sqlx::test(migrations = "../migrations")]
async fn what_was_never_given_out_renews_nothing(_: PgPoolOptions, options: PgConnectOptions) {
    let mut bank = Bank::new(options).await;
    let (_, caller, token) = bank.logged_in().await;
    let refused = renew(&bank.store, next(token)).await;
    assert!(matches!(refused, Err(StoreError::NotFound)), "{refused:?}");

    sqlx::query!("UPDATE sessions SET created_at = '2020-01-01', expires_at = '2020-01-02'")
        .execute(&bank.pool)
        .await
        .unwrap();
    let refused = renew(&bank.store, token).await;
    assert!(matches!(refused, Err(StoreError::SessionEnded)), "{refused:?}");
    assert_eq!(
        bank.store.list_sessions(&caller).await.unwrap_err().to_string(),
        "the session has ended"
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn the_oldest_of_eleven_sessions_ends(_: PgPoolOptions, options: PgConnectOptions) {
    let mut bank = Bank::new(options).await;
    let (user, oldest, token) = bank.logged_in().await;
    let mut others = Vec::new();
    for _ in 0..9 {
        others.push(bank.log_in(&user).await.0);
    }
    assert_eq!(bank.store.list_sessions(&oldest).await.unwrap().len(), 10);
    // One that has ended makes room.
    let gone = others.pop().unwrap();
    bank.store.end_session(&gone, gone.session_id).await.unwrap();
    bank.log_in(&user).await;
    assert_eq!(bank.store.list_sessions(&oldest).await.unwrap().len(), 10);

    let (newest, _) = bank.log_in(&user).await;
    let refused = bank.store.list_sessions(&oldest).await;
    assert!(matches!(refused, Err(StoreError::SessionEnded)), "{refused:?}");
    assert_eq!(end_reason(&bank.pool, &oldest).await.as_deref(), Some("displaced"));
    let refused = renew(&bank.store, token).await;
    assert!(matches!(refused, Err(StoreError::SessionEnded)), "{refused:?}");
    let live = bank.store.list_sessions(&newest).await.unwrap();
    assert_eq!((live.len(), live[0].id), (10, newest.session_id), "newest first");
}

#[sqlx::test(migrations = "../migrations")]
async fn log_ins_side_by_side_leave_ten_sessions(_: PgPoolOptions, options: PgConnectOptions) {
    let mut bank = Bank::new(options).await;
    let (user, ..) = bank.logged_in().await;
    let stores = bank.environments(25).await;
    let sessions: Vec<_> = stores.iter().map(|_| bank.new_session(&user)).collect();
    let who = attempt(&user.username);
    let log_ins = stores.iter().zip(sessions).map(|(store, new)| store.begin_session(&who, new));
    for begun in join_all(log_ins).await {
        begun.unwrap();
    }
    let live = sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM live_sessions"#);
    assert_eq!(live.fetch_one(&bank.pool).await.unwrap(), 10);
}

/// The oldest ends by itself while the eleventh log-in waits to end it.
#[sqlx::test(migrations = "../migrations")]
async fn a_log_in_that_waits_for_a_log_out(_: PgPoolOptions, options: PgConnectOptions) {
    let mut bank = Bank::new(options).await;
    let (user, oldest, _) = bank.logged_in().await;
    for _ in 0..9 {
        bank.log_in(&user).await;
    }
    let eleventh = bank.new_session(&user);
    let mut log_out = bank.pool.begin().await.unwrap();
    sqlx::query!("UPDATE sessions SET revoked_at = now() WHERE id = $1", oldest.session_id.0)
        .execute(&mut *log_out)
        .await
        .unwrap();
    let who = attempt(&user.username);
    let (begun, ()) = tokio::join!(bank.store.begin_session(&who, eleventh), async {
        until_somebody_waits(&bank.pool).await;
        log_out.commit().await.unwrap();
    });
    begun.unwrap();
}

async fn until_somebody_waits(pool: &PgPool) {
    until(async || {
        sqlx::query_scalar!(
            r#"SELECT EXISTS (
                   SELECT FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event_type = 'Lock'
               ) AS "waits!""#
        )
        .fetch_one(pool)
        .await
        .unwrap()
    })
    .await;
}

/// Who loses the right while they wait does not get it done.
#[sqlx::test(migrations = "../migrations")]
async fn a_change_that_waits_beyond_its_session(_: PgPoolOptions, options: PgConnectOptions) {
    let mut bank = Bank::new(options).await;
    let (user, caller, _) = bank.logged_in().await;
    let mut holder = bank.pool.begin().await.unwrap();
    sqlx::query!("SELECT FROM users FOR UPDATE").fetch_one(&mut *holder).await.unwrap();
    let changes = UserChanges {
        full_name: Some(shared::domain::FullName::parse("Ada").unwrap()),
        ..UserChanges::default()
    };
    let (changed, ()) =
        tokio::join!(bank.store.change_user(&caller, &user.username, changes), async {
            until_somebody_waits(&bank.pool).await;
            sqlx::query!("UPDATE sessions SET revoked_at = now()")
                .execute(&bank.pool)
                .await
                .unwrap();
            holder.commit().await.unwrap();
        });
    assert!(matches!(changed, Err(StoreError::SessionEnded)), "{changed:?}");
}

#[sqlx::test(migrations = "../migrations")]
async fn of_spent_tokens_the_last_few_thousand_are_kept(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let mut bank = Bank::new(options).await;
    let (.., first) = bank.logged_in().await;
    let second = renew(&bank.store, first).await.unwrap();
    // As if it had been renewed that often.
    sqlx::query!("UPDATE sessions SET renewals = 5000").execute(&bank.pool).await.unwrap();
    let third = renew(&bank.store, second).await.unwrap();
    let spent = sqlx::query_scalar!("SELECT number FROM spent_refresh_tokens");
    assert_eq!(spent.fetch_all(&bank.pool).await.unwrap(), [5001]);
    let forgotten = renew(&bank.store, first).await;
    assert!(matches!(forgotten, Err(StoreError::NotFound)), "{forgotten:?}");
    renew(&bank.store, third).await.unwrap();
}

#[sqlx::test(migrations = "../migrations")]
async fn users_see_and_end_their_own_sessions_only(_: PgPoolOptions, options: PgConnectOptions) {
    let mut bank = Bank::new(options).await;
    let (user, first, _) = bank.logged_in().await;
    let (second, _) = bank.log_in(&user).await;
    let (_, stranger, _) = bank.logged_in().await;

    let seen = bank.store.list_sessions(&first).await.unwrap();
    let ids: Vec<_> = seen.iter().map(|session: &LiveSession| session.id).collect();
    assert_eq!(ids, [second.session_id, first.session_id]);
    assert_eq!((&*seen[0].user_agent, &*seen[0].client_ip), ("tests/1.0", "192.0.2.1"));

    let refused = bank.store.end_session(&stranger, first.session_id).await;
    assert!(matches!(refused, Err(StoreError::NotFound)), "{refused:?}");
    bank.store.end_session(&first, second.session_id).await.unwrap();
    let refused = bank.store.end_session(&first, second.session_id).await;
    assert!(matches!(refused, Err(StoreError::NotFound)), "it has ended: {refused:?}");
    assert_eq!(end_reason(&bank.pool, &second).await.as_deref(), Some("revoked"));

    bank.store.end_session(&first, first.session_id).await.unwrap();
    let refused = bank.store.end_session(&first, first.session_id).await;
    assert!(matches!(refused, Err(StoreError::SessionEnded)), "{refused:?}");
    assert_eq!(end_reason(&bank.pool, &first).await.as_deref(), Some("logged_out"));
    assert_eq!(bank.store.list_sessions(&stranger).await.unwrap().len(), 1);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_log_in_by_a_password_that_was_just_changed_begins_nothing(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let mut bank = Bank::new(options).await;
    let (user, caller, _) = bank.logged_in().await;
    let late = bank.new_session(&user);
    let changes = UserChanges {
        hashed_password: Some("another".to_owned()),
        proven_changed_at: Some(user.password_changed_at),
        ..UserChanges::default()
    };
    bank.store.change_user(&caller, &user.username, changes).await.unwrap();

    let refused = bank.store.begin_session(&attempt(&user.username), late).await;
    assert!(matches!(refused, Err(StoreError::ProofOutdated)), "{refused:?}");
    assert_eq!(bank.store.list_sessions(&caller).await.unwrap().len(), 1);
}

/// Whichever comes first, a session that an old password began does not outlive it.
#[sqlx::test(migrations = "../migrations")]
async fn log_ins_and_a_password_change_side_by_side(_: PgPoolOptions, options: PgConnectOptions) {
    let mut bank = Bank::new(options).await;
    let stores = bank.environments(8).await;
    for _ in 0..20 {
        let (user, caller, _) = bank.logged_in().await;
        let changes = UserChanges {
            hashed_password: Some("another".to_owned()),
            proven_changed_at: Some(user.password_changed_at),
            ..UserChanges::default()
        };
        let late: Vec<_> = stores.iter().map(|_| bank.new_session(&user)).collect();
        let who = attempt(&user.username);
        let log_ins = stores.iter().zip(late).map(|(store, new)| store.begin_session(&who, new));
        let (changed, _) = tokio::join!(
            bank.store.change_user(&caller, &user.username, changes),
            join_all(log_ins),
        );
        changed.unwrap();
        let live = bank.store.list_sessions(&caller).await.unwrap();
        assert_eq!(live.len(), 1, "{live:?}");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn what_ended_long_ago_is_forgotten_at_the_next_log_in(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let mut bank = Bank::new(options).await;
    let (user, _, token) = bank.logged_in().await;
    renew(&bank.store, token).await.unwrap();
    let last = next(token);
    for (days, expected) in [(29, 1), (31, 0)] {
        sqlx::query!(
            "UPDATE sessions
             SET created_at = '2020-01-01', expires_at = now() - $1::int * interval '1 day'
             WHERE refresh_token_hash = $2",
            days,
            last.as_slice(),
        )
        .execute(&bank.pool)
        .await
        .unwrap();
        bank.log_in(&user).await;
        let spent = sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM spent_refresh_tokens"#);
        assert_eq!(spent.fetch_one(&bank.pool).await.unwrap(), expected, "{days}");
    }
}
