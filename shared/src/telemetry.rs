//! One subscriber for every function: one line of JSON an event on Lambda, plain text elsewhere.

use std::error::Error;

use tracing_subscriber::{EnvFilter, fmt};

use crate::config::LogConfig;

/// Starts logging to standard output. Call it once, first thing in `main`.
///
/// What may be logged: route, status, code, duration, ids. Never a body, a header, a query string,
/// a token, a code, a password or an e-mail.
pub fn init() {
    let config = LogConfig::from_env();
    let filter = EnvFilter::try_new(&config.level).unwrap_or_else(|_| EnvFilter::new("info"));
    let subscriber = fmt().with_env_filter(filter).with_target(false).with_ansi(false);
    let started = if config.json {
        // Lambda takes the level from a line only if there is a time stamp beside it.
        subscriber.json().flatten_event(true).with_current_span(false).try_init()
    } else {
        subscriber.without_time().try_init()
    };
    if let Err(error) = started {
        tracing::debug!(%error, "a subscriber is already at work");
    }
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
