//! One session, two clients that both hold its refresh token, and whatever they can do to one another:
//! random lives of such sessions against a model that fits on a page.
//!
//! Each run prints its seed; `PROPTEST_RNG_SEED=7` makes the same lives again, `PROPTEST_CASES` another
//! number of them.

use std::{cell::RefCell, collections::BTreeMap, panic::resume_unwind};

use proptest::{
    prelude::*,
    test_runner::{Config, RngSeed, TestCaseError, TestRunner, contextualize_config},
};
use shared::{
    domain::{Caller, User},
    store::{PostgresStore, Store, StoreError},
};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::{
    sessions::{next, renew},
    support::Bank,
};

const CASES: u32 = 5_000;
const MAX_STEPS: usize = 12;

/// More than the ten seconds within which a spent token gets its successor again.
const LATER_SECS: i64 = 11;

#[derive(Debug, Clone, Copy)]
enum Step {
    /// A client renews by the token it got last, or by one that it had before.
    Renew { client: usize, tokens_ago: usize },
    /// Both renew by the token they got last, side by side.
    BothRenew,
    /// Time goes by.
    Later,
    /// Somebody logs out.
    LogOut,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..2_usize, 0..1_usize).prop_map(|(client, tokens_ago)| Step::Renew { client, tokens_ago }),
        2 => (0..2_usize, 1..4_usize).prop_map(|(client, tokens_ago)| Step::Renew { client, tokens_ago }),
        3 => Just(Step::BothRenew),
        3 => Just(Step::Later),
        1 => Just(Step::LogOut),
    ];
    prop::collection::vec(step, 1..=MAX_STEPS)
}

/// The session as it should be: every token it ever had, in turn, of which the last is of use.
struct Model {
    /// For each spent token, whether it was spent just now.
    spent: Vec<bool>,
    is_live: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// The token of this number is the successor.
    Token(usize),
    Ended,
    Reused,
}

impl Model {
    fn renew(&mut self, token: usize) -> Answer {
        match self.spent.get(token) {
            _ if !self.is_live => Answer::Ended,
            None => {
                self.spent.push(true);
                Answer::Token(token + 1)
            }
            Some(true) => Answer::Token(token + 1),
            Some(false) => {
                self.is_live = false;
                Answer::Reused
            }
        }
    }
}

/// A life: the same steps in the store and in the model.
struct Life<'a> {
    bank: &'a mut Bank,
    other: &'a PostgresStore,
    caller: Caller,
    tokens: Vec<[u8; 32]>,
    model: Model,
    /// By client, the numbers of the tokens that it was given.
    held: [Vec<usize>; 2],
    answers: &'a mut BTreeMap<&'static str, usize>,
}

