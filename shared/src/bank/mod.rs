//! The use cases: one file for each thing that the bank does.
//!
//! A use case takes valid values and whatever it works with as arguments, and asks the store once
//! for each thing that must happen together. It knows nothing of HTTP, Lambda or SQL.

mod error;
mod violations;

mod access_tokens;
mod log_in;
mod prove;
mod renew_session;
mod sessions;
mod sign_up;
mod update_user;

mod publish;
mod send_verification;
mod verify_email;

mod deposit;
mod move_money;
mod open_account;
mod read_accounts;
mod read_history;
mod transfer;
mod withdraw;

pub use access_tokens::{AccessToken, AccessTokens};
pub use deposit::deposit;
pub use error::{BankError, Cause};
pub use log_in::{LogIn, LogInTools, LoggedIn, log_in};
pub use open_account::open_account;
pub use prove::Prover;
pub use publish::{Relayed, relay_outbox};
pub use read_accounts::{get_account, list_accounts};
pub use read_history::{get_transfer, list_entries, list_transfers};
pub use renew_session::{RenewalTools, RenewedSession, renew_session};
pub use send_verification::{Mailing, MailingTools, send_verification};
pub use sessions::{end_session, list_sessions, log_out};
pub use sign_up::{SignUp, sign_up};
pub use transfer::transfer;
pub use update_user::{UserUpdate, get_user, update_user};
pub use verify_email::{resend_verification, verify_email};
pub use violations::Violations;
pub use withdraw::withdraw;
