//! What may happen at a bank, as data.
//!
//! Nothing has a number of its own here, only a place. Accounts are counted round and round, and
//! before the first request is the first request. So a step means something whatever came before it,
//! most often the same, and a life that fails can lose steps on the way to a short one.

use std::ops::RangeInclusive;

use proptest::{collection::vec, option, prelude::*, sample::select};
use shared::domain::{AccountId, Amount, Currency, MAX_MINOR_UNITS, Movement, NewTransfer};

use super::bank::PureBank;

/// As many as it takes to have an own account, another's, and a third to confuse it with.
pub(super) const CUSTOMERS: usize = 3;

/// A number that no account gets.
pub(super) const NO_ACCOUNT: AccountId = AccountId(i64::MAX);

#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    OpenAccount {
        customer: usize,
        currency: Currency,
    },
    Move {
        customer: usize,
        key: Key,
        request: Request,
    },
    /// The same request once more, as a client does that got no answer.
    Repeat {
        requests_ago: usize,
    },
    ReadAccount {
        customer: usize,
        account: Which,
    },
    ListAccounts {
        customer: usize,
    },
    EndSession {
        customer: usize,
    },
    BeginSession {
        customer: usize,
    },
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Key {
    New,
    /// One that was sent before, by this customer or by another.
    OfRequest {
        requests_ago: usize,
    },
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Request {
    Deposit {
        account: Which,
        size: Size,
    },
    Withdrawal {
        account: Which,
        size: Size,
    },
    /// `named` is the currency that the client believes in; none stands for the right one.
    Transfer {
        from: Which,
        to: Which,
        size: Size,
        named: Option<Currency>,
    },
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Which {
    Own(usize),
    Anybodys(usize),
    Nobodys,
}

/// How much, in minor units. Where an account's own numbers are meant, next to them as well.
#[derive(Debug, Clone, Copy)]
pub(super) enum Size {
    Plain(i64),
    /// What the caller's side holds.
    AllThereIs {
        off_by: i64,
    },
    /// What the receiving side can still take; what the caller's can, if money leaves the bank.
    AllThatFits {
        off_by: i64,
    },
}

/// A life of a bank, of fifty steps on average. It begins with accounts, since there is little to
/// see without any.
pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    (vec(open_account(), 0..=12), vec(step(), 0..=88)).prop_map(|(mut steps, others)| {
        steps.extend(others);
        steps
    })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        24 => (customer(), key(), request())
            .prop_map(|(customer, key, request)| Step::Move { customer, key, request }),
        6 => requests_ago().prop_map(|requests_ago| Step::Repeat { requests_ago }),
        3 => open_account(),
        3 => (customer(), which(1, 1))
            .prop_map(|(customer, account)| Step::ReadAccount { customer, account }),
        1 => customer().prop_map(|customer| Step::ListAccounts { customer }),
        1 => customer().prop_map(|customer| Step::EndSession { customer }),
        4 => customer().prop_map(|customer| Step::BeginSession { customer }),
    ]
}

fn open_account() -> impl Strategy<Value = Step> {
    // Mostly in one currency, so that there is somebody to pay.
    let currency = prop_oneof![3 => Just(Currency::Usd), 1 => select(&Currency::ALL[..])];
    (customer(), currency).prop_map(|(customer, currency)| Step::OpenAccount { customer, currency })
}

fn request() -> impl Strategy<Value = Request> {
    let named = option::weighted(0.1, select(&Currency::ALL[..]));
    prop_oneof![
        4 => (which(18, 1), size()).prop_map(|(account, size)| Request::Deposit { account, size }),
        2 => (which(18, 1), size())
            .prop_map(|(account, size)| Request::Withdrawal { account, size }),
        5 => (which(18, 1), which(1, 12), size(), named)
            .prop_map(|(from, to, size, named)| Request::Transfer { from, to, size, named }),
    ]
}

fn customer() -> RangeInclusive<usize> {
    0..=CUSTOMERS - 1
}

fn requests_ago() -> RangeInclusive<usize> {
    0..=20
}

fn key() -> impl Strategy<Value = Key> {
    prop_oneof![
        6 => Just(Key::New),
        1 => requests_ago().prop_map(|requests_ago| Key::OfRequest { requests_ago }),
    ]
}

fn which(own: u32, anybodys: u32) -> impl Strategy<Value = Which> {
    let most_accounts = CUSTOMERS * Currency::ALL.len();
    prop_oneof![
        own => (0..Currency::ALL.len()).prop_map(Which::Own),
        anybodys => (0..most_accounts).prop_map(Which::Anybodys),
        1 => Just(Which::Nobodys),
    ]
}

fn size() -> impl Strategy<Value = Size> {
    prop_oneof![
        6 => (1..=1_000_i64).prop_map(Size::Plain),
        2 => (-1..=1_i64).prop_map(|off_by| Size::AllThereIs { off_by }),
        2 => (-1..=1_i64).prop_map(|off_by| Size::AllThatFits { off_by }),
    ]
}

impl Request {
    /// The request as the customer would send it to that bank.
    pub(super) fn movement(self, bank: &PureBank, customer: usize) -> Movement {
        match self {
            Self::Deposit { account, size } => {
                let account = account.id(bank, customer);
                Movement::Deposit { account, amount: size.amount(bank, account, account) }
            }
            Self::Withdrawal { account, size } => {
                let account = account.id(bank, customer);
                Movement::Withdrawal { account, amount: size.amount(bank, account, account) }
            }
            Self::Transfer { from, to, size, named } => {
                let (from, to) = (from.id(bank, customer), to.id(bank, customer));
                let currency = named
                    .or_else(|| bank.account(from).map(|account| account.currency))
                    .unwrap_or(Currency::Usd);
                let amount = size.amount(bank, from, to);
                Movement::Transfer(NewTransfer { from, to, amount, currency })
            }
        }
    }
}

impl Which {
    pub(super) fn id(self, bank: &PureBank, customer: usize) -> AccountId {
        let (place, accounts) = match self {
            Self::Own(place) => {
                (place, bank.accounts.iter().filter(|each| each.owner == customer).collect())
            }
            Self::Anybodys(place) => (place, bank.accounts.iter().collect()),
            Self::Nobodys => (0, Vec::new()),
        };
        accounts.get(place % accounts.len().max(1)).map_or(NO_ACCOUNT, |account| account.id)
    }
}

impl Size {
    /// The nearest amount that there is.
    fn amount(self, bank: &PureBank, own: AccountId, receiving: AccountId) -> Amount {
        let balance = |id| bank.account(id).map_or(0, |account| account.balance().minor_units());
        let minor_units = match self {
            Self::Plain(minor_units) => minor_units,
            Self::AllThereIs { off_by } => balance(own) + off_by,
            Self::AllThatFits { off_by } => MAX_MINOR_UNITS - balance(receiving) + off_by,
        };
        Amount::new(minor_units.clamp(1, MAX_MINOR_UNITS)).unwrap()
    }
}
