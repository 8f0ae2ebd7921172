//! The store against a model of the bank: random lives of both, with the same answers and the same
//! books at the end of each.
//!
//! Every run prints its seed, which makes the same lives again:
//!
//! ```text
//! PROPTEST_RNG_SEED=7 make test ARGS='-p shared --test store -- model'
//! ```
//!
//! `PROPTEST_CASES` asks for another number of them. A life that fails is cut down to the steps that
//! matter, and its own seed is added to `shared/tests/proptest-regressions/model.txt`, which is read
//! before anything new is tried. Commit that line together with what mends the failure. It means
//! that life for as long as `steps.rs` draws the same: the short life that was printed, written out
//! as a test of its own, means it for ever.
//!
//! One request follows another here; `money.rs` is about those that meet.

mod bank;
mod books;
mod steps;

use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap, HashSet},
    fmt::Debug,
    panic::resume_unwind,
};

use proptest::{
    prelude::*,
    test_runner::{
        Config, FileFailurePersistence, RngSeed, TestCaseError, TestRunner, contextualize_config,
    },
};
use shared::{
    domain::{
        Account, AccountId, Caller, Currency, EntryId, IdempotencyKey, Keyed, Movement, Page,
        Posting, Refusal,
    },
    store::{Store, StoreError},
};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use self::{
    bank::{Answer, Denial, Posted, PureBank, PureEntry, Shown},
    books::Books,
    steps::{CUSTOMERS, Key, NO_ACCOUNT, Step, steps},
};
use crate::support::{Bank, attempt, key};

/// Lives of fifty steps on average, and of any length down to none, so that they can be cut down:
/// together more than 25,000 steps.
const CASES: u32 = 550;

/// Most failures are short after a second; one that waits for a lock in each life would take hours.
const MAX_SHRINK_MS: u32 = 60_000;

const SEEDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/proptest-regressions/model.txt");

#[sqlx::test(migrations = "../migrations")]
async fn the_store_answers_as_the_model_does(_: PgPoolOptions, options: PgConnectOptions) {
    // proptest knows nothing of futures: it gets a thread that may wait, with a runtime of its own.
    let tried = tokio::task::spawn_blocking(move || try_lives(options)).await;
    if let Err(panicked) = tried {
        resume_unwind(panicked.into_panic());
    }
}

fn try_lives(options: PgConnectOptions) {
    let config = contextualize_config(Config {
        cases: CASES,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(SEEDS))),
        rng_seed: RngSeed::Fixed(rand::random()),
        max_shrink_time: MAX_SHRINK_MS,
        ..Config::default()
    });
    println!("PROPTEST_RNG_SEED={}", config.rng_seed);
    let is_whole = config.cases >= CASES;

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let bank = RefCell::new(runtime.block_on(Bank::new(options)));
    let answers = RefCell::new(BTreeMap::new());
    let tried = TestRunner::new(config).run(&steps(), |steps| {
        let (bank, answers) = (&mut *bank.borrow_mut(), &mut *answers.borrow_mut());
        runtime.block_on(live(bank, answers, &steps))
    });
    if let Err(error) = tried {
        panic!("{error}");
    }

    let answers = answers.into_inner();
    println!("{answers:#?}");
    if is_whole {
        assert_every_answer_was_given(&answers);
    }
    // After the last life only: what is wrong stays wrong in books that are only added to, and every
    // shorter life would seem to fail as well. `Books` looks at each by itself.
    runtime.block_on(bank.into_inner().assert_books_are_right());
}

/// Lives that never come to a refusal would say nothing of it.
fn assert_every_answer_was_given(answers: &Answers) {
    let kept = Refusal::ALL.map(Refusal::code).into_iter().chain(["done"]);
    let kept = kept.flat_map(|outcome| [outcome.to_owned(), format!("{outcome} again")]);
    let denials = [Denial::SessionEnded, Denial::NotFound, Denial::KeyReused];
    for answer in kept.chain(denials.map(|denial| format!("{denial:?}"))) {
        assert!(answers.contains_key(&answer), "nobody was ever told {answer}");
    }
}

/// How often each answer to a movement was given.
type Answers = BTreeMap<String, usize>;

fn name(answer: &Answer<Keyed<Posted>>) -> String {
    match answer {
        Ok(Keyed { outcome, is_replay }) => {
            let outcome = outcome.map_or_else(Refusal::code, |_| "done");
            if *is_replay { format!("{outcome} again") } else { outcome.to_owned() }
        }
        Err(denial) => format!("{denial:?}"),
    }
}

/// One life, among new customers.
async fn live(bank: &mut Bank, answers: &mut Answers, steps: &[Step]) -> Result<(), TestCaseError> {
    let mut life = Life {
        bank,
        answers,
        model: PureBank::default(),
        callers: Vec::new(),
        requests: Vec::new(),
        postings: HashMap::new(),
        entry_ids: HashSet::new(),
    };
    for customer in 0..CUSTOMERS {
        life.callers.push(life.bank.customer().await);
        life.model.begin_session(customer);
    }
    for (number, step) in (1..).zip(steps) {
        life.take(*step)
            .await
            .map_err(|error| TestCaseError::fail(format!("step {number} {step:?}: {error}")))?;
    }
    let books = Books::read(&life.bank.pool, &life.callers).await;
    prop_assert_eq!(books, Books::expected(&life.model, &life.callers));
    Ok(())
}

/// A movement of money as it was asked for.
#[derive(Debug, Clone)]
struct Sent {
    customer: usize,
    key: IdempotencyKey,
    movement: Movement,
}

