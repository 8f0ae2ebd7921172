//! The one place that asks what time it is.

use std::time::{SystemTime, UNIX_EPOCH};

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Milliseconds since 1970.
#[expect(clippy::disallowed_methods, reason = "this tool's own clock; the bank's is elsewhere")]
pub(crate) fn now_ms() -> i64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX)
}

/// The moment as access logs write it: `22/Nov/2026:17:12:40 +0000`.
pub(crate) fn common_log_format(at_ms: i64) -> String {
    let Ok(at) = OffsetDateTime::from_unix_timestamp(at_ms / 1000) else { return String::new() };
    let month = at.month().to_string();
    let month = month.get(..3).unwrap_or_default();
    let (year, day) = (at.year(), at.day());
    format!("{day:02}/{month}/{year}:{:02}:{:02}:{:02} +0000", at.hour(), at.minute(), at.second())
}

/// The moment as RFC 3339 has it, to the second: `2026-11-22T17:12:40Z`.
pub(crate) fn rfc3339(at_ms: i64) -> String {
    let at = OffsetDateTime::from_unix_timestamp(at_ms / 1000).ok();
    at.and_then(|at| at.format(&Rfc3339).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_as_in_access_logs() {
        assert_eq!(common_log_format(1_700_000_000_999), "14/Nov/2023:22:13:20 +0000");
        assert_eq!(rfc3339(1_700_000_000_999), "2023-11-14T22:13:20Z");
    }
}
