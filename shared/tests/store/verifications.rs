//! Addresses that are verified: the outbox, its worker, the codes.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use futures_util::future::join_all;
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::SliceRandom};
use shared::{
    auth::VerificationCode,
    bank::{BankError, Mailing, MailingTools, send_verification},
    domain::{Caller, Claim, Currency, Email, NewUser, User, UserChanges, VerificationId},
    store::{PostgresStore, Store, StoreError},
    tasks::{Letter, MailError, Mailer},
};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::support::{Bank, Moved, deposit, dollars, done, key, withdrawal};

const LEASE: Duration = Duration::from_secs(30);
const LIFE: Duration = Duration::from_mins(30);

impl Bank {
    /// A user who has just signed up and logged in, and their task.
    async fn signed_up(&mut self) -> (User, Caller, VerificationId) {
        let new = self.new_user();
        let (user, task) = self.store.create_user(new).await.unwrap();
        let (caller, _) = self.log_in(&user).await;
        (user, caller, task)
    }

    /// A code that has been mailed for this task.
    async fn mailed(&self, task: VerificationId) -> VerificationCode {
        let code = VerificationCode::generate().unwrap();
        let claim = self.store.claim_verification(task, code.hash(), LEASE, LIFE).await.unwrap();
        assert!(matches!(claim, Claim::Granted(_)), "{claim:?}");
        self.store.finish_verification(task, code.hash()).await.unwrap();
        code
    }

    async fn claim(&self, task: VerificationId) -> Claim {
        let hash = VerificationCode::generate().unwrap().hash();
        self.store.claim_verification(task, hash, LEASE, LIFE).await.unwrap()
    }

    async fn is_verified(&self, caller: &Caller) -> bool {
        self.store.get_user(caller, &caller.username).await.unwrap().is_email_verified
    }

    /// A new address, and its task.
    async fn move_to(
        &self,
        user: &User,
        caller: &Caller,
        email: &str,
    ) -> Result<Option<VerificationId>, StoreError> {
        let changes = UserChanges {
            email: Some(Email::parse(email).unwrap()),
            proven_changed_at: Some(user.password_changed_at),
            ..UserChanges::default()
        };
        self.store.change_user(caller, &user.username, changes).await.map(|(_, task)| task)
    }

    /// As if so long had gone by since everything that concerns addresses.
    async fn age_verifications(&self, seconds: i64) {
        sqlx::query!(
            "UPDATE verify_emails
             SET created_at = created_at - $1::bigint * interval '1 second',
                 due_at = due_at - $1::bigint * interval '1 second',
                 claimed_until = claimed_until - $1::bigint * interval '1 second',
                 expires_at = expires_at - $1::bigint * interval '1 second',
                 done_at = done_at - $1::bigint * interval '1 second'",
            seconds
        )
        .execute(&self.pool)
        .await
        .unwrap();
    }

    async fn count_tasks(&self) -> i64 {
        sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM verify_emails"#)
            .fetch_one(&self.pool)
            .await
            .unwrap()
    }
}