impl Life<'_> {
    async fn take(&mut self, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::Renew { client, tokens_ago } => {
                let token = self.held(client, tokens_ago);
                let answer = self.answer(renew(&self.bank.store, self.tokens[token]).await)?;
                let expected = self.model.renew(token);
                prop_assert_eq!(answer, expected);
                self.note(client, answer);
            }
            Step::BothRenew => {
                let (first, second) = (self.held(0, 0), self.held(1, 0));
                let (mine, yours) = tokio::join!(
                    renew(&self.bank.store, self.tokens[first]),
                    renew(self.other, self.tokens[second]),
                );
                let answers = [self.answer(mine)?, self.answer(yours)?];
                // Whichever came first.
                let was = (self.model.spent.clone(), self.model.is_live);
                let in_turn = [self.model.renew(first), self.model.renew(second)];
                if answers != in_turn {
                    (self.model.spent, self.model.is_live) = was;
                    let reverse = [self.model.renew(second), self.model.renew(first)];
                    prop_assert_eq!(answers, [reverse[1], reverse[0]], "nor {:?}", in_turn);
                }
                self.note(0, answers[0]);
                self.note(1, answers[1]);
            }
            Step::Later => {
                self.bank.let_pass(LATER_SECS).await;
                self.model.spent.fill(false);
            }
            Step::LogOut => {
                let ended = self.bank.store.end_session(&self.caller, self.caller.session_id).await;
                prop_assert_eq!(ended.is_ok(), self.model.is_live);
                self.model.is_live = false;
            }
        }
        self.look().await
    }

    /// There is one live session where there should be, and only the last token is of use.
    async fn look(&self) -> Result<(), TestCaseError> {
        let live = sqlx::query_scalar!(
            "SELECT refresh_token_hash FROM sessions
             WHERE username = $1 AND revoked_at IS NULL AND expires_at > now()",
            self.caller.username.as_str()
        );
        let live = live.fetch_all(&self.bank.pool).await.unwrap();
        let expected: Vec<Vec<u8>> = if self.model.is_live {
            vec![self.tokens[self.model.spent.len()].to_vec()]
        } else {
            vec![]
        };
        prop_assert_eq!(live, expected);
        Ok(())
    }

    fn held(&self, client: usize, tokens_ago: usize) -> usize {
        let held = &self.held[client];
        held[held.len().saturating_sub(1 + tokens_ago)]
    }

    fn answer(&self, answer: Result<[u8; 32], StoreError>) -> Result<Answer, TestCaseError> {
        match answer {
            Ok(token) => {
                let number = self.tokens.iter().position(|known| *known == token);
                Ok(Answer::Token(number.unwrap()))
            }
            Err(StoreError::SessionEnded) => Ok(Answer::Ended),
            Err(StoreError::TokenReused(_)) => Ok(Answer::Reused),
            Err(error) => Err(TestCaseError::fail(format!("the store failed: {error:?}"))),
        }
    }

    fn note(&mut self, client: usize, answer: Answer) {
        let name = match answer {
            Answer::Token(number) => {
                self.held[client].push(number);
                "token"
            }
            Answer::Ended => "ended",
            Answer::Reused => "reused",
        };
        *self.answers.entry(name).or_default() += 1;
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn two_clients_of_one_session(_: PgPoolOptions, options: PgConnectOptions) {
    // proptest knows nothing of futures: it gets a thread that may wait, with a runtime of its own.
    let tried = tokio::task::spawn_blocking(move || try_lives(options)).await;
    if let Err(panicked) = tried {
        resume_unwind(panicked.into_panic());
    }
}

fn try_lives(options: PgConnectOptions) {
    let config = contextualize_config(Config {
        cases: CASES,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(rand::random()),
        ..Config::default()
    });
    println!("PROPTEST_RNG_SEED={}", config.rng_seed);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let bank = RefCell::new(runtime.block_on(Bank::new(options)));
    let other = runtime.block_on(bank.borrow().environments(1)).remove(0);
    let user = runtime.block_on(bank.borrow_mut().logged_in()).0;
    let answers = RefCell::new(BTreeMap::new());
    let tried = TestRunner::new(config).run(&steps(), |steps| {
        let (bank, answers) = (&mut *bank.borrow_mut(), &mut *answers.borrow_mut());
        runtime.block_on(live(bank, &other, &user, answers, &steps))
    });
    if let Err(error) = tried {
        panic!("{error}");
    }
    let answers = answers.into_inner();
    println!("{answers:?}");
    for answer in ["token", "ended", "reused"] {
        assert!(answers.contains_key(answer), "nobody was ever told {answer}");
    }
}

/// A life of a new session, the user's only one.
async fn live(
    bank: &mut Bank,
    other: &PostgresStore,
    user: &User,
    answers: &mut BTreeMap<&'static str, usize>,
    steps: &[Step],
) -> Result<(), TestCaseError> {
    sqlx::query!("DELETE FROM sessions").execute(&bank.pool).await.unwrap();
    let (caller, first) = bank.log_in(user).await;
    let mut tokens = vec![first];
    for _ in 0..=2 * MAX_STEPS {
        tokens.push(next(tokens[tokens.len() - 1]));
    }
    let model = Model { spent: Vec::new(), is_live: true };
    let held = [vec![0], vec![0]];
    let mut life = Life { bank, other, caller, tokens, model, held, answers };
    for step in steps {
        life.take(*step).await?;
    }
    Ok(())
}