struct Life<'a> {
    bank: &'a mut Bank,
    answers: &'a mut Answers,
    model: PureBank,
    /// In the order of the model's customers, in the last session that each has begun.
    callers: Vec<Caller>,
    requests: Vec<Sent>,
    /// What was first answered to a customer under a key: numbers and times have to stay.
    postings: HashMap<(usize, String), Posting>,
    entry_ids: HashSet<EntryId>,
}

impl Life<'_> {
    async fn take(&mut self, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::OpenAccount { customer, currency } => self.open_account(customer, currency).await,
            Step::Move { customer, key, request } => {
                let key = self.key(key);
                let movement = request.movement(&self.model, customer);
                self.move_money(Sent { customer, key, movement }).await
            }
            Step::Repeat { requests_ago } => match self.sent(requests_ago).cloned() {
                Some(sent) => self.move_money(sent).await,
                None => Ok(()),
            },
            Step::ReadAccount { customer, account } => {
                self.read_account(customer, account.id(&self.model, customer)).await
            }
            Step::ListAccounts { customer } => self.list_accounts(customer).await,
            Step::EndSession { customer } => {
                self.end_session(customer).await;
                Ok(())
            }
            Step::BeginSession { customer } => {
                self.begin_session(customer).await;
                Ok(())
            }
        }
    }

    async fn open_account(
        &mut self,
        customer: usize,
        currency: Currency,
    ) -> Result<(), TestCaseError> {
        let opened = self.bank.store.open_account(&self.callers[customer], currency).await;
        let opened = answer(opened)?.map(|account| self.shown(&account));
        let id = opened.map_or(NO_ACCOUNT, |account| account.id);
        same(opened, self.model.open_account(customer, currency, id))
    }

    async fn read_account(&self, customer: usize, id: AccountId) -> Result<(), TestCaseError> {
        let read = self.bank.store.get_account(&self.callers[customer], id).await;
        let read = answer(read)?.map(|account| self.shown(&account));
        same(read, self.model.get_account(customer, id))
    }

    async fn list_accounts(&self, customer: usize) -> Result<(), TestCaseError> {
        let listed = self.bank.store.list_accounts(&self.callers[customer], Page::default()).await;
        let listed = answer(listed)?
            .map(|accounts| accounts.iter().map(|account| self.shown(account)).collect());
        same(listed, self.model.list_accounts(customer))
    }

    async fn move_money(&mut self, sent: Sent) -> Result<(), TestCaseError> {
        self.requests.push(sent.clone());
        let Sent { customer, key, movement } = sent;
        let moved = self.bank.store.move_money(&self.callers[customer], &key, movement).await;
        let moved = answer(moved)?;
        let expected = self.model.move_money(customer, key.as_str(), movement);
        *self.answers.entry(name(&expected)).or_default() += 1;
        same(moved.clone().map(|keyed| keyed.map(|posting| self.posted(&posting))), expected)?;

        if let Ok(Keyed { outcome: Ok(posting), is_replay }) = moved {
            same(self.entry_ids.insert(posting.entry.id), !is_replay)?;
            let first = self.postings.entry((customer, key.as_str().to_owned()));
            same(&posting, first.or_insert_with(|| posting.clone()))?;
        }
        Ok(())
    }

    async fn end_session(&mut self, customer: usize) {
        let caller = &self.callers[customer];
        let ended = self.bank.store.end_session(caller, caller.session_id).await;
        assert!(matches!(ended, Ok(()) | Err(StoreError::SessionEnded)), "{ended:?}");
        self.model.end_session(customer);
    }

    async fn begin_session(&mut self, customer: usize) {
        let username = self.callers[customer].username.clone();
        let proof = self.bank.store.find_proof(&attempt(&username)).await.unwrap();
        self.callers[customer] = self.bank.log_in(&proof.credentials.unwrap().user).await.0;
        self.model.begin_session(customer);
    }

    fn key(&self, chosen: Key) -> IdempotencyKey {
        let earlier = match chosen {
            Key::New => None,
            Key::OfRequest { requests_ago } => self.sent(requests_ago),
        };
        earlier.map_or_else(key, |sent| sent.key.clone())
    }

    fn sent(&self, requests_ago: usize) -> Option<&Sent> {
        let last = self.requests.len().checked_sub(1)?;
        self.requests.get(last.saturating_sub(requests_ago))
    }

    fn shown(&self, account: &Account) -> Shown {
        let is_owner = |caller: &Caller| caller.username == account.owner;
        Shown {
            id: account.id,
            owner: self.callers.iter().position(is_owner).unwrap(),
            currency: account.currency,
            balance: account.balance,
        }
    }

    fn posted(&self, posting: &Posting) -> Posted {
        let entry = &posting.entry;
        Posted {
            account: self.shown(&posting.account),
            entry: PureEntry {
                account: entry.account_id,
                kind: entry.kind.name(),
                amount: entry.amount,
                balance_after: entry.balance_after,
            },
        }
    }
}

fn answer<T>(result: Result<T, StoreError>) -> Result<Answer<T>, TestCaseError> {
    match result {
        Ok(answer) => Ok(Ok(answer)),
        Err(error) => Denial::of(&error)
            .map(Err)
            .ok_or_else(|| TestCaseError::fail(format!("the store failed: {error:?}"))),
    }
}

fn same<T: PartialEq + Debug>(stores: T, models: T) -> Result<(), TestCaseError> {
    prop_assert_eq!(stores, models, "the store's answer is not the model's");
    Ok(())
}