fn is_spent(outcome: Result<(), StoreError>) -> bool {
    match outcome {
        Err(StoreError::CodeSpent) => true,
        Ok(()) | Err(StoreError::NotFound) => false,
        Err(error) => panic!("{error:?}"),
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_task_is_written_with_its_user_or_not_at_all(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let mut bank = Bank::new(options).await;
    let (user, caller, task) = bank.signed_up().await;
    let row = sqlx::query!(
        "SELECT id, username, email, reason, published_at, done_at, secret_hash FROM verify_emails"
    );
    let row = row.fetch_one(&bank.pool).await.unwrap();
    assert_eq!((row.id, row.username.as_str()), (task.0, user.username.as_str()));
    assert_eq!((row.email.as_str(), row.reason.as_str()), (user.email.as_str(), "sign_up"));
    assert_eq!((row.published_at, row.done_at, row.secret_hash), (None, None, None));
    VerificationId::new(task.0).unwrap();

    let same_address = NewUser { email: Email::parse(&user.email).unwrap(), ..bank.new_user() };
    bank.store.create_user(same_address).await.unwrap_err();
    let (other, ..) = bank.signed_up().await;
    let taken = bank.move_to(&user, &caller, &other.email).await;
    assert!(matches!(taken, Err(StoreError::Taken(_))), "{taken:?}");
    assert_eq!(bank.move_to(&user, &caller, &user.email).await.unwrap(), None, "the same address");
    assert_eq!(bank.count_tasks().await, 2, "one for each user that there is");

    let second = bank.move_to(&user, &caller, "second@example.com").await.unwrap().unwrap();
    assert_ne!(second, task);
    assert_eq!(bank.count_tasks().await, 3);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_code_is_spent_once_for_its_user_and_address(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let mut bank = Bank::new(options).await;
    let (user, caller, task) = bank.signed_up().await;
    let guess = VerificationCode::generate().unwrap();
    let unknown = bank.store.spend_verification(VerificationId(1), guess.hash()).await;
    assert!(matches!(unknown, Err(StoreError::NotFound)), "{unknown:?}");
    let unsent = bank.store.spend_verification(task, guess.hash()).await;
    assert!(matches!(unsent, Err(StoreError::NotFound)), "{unsent:?}");

    let code = bank.mailed(task).await;
    let (_, stranger, others_task) = bank.signed_up().await;
    let others = bank.mailed(others_task).await;
    let crossed = bank.store.spend_verification(task, others.hash()).await;
    assert!(matches!(crossed, Err(StoreError::NotFound)), "{crossed:?}");
    assert!(!bank.is_verified(&caller).await);

    bank.store.spend_verification(task, code.hash()).await.unwrap();
    assert!(bank.is_verified(&caller).await);
    assert!(!bank.is_verified(&stranger).await);
    assert!(is_spent(bank.store.spend_verification(task, code.hash()).await), "once");

    let task = bank.move_to(&user, &caller, "second@example.com").await.unwrap().unwrap();
    assert!(!bank.is_verified(&caller).await, "a new address is not verified");
    let code = bank.mailed(task).await;
    bank.move_to(&user, &caller, "third@example.com").await.unwrap();
    assert!(is_spent(bank.store.spend_verification(task, code.hash()).await), "another address");
    bank.move_to(&user, &caller, "second@example.com").await.unwrap();
    assert!(is_spent(bank.store.spend_verification(task, code.hash()).await), "and back");
    assert!(!bank.is_verified(&caller).await);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_code_dies_of_age_of_guesses_and_of_a_younger_one(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let mut bank = Bank::new(options).await;
    let spend = async |bank: &Bank, task, code: &VerificationCode| {
        bank.store.spend_verification(task, code.hash()).await
    };

    let (_, caller, task) = bank.signed_up().await;
    let code = bank.mailed(task).await;
    bank.age_verifications(30 * 60 - 5).await;
    let guess = VerificationCode::generate().unwrap();
    for _ in 0..4 {
        let wrong = spend(&bank, task, &guess).await;
        assert!(matches!(wrong, Err(StoreError::NotFound)), "{wrong:?}");
    }
    spend(&bank, task, &code).await.expect("four were wrong, and it is nearly too old");
    assert!(bank.is_verified(&caller).await);

    let (_, caller, task) = bank.signed_up().await;
    let code = bank.mailed(task).await;
    for _ in 0..5 {
        let wrong = spend(&bank, task, &guess).await;
        assert!(matches!(wrong, Err(StoreError::NotFound)), "{wrong:?}");
    }
    assert!(is_spent(spend(&bank, task, &code).await), "five were wrong");
    assert!(is_spent(spend(&bank, task, &guess).await));

    let second = bank.store.request_verification(&caller).await.unwrap().unwrap();
    let code = bank.mailed(second).await;
    bank.age_verifications(30 * 60 + 5).await;
    assert!(is_spent(spend(&bank, second, &code).await), "too old");

    let third = bank.store.request_verification(&caller).await.unwrap().unwrap();
    let old = bank.mailed(third).await;
    bank.age_verifications(60).await;
    let fourth = bank.store.request_verification(&caller).await.unwrap().unwrap();
    let code = bank.mailed(fourth).await;
    assert!(is_spent(spend(&bank, third, &old).await), "a younger one is out");
    assert!(!bank.is_verified(&caller).await);
    spend(&bank, fourth, &code).await.unwrap();
}

/// Of guesses side by side no more than five are looked at, and of right ones one is.
#[sqlx::test(migrations = "../migrations")]
async fn codes_side_by_side(_: PgPoolOptions, options: PgConnectOptions) {
    let mut bank = Bank::new(options).await;
    let stores = bank.environments(10).await;
    let (_, caller, task) = bank.signed_up().await;
    let code = bank.mailed(task).await;
    let spends = stores.iter().map(|store| store.spend_verification(task, code.hash()));
    let outcomes = join_all(spends).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
    assert_eq!(outcomes.into_iter().map(is_spent).filter(|spent| *spent).count(), 9);
    assert!(bank.is_verified(&caller).await);

    let (_, _, task) = bank.signed_up().await;
    bank.mailed(task).await;
    let guess = VerificationCode::generate().unwrap();
    let spends = stores.iter().map(|store| store.spend_verification(task, guess.hash()));
    let spent = join_all(spends).await.into_iter().map(is_spent).filter(|spent| *spent).count();
    assert_eq!(spent, 5, "five were wrong, and five came too late to be looked at");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_task_is_one_workers_at_a_time_and_done_once(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let mut bank = Bank::new(options).await;
    let (user, caller, task) = bank.signed_up().await;
    let hash = VerificationCode::generate().unwrap().hash();
    let again = async || bank.store.claim_verification(task, hash, LEASE, LIFE).await.unwrap();
    let Claim::Granted(addressee) = again().await else { panic!("it is free") };
    assert_eq!((&addressee.email, &addressee.username), (&user.email, &user.username));
    assert_eq!(bank.claim(task).await, Claim::Busy);
    assert_eq!(again().await, Claim::Granted(addressee), "the same worker asks again");

    bank.store.release_verification(task, [0; 32]).await.unwrap();
    assert_eq!(bank.claim(task).await, Claim::Busy, "that was another worker's");
    bank.store.release_verification(task, hash).await.unwrap();
    assert!(matches!(bank.claim(task).await, Claim::Granted(_)), "it was given back");
    bank.age_verifications(31).await;
    let late = VerificationCode::generate().unwrap();
    let claim = bank.store.claim_verification(task, late.hash(), LEASE, LIFE).await.unwrap();
    assert!(matches!(claim, Claim::Granted(_)), "its worker is dead");

    bank.store.finish_verification(task, hash).await.unwrap();
    assert_eq!(bank.claim(task).await, Claim::Busy, "a worker who was given up changes nothing");
    // Whoever has the code has the mail, though the worker has not said so yet.
    bank.store.spend_verification(task, late.hash()).await.unwrap();
    assert!(bank.is_verified(&caller).await);
    assert_eq!(bank.claim(task).await, Claim::Done);
    bank.store.finish_verification(task, late.hash()).await.unwrap();
    assert_eq!(bank.claim(VerificationId(1)).await, Claim::Done, "there is no such task");
}

#[sqlx::test(migrations = "../migrations")]
async fn nobody_is_mailed_what_is_not_wanted_any_more(_: PgPoolOptions, options: PgConnectOptions) {
    let mut bank = Bank::new(options).await;
    let (user, caller, first) = bank.signed_up().await;
    let second = bank.move_to(&user, &caller, "second@example.com").await.unwrap().unwrap();
    assert_eq!(bank.claim(first).await, Claim::Done, "it has another address");
    let third = bank.store.request_verification(&caller).await.unwrap().unwrap();
    assert_eq!(bank.claim(second).await, Claim::Done, "there is a younger task");

    let code = bank.mailed(third).await;
    bank.age_verifications(61).await;
    let fourth = bank.store.request_verification(&caller).await.unwrap().unwrap();
    bank.store.spend_verification(third, code.hash()).await.expect("no younger code is out yet");
    assert_eq!(bank.claim(fourth).await, Claim::Done, "it is verified");
    assert_eq!(bank.store.request_verification(&caller).await.unwrap(), None, "it is verified");
}

#[sqlx::test(migrations = "../migrations")]
async fn further_mails_are_limited(_: PgPoolOptions, options: PgConnectOptions) {
    let mut bank = Bank::new(options).await;
    let (user, caller, _) = bank.signed_up().await;
    let wait = async |bank: &Bank| match bank.store.request_verification(&caller).await {
        Ok(Some(_)) => None,
        Err(StoreError::TooManyMails(duration)) => Some(duration.as_secs()),
        other => panic!("{other:?}"),
    };
    assert_eq!(wait(&bank).await, None, "the first mail was not asked for");
    assert!(wait(&bank).await.is_some_and(|secs| (55..=60).contains(&secs)));
    for _ in 0..4 {
        bank.age_verifications(60).await;
        assert_eq!(wait(&bank).await, None);
    }
    bank.age_verifications(60).await;
    let day = 24 * 60 * 60;
    let until = wait(&bank).await.unwrap();
    assert!((day - 305..=day - 295).contains(&until), "{until}: a day after the first of five");
    bank.age_verifications(day.cast_signed() - 290).await;
    assert_eq!(wait(&bank).await, None, "the day is over");

    let (_, stranger, _) = bank.signed_up().await;
    bank.store.request_verification(&stranger).await.unwrap();
    let ended = Caller { session_id: stranger.session_id, ..caller.clone() };
    let refused = bank.store.request_verification(&ended).await;
    assert!(matches!(refused, Err(StoreError::SessionEnded)), "{refused:?}");

    for number in 0..10 {
        bank.move_to(&user, &caller, &format!("{number}@example.com")).await.unwrap();
    }
    let refused = bank.move_to(&user, &caller, "11@example.com").await;
    assert!(matches!(refused, Err(StoreError::TooManyMails(_))), "{refused:?}");
    let same = bank.move_to(&user, &caller, "9@example.com").await.unwrap();
    assert_eq!(same, None, "no mail is no mail too many");
}

/// Of requests side by side one is granted.
#[sqlx::test(migrations = "../migrations")]
async fn further_mails_are_limited_side_by_side(_: PgPoolOptions, options: PgConnectOptions) {
    let mut bank = Bank::new(options).await;
    let (_, caller, _) = bank.signed_up().await;
    let stores = bank.environments(10).await;
    let granted = join_all(stores.iter().map(|store| store.request_verification(&caller))).await;
    assert_eq!(granted.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{granted:?}");
    assert_eq!(bank.count_tasks().await, 2);
}

#[sqlx::test(migrations = "../migrations")]
async fn what_nobody_published_is_taken_by_one_relay(_: PgPoolOptions, options: PgConnectOptions) {
    let mut bank = Bank::new(options).await;
    let mut tasks = Vec::new();
    for _ in 0..25 {
        tasks.push(bank.signed_up().await.2);
    }
    bank.store.mark_published(&tasks[20..]).await.unwrap();
    assert_eq!(bank.store.take_due_verifications(10).await.unwrap(), [], "somebody is at it");

    bank.age_verifications(20).await;
    let stores = bank.environments(4).await;
    let taken = join_all(stores.iter().map(|store| store.take_due_verifications(10))).await;
    let mut taken: Vec<_> = taken.into_iter().flat_map(Result::unwrap).collect();
    // Who looked while others had the rows locked found fewer.
    taken.extend(bank.store.take_due_verifications(10).await.unwrap());
    taken.extend(bank.store.take_due_verifications(10).await.unwrap());
    taken.sort();
    let mut expected = tasks[..20].to_vec();
    expected.sort();
    assert_eq!(taken, expected, "each once");

    bank.store.mark_published(&expected[..10]).await.unwrap();
    bank.age_verifications(45).await;
    let mut left = bank.store.take_due_verifications(100).await.unwrap();
    left.sort();
    assert_eq!(left, expected[10..], "what was taken and not published is due again");

    bank.age_verifications(45).await;
    bank.mailed(expected[10]).await;
    let left = bank.store.take_due_verifications(100).await.unwrap();
    assert_eq!(left.len(), 9, "what was mailed needs no publishing");
}

#[sqlx::test(migrations = "../migrations")]
async fn what_is_done_is_removed_after_two_days(_: PgPoolOptions, options: PgConnectOptions) {
    let mut bank = Bank::new(options).await;
    let (_, _, mailed) = bank.signed_up().await;
    let (_, _, unsent) = bank.signed_up().await;
    bank.mailed(mailed).await;
    bank.age_verifications(2 * 24 * 60 * 60 - 60).await;
    assert_eq!(bank.store.prune_verifications().await.unwrap(), 0);
    bank.age_verifications(120).await;
    assert_eq!(bank.store.prune_verifications().await.unwrap(), 1);
    assert!(matches!(bank.claim(unsent).await, Claim::Granted(_)), "nothing is lost");
    bank.age_verifications(28 * 24 * 60 * 60 + 60).await;
    assert_eq!(bank.store.prune_verifications().await.unwrap(), 1, "no queue has it any more");
}

/// Mail that arrives, by task: each letter's code. Some is not taken.
#[derive(Clone, Default)]
struct Post {
    letters: Arc<Mutex<BTreeMap<i64, Vec<String>>>>,
    refuses: bool,
}

#[async_trait]
impl Mailer for Post {
    async fn send(&self, letter: &Letter) -> Result<(), MailError> {
        if self.refuses && rand::rng().random_ratio(1, 4) {
            return Err(MailError { reason: "TooManyRequestsException".to_owned() });
        }
        let query = letter.text.split("email_id=").nth(1).unwrap();
        let (id, rest) = query.split_once("&secret_code=").unwrap();
        let code = rest[..32].to_owned();
        self.letters.lock().unwrap().entry(id.parse().unwrap()).or_default().push(code);
        Ok(())
    }
}

fn tools(store: PostgresStore, post: &Post) -> MailingTools {
    MailingTools {
        store: Box::new(store),
        mailer: Box::new(post.clone()),
        public_url: "https://api.example.com".to_owned(),
    }
}

/// Every message three times in random order to workers side by side, some of whose mail is not taken;
/// what fails comes again. In the end each user has exactly one code that is of use, that of the
/// youngest task, and no more mails than there were attempts that were told to be made again.
#[sqlx::test(migrations = "../migrations")]
async fn three_deliveries_of_everything_in_any_order(_: PgPoolOptions, options: PgConnectOptions) {
    const USERS: usize = 40;
    let seed: u64 = rand::random();
    println!("order's seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let mut bank = Bank::new(options).await;
    let (mut youngest, mut messages) = (Vec::new(), Vec::new());
    for number in 0..USERS {
        let (_, caller, mut task) = bank.signed_up().await;
        messages.push(task);
        if number % 2 == 0 {
            task = bank.store.request_verification(&caller).await.unwrap().unwrap();
            messages.push(task);
        }
        youngest.push((caller, task));
    }
    let mut messages: Vec<VerificationId> = messages.repeat(3);
    messages.shuffle(&mut random);

    let post = Post { refuses: true, ..Post::default() };
    let mut workers = Vec::new();
    for _ in 0..6 {
        workers.push(tools(bank.another_store().await, &post));
    }
    let queue = Mutex::new(messages);
    let retried = Mutex::new(BTreeMap::<i64, usize>::new());
    let work = workers.iter().map(async |worker| {
        loop {
            let Some(task) = queue.lock().unwrap().pop() else { return };
            match send_verification(worker, task).await {
                Ok(Mailing::Sent | Mailing::NotNeeded) => {}
                Err(BankError::RequestInFlight | BankError::Unavailable(_)) => {
                    *retried.lock().unwrap().entry(task.0).or_default() += 1;
                    queue.lock().unwrap().insert(0, task);
                }
                Err(error) => panic!("{error:?}"),
            }
        }
    });
    join_all(work).await;

    let letters = post.letters.lock().unwrap().clone();
    for (task, codes) in &letters {
        let retries = retried.lock().unwrap().get(task).copied().unwrap_or_default();
        assert!(codes.len() <= retries + 1, "{} mails after {retries} retries", codes.len());
    }
    for (caller, task) in youngest {
        for (older, codes) in letters.iter().filter(|(id, _)| **id != task.0) {
            let is_own = sqlx::query_scalar!(
                r#"SELECT username = $2 AS "is_own!" FROM verify_emails WHERE id = $1"#,
                older,
                caller.username.as_str()
            );
            if is_own.fetch_one(&bank.pool).await.unwrap() {
                for code in codes {
                    let hash = VerificationCode::parse(code).unwrap().hash();
                    let outcome = bank.store.spend_verification(VerificationId(*older), hash).await;
                    assert!(is_spent(outcome), "a younger code is out");
                }
            }
        }
        let codes = &letters[&task.0];
        let mut live = 0;
        for code in codes {
            let hash = VerificationCode::parse(code).unwrap().hash();
            live += usize::from(bank.store.spend_verification(task, hash).await.is_ok());
        }
        assert_eq!(live, 1, "of {} codes of one task", codes.len());
        assert!(bank.is_verified(&caller).await);
    }
}

/// A refusal, whatever it is of, leaves the task to be tried again, and marks nothing as done.
#[sqlx::test(migrations = "../migrations")]
async fn a_mail_that_was_not_taken_is_tried_again(_: PgPoolOptions, options: PgConnectOptions) {
    struct Refusing;
    #[async_trait]
    impl Mailer for Refusing {
        async fn send(&self, _: &Letter) -> Result<(), MailError> {
            Err(MailError { reason: "TooManyRequestsException".to_owned() })
        }
    }
    let mut bank = Bank::new(options).await;
    let (_, _, task) = bank.signed_up().await;
    let post = Post::default();
    let refusing =
        MailingTools { mailer: Box::new(Refusing), ..tools(bank.another_store().await, &post) };
    for _ in 0..3 {
        let refused = send_verification(&refusing, task).await;
        assert!(matches!(refused, Err(BankError::Unavailable(_))), "{refused:?}");
    }
    let done_at = sqlx::query_scalar!("SELECT done_at FROM verify_emails");
    assert_eq!(done_at.fetch_one(&bank.pool).await.unwrap(), None);
    let working = tools(bank.another_store().await, &post);
    assert_eq!(send_verification(&working, task).await.unwrap(), Mailing::Sent);
    assert_eq!(send_verification(&working, task).await.unwrap(), Mailing::NotNeeded);

    // An address that nobody could have given.
    let (user, _, task) = bank.signed_up().await;
    sqlx::query!(
        "WITH of_task AS (
             UPDATE verify_emails SET email = E'a@example.com\r\nBcc: x@example.com' WHERE id = $2
         )
         UPDATE users SET email = E'a@example.com\r\nBcc: x@example.com' WHERE username = $1",
        user.username.as_str(),
        task.0
    )
    .execute(&bank.pool)
    .await
    .unwrap();
    for _ in 0..2 {
        let refused = send_verification(&working, task).await;
        assert!(matches!(refused, Err(BankError::Internal(_))), "{refused:?}");
    }
    assert_eq!(post.letters.lock().unwrap().len(), 1);
}

fn is_unverified(moved: &Moved) -> bool {
    matches!(moved, Err(StoreError::EmailNotVerified))
}

#[sqlx::test(migrations = "../migrations")]
async fn money_leaves_only_if_the_address_is_verified(_: PgPoolOptions, options: PgConnectOptions) {
    let mut bank = Bank::new(options).await;
    let (_, to) = bank.account(Currency::Usd, 0).await;
    let (user, alice, task) = bank.signed_up().await;
    let from = bank.account_of(&alice, Currency::Usd, 100).await;
    let (paid, taken, new) = (key(), key(), key());
    let pay = async |key| bank.store.move_money(&alice, key, dollars(&from, &to, 10)).await;
    let withdraw = async |key| bank.store.move_money(&alice, key, withdrawal(&from, 10)).await;

    assert!(is_unverified(&pay(&paid).await));
    assert!(is_unverified(&withdraw(&taken).await));
    assert_eq!(bank.balance(&alice, &from).await, 100);
    let code = bank.mailed(task).await;
    bank.store.spend_verification(task, code.hash()).await.unwrap();
    done(pay(&paid).await);
    done(withdraw(&taken).await);

    bank.move_to(&user, &alice, "second@example.com").await.unwrap();
    assert!(is_unverified(&pay(&new).await));
    assert!(is_unverified(&withdraw(&new).await));
    for again in [pay(&paid).await.unwrap(), withdraw(&taken).await.unwrap()] {
        assert!(again.is_replay, "what was done is done, and told again");
    }
    done(bank.store.move_money(&alice, &key(), deposit(&from, 1)).await);

    let tolerant = bank.another_store().await.paying(shared::domain::Payers::Anyone);
    done(tolerant.move_money(&alice, &key(), dollars(&from, &to, 10)).await);
    assert_eq!(bank.balance(&alice, &from).await, 71);
    bank.assert_books_are_right().await;
}

/// No comparison says of a NULL that it is another code.
#[sqlx::test(migrations = "../migrations")]
async fn no_code_verifies_nothing(_: PgPoolOptions, options: PgConnectOptions) {
    let mut bank = Bank::new(options).await;
    let (_, caller, task) = bank.signed_up().await;
    bank.mailed(task).await;
    let outcome = sqlx::query_scalar!("SELECT spend_verify_email($1, NULL, 5)", task.0)
        .fetch_one(&bank.pool)
        .await
        .unwrap();
    assert_eq!(outcome, None);
    assert!(!bank.is_verified(&caller).await);
}
