//! What is counted and measured, for `CloudWatch`: lines in its embedded metric format, which the log of a
//! function carries. On Lambda only; elsewhere nobody reads them, and the counters cost nothing.
//!
//! Each has the dimension `Stage` besides those below. None has one that a client can choose: the number
//! of metrics, and what they cost, stays the same.
//!
//! | metric | dimensions | is |
//! |---|---|---|
//! | `Requests` | `Route`, `Status` | answered requests and calls |
//! | `Duration` | `Route` | ms from the event to the answer |
//! | `DatabaseTime` | `Route` | ms of these in which the database was waited for |
//! | `Refusals` | `Code` | requests that were refused, by the code of their problem |
//! | `Movements` | `Kind`, `Currency` | deposits, withdrawals and transfers; no replays |
//! | `Amount` | `Kind`, `Currency` | what they moved, in minor units |
//! | `LoginFailures` | | wrong passwords |
//! | `ColdStarts` | `Function` | processes that began |
//! | `Breaches` | | rules of the books that are broken, each time somebody looks |

use std::{
    io::{self, Write},
    sync::OnceLock,
    time::Duration,
};

use ::metrics::{Unit, counter, describe_counter, describe_histogram, gauge, histogram};
use metrics_cloudwatch_embedded::{Builder, Collector};

use super::Spent;
use crate::{
    config::MetricsConfig,
    domain::{Account, Movement},
};

const NAMESPACE: &str = "SimpleBank";

static COLLECTOR: OnceLock<&'static Collector> = OnceLock::new();

/// Begins to collect, if this is Lambda.
pub(super) fn init() {
    let Some(MetricsConfig { stage, function }) = MetricsConfig::from_env() else { return };
    let collector = Builder::new().cloudwatch_namespace(NAMESPACE).with_dimension("Stage", stage);
    match collector.init() {
        Ok(collector) => drop(COLLECTOR.set(collector)),
        Err(error) => tracing::warn!(%error, "nothing is counted"),
    }
    for name in ["Requests", "Refusals", "Movements", "LoginFailures", "ColdStarts"] {
        describe_counter!(name, Unit::Count, "");
    }
    for name in ["Duration", "DatabaseTime"] {
        describe_histogram!(name, Unit::Milliseconds, "");
    }
    counter!("ColdStarts", "Function" => function).increment(1);
}

/// Writes down what was counted since the last time, one line for each set of dimensions. Call it before
/// the answer leaves: afterwards the process may be frozen.
pub fn flush() {
    let Some(collector) = COLLECTOR.get() else { return };
    let mut lines = Vec::new();
    let written = collector.flush(&mut lines).and_then(|()| io::stdout().lock().write_all(&lines));
    if let Err(error) = written {
        tracing::warn!(%error, "metrics were lost");
    }
}

/// Counts an answer: `status` is HTTP's or gRPC's, `code` the problem's, if it is a refusal.
pub fn answered(route: &str, status: &str, code: Option<&'static str>, spent: Spent) {
    counter!("Requests", "Route" => route.to_owned(), "Status" => status.to_owned()).increment(1);
    histogram!("Duration", "Route" => route.to_owned()).record(millis(spent.in_all));
    histogram!("DatabaseTime", "Route" => route.to_owned()).record(millis(spent.in_database));
    if let Some(code) = code {
        counter!("Refusals", "Code" => code).increment(1);
    }
}

/// Counts money that has moved, from or to this account.
pub fn moved(movement: &Movement, account: &Account) {
    let (kind, currency) = (movement.kind(), account.currency.code());
    let amount = movement.amount().minor_units().unsigned_abs();
    counter!("Movements", "Kind" => kind, "Currency" => currency).increment(1);
    counter!("Amount", "Kind" => kind, "Currency" => currency).increment(amount);
}

/// Counts a wrong password.
pub fn login_failed() {
    counter!("LoginFailures").increment(1);
}

/// Says how many rules of the books are broken; none is said as well, so that silence is noticed.
pub fn breaches(count: usize) {
    gauge!("Breaches").set(u32::try_from(count).unwrap_or(u32::MAX));
}

#[expect(clippy::disallowed_types, reason = "a time that was measured, and no money")]
fn millis(duration: Duration) -> f64 {
    duration.div_duration_f64(Duration::from_millis(1))
}
