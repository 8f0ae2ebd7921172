//! What the routes promise.

use serde_json::{Value, json};
use shared::{
    bank::BankError,
    domain::{AccountId, Amount, Currency, Limit, Refusal, TransferId},
    http::{
        contract::{Cursor, Operation, optional, required},
        wire::TransferBody,
    },
};

use crate::{create::TransferredBody, list::TransfersBody};

/// The routes, for the published document.
#[must_use]
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::new("POST /transfers", "transfers", "createTransfer", "Moves money to another account")
            .describe(
                "From one of one's own accounts, if its owner's address is verified, to any of the same \
                 currency. Nothing of the recipient is told.",
            )
            .with_token()
            .with_key()
            .body(
                "TransferRequest",
                [
                    required::<AccountId>("from_account_id"),
                    required::<AccountId>("to_account_id").such_as(ANOTHER),
                    required::<Amount>("amount"),
                    required::<Currency>("currency"),
                ],
            )
            .created::<TransferredBody>("The transfer and the sender's side of it.")
            .such_as(json!({ "transfer": to_another() }))
            .refuses([
                BankError::EmailNotVerified,
                BankError::NotFound,
                refused(Refusal::InsufficientFunds),
                refused(Refusal::RecipientUnavailable),
                refused(Refusal::CurrencyMismatch),
                refused(Refusal::SameAccount),
                refused(Refusal::BalanceLimit),
            ]),
        Operation::new("GET /transfers", "transfers", "listTransfers", "Lists what one sent and received")
            .with_token()
            .query([
                optional::<AccountId>("account_id"),
                optional::<Limit>("limit"),
                optional::<Cursor>("cursor"),
            ])
            .ok::<TransfersBody>("Transfers, newest first.")
            .such_as(json!({ "transfers": [to_another()], "next_cursor": null }))
            .refuses([BankError::NotFound]),
        Operation::new("GET /transfers/{id}", "transfers", "getTransfer", "Reads a transfer")
            .with_token()
            .path::<TransferId>("id")
            .query([])
            .ok::<TransferBody>("The transfer.")
            .such_as(to_another()),
    ]
}

/// In the examples an account's number is 42, and this is another one.
const ANOTHER: i64 = 43;

fn to_another() -> Value {
    json!({ "to_account_id": ANOTHER })
}

fn refused(refusal: Refusal) -> BankError {
    BankError::Refused { refusal, is_replay: false }
}
