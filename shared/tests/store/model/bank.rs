//! The bank without a database: what the store has to answer, one request after another.
//!
//! It keeps requests and entries, and works everything else out from them. Numbers of accounts are
//! the database's to give; the model is told.

use std::collections::HashMap;

use shared::{
    domain::{AccountId, Amount, Balance, Currency, Keyed, Movement, Refusal},
    store::{StoreError, Unique},
};

/// An answer of the store, in the model's words.
pub(super) type Answer<T> = Result<T, Denial>;

/// Why there is no answer, to somebody who is alone at the bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Denial {
    SessionEnded,
    NotFound,
    AccountTaken,
    KeyReused,
}

impl Denial {
    /// `None` for an error that must not happen here.
    pub(super) fn of(error: &StoreError) -> Option<Self> {
        match error {
            StoreError::SessionEnded => Some(Self::SessionEnded),
            StoreError::NotFound => Some(Self::NotFound),
            StoreError::Taken(Unique::AccountCurrency) => Some(Self::AccountTaken),
            StoreError::KeyReused => Some(Self::KeyReused),
            StoreError::Taken(Unique::Username | Unique::Email)
            | StoreError::RequestInFlight
            | StoreError::Unavailable(_)
            | StoreError::OutcomeUnknown(_)
            | StoreError::Defect(_)
            | StoreError::Inconsistent { .. }
            // No movement and no look at an account has these.
            | StoreError::EmailNotVerified
            | StoreError::CodeSpent
            | StoreError::TooManyMails(_)
            | StoreError::PermissionDenied
            | StoreError::Locked(_)
            | StoreError::ProofOutdated
            | StoreError::TokenReused(_) => None,
        }
    }
}

/// An account as an answer shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) id: AccountId,
    pub(super) owner: usize,
    pub(super) currency: Currency,
    pub(super) balance: Balance,
}

/// What was done, as the answer shows it: the account, and the entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Posted {
    pub(super) account: Shown,
    pub(super) entry: PureEntry,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PureEntry {
    pub(super) account: AccountId,
    pub(super) kind: &'static str,
    pub(super) amount: i64,
    pub(super) balance_after: Balance,
}

#[derive(Debug)]
pub(super) struct PureAccount {
    pub(super) id: AccountId,
    pub(super) owner: usize,
    pub(super) currency: Currency,
    /// Each with the key that it was made under.
    pub(super) entries: Vec<(String, PureEntry)>,
}

impl PureAccount {
    pub(super) fn balance(&self) -> Balance {
        self.entries.last().map_or(Balance::new(0).unwrap(), |(_, entry)| entry.balance_after)
    }

    fn shown(&self) -> Shown {
        let &Self { id, owner, currency, .. } = self;
        Shown { id, owner, currency, balance: self.balance() }
    }

    /// The balance after such a change; `None` if it would be no balance.
    fn balance_after(&self, change: i64) -> Option<Balance> {
        Balance::new(self.balance().minor_units() + change)
    }

    fn post(&mut self, key: &str, kind: &'static str, amount: i64) -> PureEntry {
        let balance_after = self.balance_after(amount).unwrap();
        let entry = PureEntry { account: self.id, kind, amount, balance_after };
        self.entries.push((key.to_owned(), entry));
        entry
    }
}

/// What a key stands for.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) customer: usize,
    pub(super) key: String,
    pub(super) movement: Movement,
    pub(super) outcome: Result<Posted, Refusal>,
}

#[derive(Debug, Default)]
pub(super) struct PureBank {
    /// In the order in which they were opened.
    pub(super) accounts: Vec<PureAccount>,
    /// In the order in which they were first answered.
    pub(super) known: Vec<Known>,
    has_session: HashMap<usize, bool>,
}

impl PureBank {
    pub(super) fn begin_session(&mut self, customer: usize) {
        self.has_session.insert(customer, true);
    }

    pub(super) fn end_session(&mut self, customer: usize) {
        self.has_session.insert(customer, false);
    }

    pub(super) fn account(&self, id: AccountId) -> Option<&PureAccount> {
        self.accounts.iter().find(|account| account.id == id)
    }

