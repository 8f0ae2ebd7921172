//! The bank, shared by every function.
//!
//! Data moves one way: a function turns an event into a validated request ([`http`]), one use case
//! ([`bank`]) does one thing in one transaction ([`store`]), a response leaves. What is to happen later
//! is a task ([`tasks`]). [`domain`] holds the words and their rules and knows none of the others.

pub mod domain;

pub mod bank;

pub mod auth;
pub mod store;
pub mod tasks;

pub mod http;

pub mod app;
pub mod aws;
pub mod clock;
pub mod config;
pub mod guard;
pub mod secrets;
pub mod telemetry;

#[cfg(feature = "testing")]
pub mod testing;

/// Memory of every function. The runtime sets a variable of the environment on each invocation, which C's
/// library never frees: among our own memory, by C's allocator, each would spoil a gap of some kilobytes.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
