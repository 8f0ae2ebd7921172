//! One subscriber for every function: one line of JSON an event on Lambda, plain text elsewhere. What is
//! counted stands in [`metrics`].

pub mod metrics;
mod spent;

use std::error::Error;

use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    fmt,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::config::LogConfig;

pub(crate) use spent::Stopwatch;
pub use spent::{Spent, measured};

/// Starts logging and counting, to standard output. Call it once, first thing in `main`.
///
/// What may be logged: route, status, code, duration, ids. Never a body, a header, a query string,
/// a token, a code, a password or an e-mail.
pub fn init() {
    let config = LogConfig::from_env();
    let level = config.level.parse().unwrap_or(LevelFilter::INFO);
    // The bank knows what it may say at any level; Lambda's runtime would print whole events.
    let filter =
        Targets::new().with_default(level.min(LevelFilter::INFO)).with_target("shared", level);
    let layer = fmt::layer().with_target(false).with_ansi(false);
    let started = if config.json {
        // Lambda takes the level from a line only if there is a time stamp beside it.
        let layer = layer.json().flatten_event(true).with_current_span(false);
        tracing_subscriber::registry().with(layer).with(filter).try_init()
    } else {
        tracing_subscriber::registry().with(layer.without_time()).with(filter).try_init()
    };
    if let Err(error) = started {
        tracing::debug!(%error, "a subscriber is already at work");
    }
    metrics::init();
}

/// An error and all its causes on one line.
#[must_use]
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
