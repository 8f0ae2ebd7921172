//! What the routes promise.

use serde_json::{Value, json};
use shared::{
    bank::BankError,
    domain::{AccountId, Amount, Currency, Limit, Refusal},
    http::{
        contract::{Cursor, Operation, PageNumber, PageSize, optional, required},
        wire::AccountBody,
    },
    store::Unique,
};

use crate::{entries::EntriesBody, post::PostingBody};

/// The routes, for the published document.
#[must_use]
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::new(
            "POST /accounts",
            "accounts",
            "openAccount",
            "Opens an account with balance 0",
        )
        .describe("One an owner and currency.")
        .with_token()
        .body("OpenAccountRequest", [required::<Currency>("currency")])
        .created::<AccountBody>("The account.")
        .such_as(json!({ "balance": 0 }))
        .refuses([BankError::Taken(Unique::AccountCurrency)]),
        Operation::new("GET /accounts", "accounts", "listAccounts", "Lists one's own accounts")
            .describe(
                "All of them, since there are three at most; `page_id` and `page_size` are the \
                       original's and exclude `limit`.",
            )
            .with_token()
            .query([
                optional::<Limit>("limit"),
                optional::<PageNumber>("page_id"),
                optional::<PageSize>("page_size"),
            ])
            .ok_list::<AccountBody>("The accounts in order of their numbers."),
        Operation::new("GET /accounts/{id}", "accounts", "getAccount", "Reads an account")
            .with_token()
            .path::<AccountId>("id")
            .query([])
            .ok::<AccountBody>("The account."),
        Operation::new(
            "GET /accounts/{id}/entries",
            "accounts",
            "listEntries",
            "Lists what changed the balance",
        )
        .with_token()
        .path::<AccountId>("id")
        .query([optional::<Limit>("limit"), optional::<Cursor>("cursor")])
        .ok::<EntriesBody>("Entries, newest first.")
        .such_as(json!({ "entries": [{}, paid_in()], "next_cursor": null })),
        Operation::new("POST /accounts/{id}/deposits", "accounts", "deposit", "Money comes in")
            .with_token()
            .with_key()
            .path::<AccountId>("id")
            .body("DepositRequest", [required::<Amount>("amount").such_as(10_000)])
            .created::<PostingBody>("The account as it is now, and the entry that made it so.")
            .such_as(json!({ "account": { "balance": 10_000 }, "entry": paid_in() }))
            .refuses([refused(Refusal::BalanceLimit)]),
        Operation::new("POST /accounts/{id}/withdrawals", "accounts", "withdraw", "Money goes out")
            .describe("If the owner's address is verified.")
            .with_token()
            .with_key()
            .path::<AccountId>("id")
            .body("WithdrawalRequest", [required::<Amount>("amount")])
            .created::<PostingBody>("The account as it is now, and the entry that made it so.")
            .such_as(json!({
                "account": { "balance": 5_000 },
                "entry": {
                    "id": 1004, "amount": -2_500, "balance_after": 5_000, "kind": "withdrawal", "transfer_id": null,
                },
            }))
            .refuses([BankError::EmailNotVerified, refused(Refusal::InsufficientFunds)]),
    ]
}

/// In the examples a deposit is the account's first entry, and a transfer brings the next.
fn paid_in() -> Value {
    json!({
        "id": 1001, "amount": 10_000, "balance_after": 10_000, "kind": "deposit", "transfer_id": null,
    })
}

fn refused(refusal: Refusal) -> BankError {
    BankError::Refused { refusal, is_replay: false }
}
