//! What a customer can want, and how it is sent.

use anyhow::Result;
use bytes::Bytes;
use clap::ValueEnum;
use http::{Method, Request, header};
use http_body_util::Full;

use crate::Load;

/// A request's body.
pub(crate) type Sent = Full<Bytes>;

/// What is asked for.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Wish {
    /// To log in.
    Login,
    /// To see one's account.
    Account,
    /// To see what moved it last.
    Entries,
    /// To pay somebody.
    Transfer,
    /// The same request, to a function that does nothing.
    Noop,
}

/// The next request of anybody.
pub(crate) fn request(load: &Load, random: &mut fastrand::Rng) -> Result<Request<Sent>> {
    let customer = load.customers.draw(random)?;
    let account = customer.account;
    let (method, path, body) = match load.wish {
        Wish::Login => (Method::POST, "/users/login".to_owned(), login(load, &customer.name)),
        Wish::Account => (Method::GET, format!("/accounts/{account}"), String::new()),
        Wish::Entries => (Method::GET, format!("/accounts/{account}/entries"), String::new()),
        Wish::Transfer => (Method::POST, "/transfers".to_owned(), transfer(load, account, random)),
        Wish::Noop => (Method::POST, "/noop".to_owned(), transfer(load, account, random)),
    };
    let request = Request::builder()
        .method(method)
        .uri(format!("{}{path}", load.url))
        .header(header::AUTHORIZATION, format!("Bearer {}", customer.token))
        .header(header::CONTENT_TYPE, "application/json")
        .header("idempotency-key", format!("bench-{:010}-{:016x}", load.seed, random.u64(..)))
        .body(Full::from(body))?;
    Ok(request)
}

fn login(load: &Load, name: &str) -> String {
    format!(r#"{{"username":"{name}","password":"{}"}}"#, load.password)
}

/// One cent to any other account.
fn transfer(load: &Load, from: u64, random: &mut fastrand::Rng) -> String {
    let to = (from + random.u64(0..load.accounts - 1)) % load.accounts + 1;
    format!(r#"{{"from_account_id":{from},"to_account_id":{to},"amount":1,"currency":"USD"}}"#)
}
