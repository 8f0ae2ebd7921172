//! The only module that knows Lambda's HTTP.
//!
//! An event becomes a [`Request`]; a handler reads the [`Caller`](crate::domain::Caller), the path,
//! the query and the body from it, and answers with a [`Reply`] or an error; [`serve`] turns either
//! into a response and logs one line. What speaks protocols of its own over HTTP takes whole requests, by
//! [`serve_whole`].

mod body;
mod caller;
pub mod contract;
mod fields;
mod page;
mod path;
mod problem;
mod query;
mod reply;
mod request;
mod serve;
mod slice;
mod whole;
pub mod wire;

pub use lambda_http::Error;

pub use body::MAX_BODY_BYTES;
pub use caller::idempotency_key;
pub use fields::Fields;
pub use page::Page;
pub use problem::Problem;
pub use reply::{Failure, Reply};
pub use request::Request;
pub use serve::{answer, serve};
pub use whole::{Origin, answer_whole, serve_whole, stamp};