    /// Opens an account, which gets that number if it is opened at all.
    pub(super) fn open_account(
        &mut self,
        customer: usize,
        currency: Currency,
        id: AccountId,
    ) -> Answer<Shown> {
        self.admit(customer)?;
        if self.list(customer).any(|account| account.currency == currency) {
            return Err(Denial::AccountTaken);
        }
        let account = PureAccount { id, owner: customer, currency, entries: Vec::new() };
        let shown = account.shown();
        self.accounts.push(account);
        Ok(shown)
    }

    pub(super) fn get_account(&self, customer: usize, id: AccountId) -> Answer<Shown> {
        self.admit(customer)?;
        self.list(customer).find(|account| account.id == id).ok_or(Denial::NotFound)
    }

    pub(super) fn list_accounts(&self, customer: usize) -> Answer<Vec<Shown>> {
        self.admit(customer)?;
        Ok(self.list(customer).collect())
    }

    pub(super) fn move_money(
        &mut self,
        customer: usize,
        key: &str,
        movement: Movement,
    ) -> Answer<Keyed<Posted>> {
        self.admit(customer)?;
        if let Some(known) =
            self.known.iter().find(|known| known.customer == customer && known.key == key)
        {
            return if known.movement == movement {
                Ok(Keyed { outcome: known.outcome, is_replay: true })
            } else {
                Err(Denial::KeyReused)
            };
        }
        let own = match movement {
            Movement::Deposit { account, .. } | Movement::Withdrawal { account, .. } => account,
            Movement::Transfer(new) => new.from,
        };
        self.get_account(customer, own)?;

        let outcome = match self.refusal(movement) {
            Some(refusal) => Err(refusal),
            None => Ok(self.post(key, movement)),
        };
        self.known.push(Known { customer, key: key.to_owned(), movement, outcome });
        Ok(Keyed { outcome, is_replay: false })
    }

    fn admit(&self, customer: usize) -> Answer<()> {
        if self.has_session.get(&customer) == Some(&true) {
            Ok(())
        } else {
            Err(Denial::SessionEnded)
        }
    }

    fn list(&self, customer: usize) -> impl Iterator<Item = Shown> {
        self.accounts
            .iter()
            .filter(move |account| account.owner == customer)
            .map(PureAccount::shown)
    }

    /// The first reason there is against a movement whose own side is the customer's.
    fn refusal(&self, movement: Movement) -> Option<Refusal> {
        match movement {
            Movement::Deposit { account, amount } => self.cannot_take(account, amount),
            Movement::Withdrawal { account, amount } => self.cannot_pay(account, amount),
            Movement::Transfer(new) => {
                let currency = |id| self.account(id).map(|account| account.currency);
                if currency(new.from) != Some(new.currency) {
                    Some(Refusal::CurrencyMismatch)
                } else if new.from == new.to {
                    Some(Refusal::SameAccount)
                } else if currency(new.to) != Some(new.currency) {
                    Some(Refusal::RecipientUnavailable)
                } else {
                    self.cannot_pay(new.from, new.amount)
                        .or_else(|| self.cannot_take(new.to, new.amount))
                }
            }
        }
    }

    fn cannot_pay(&self, id: AccountId, amount: Amount) -> Option<Refusal> {
        let after = self.account(id)?.balance_after(-amount.minor_units());
        after.is_none().then_some(Refusal::InsufficientFunds)
    }

    fn cannot_take(&self, id: AccountId, amount: Amount) -> Option<Refusal> {
        let after = self.account(id)?.balance_after(amount.minor_units());
        after.is_none().then_some(Refusal::BalanceLimit)
    }

    /// Moves the money, and shows the side of the one who asked.
    fn post(&mut self, key: &str, movement: Movement) -> Posted {
        match movement {
            Movement::Deposit { account, amount } => {
                self.change(account, key, "deposit", amount.minor_units())
            }
            Movement::Withdrawal { account, amount } => {
                self.change(account, key, "withdrawal", -amount.minor_units())
            }
            Movement::Transfer(new) => {
                let minor_units = new.amount.minor_units();
                self.change(new.to, key, "transfer", minor_units);
                self.change(new.from, key, "transfer", -minor_units)
            }
        }
    }

    fn change(&mut self, id: AccountId, key: &str, kind: &'static str, amount: i64) -> Posted {
        let account = self.accounts.iter_mut().find(|account| account.id == id).unwrap();
        let entry = account.post(key, kind, amount);
        Posted { account: account.shown(), entry }
    }
}
