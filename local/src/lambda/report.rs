//! The line that Lambda logs after each invocation.

use std::{
    fs,
    time::{Duration, Instant},
};

use axum::body::Bytes;

use super::InvokeError;
use crate::console;

/// What is known about an invocation while it runs.
pub(super) struct Report<'a> {
    function: &'a str,
    request_id: &'a str,
    started: Instant,
    init: Option<Duration>,
}

impl<'a> Report<'a> {
    /// Begins to count the time.
    pub(super) fn new(function: &'a str, request_id: &'a str) -> Self {
        Self { function, request_id, started: Instant::now(), init: None }
    }

    /// A process was started for it; only now the invocation itself begins.
    pub(super) fn initialised(&mut self, init: Duration) {
        self.init = Some(init);
        self.started = Instant::now();
    }

    /// Prints the line, with the reason if there is no answer, and hands the answer on.
    pub(super) fn print(
        &self,
        memory_kib: Option<u64>,
        answer: Result<Bytes, InvokeError>,
    ) -> Result<Bytes, InvokeError> {
        if let Err(error) = &answer {
            console::log(&format!("[{}] {error}", self.function));
        }
        console::log(&self.line(self.started.elapsed(), memory_kib, &answer));
        answer
    }

    fn line(
        &self,
        took: Duration,
        memory_kib: Option<u64>,
        answer: &Result<Bytes, InvokeError>,
    ) -> String {
        let Self { function, request_id, .. } = self;
        let duration = milliseconds(took);
        let init = self.init.map(|init| format!("Init Duration: {} ms ", milliseconds(init)));
        let memory = memory_kib.map(|kib| format!("Max Memory Used: {} MB ", kib / 1024));
        let status = match answer {
            Ok(_) => "ok",
            Err(InvokeError::FunctionTimeout(_)) => "timeout",
            Err(_) => "error",
        };
        format!(
            "REPORT RequestId: {request_id} Function: {function} Duration: {duration} ms {}{}Status: {status}",
            init.unwrap_or_default(),
            memory.unwrap_or_default(),
        )
    }
}

/// Milliseconds with two decimal places.
fn milliseconds(duration: Duration) -> String {
    let hundredths = duration.as_micros() / 10;
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// The most memory that a process has had so far. Linux only.
pub(super) fn peak_memory_kib(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::super::FunctionError;
    use super::*;

    #[test]
    fn the_line_tells_start_memory_and_status() {
        let mut report = Report::new("pay", "r1");
        let took = Duration::from_micros(3204);
        assert_eq!(
            report.line(took, None, &Ok(Bytes::new())),
            "REPORT RequestId: r1 Function: pay Duration: 3.20 ms Status: ok"
        );
        report.initialised(Duration::from_millis(12));
        let error = FunctionError { error_type: String::new(), error_message: String::new() };
        assert_eq!(
            report.line(took, Some(12_300), &Err(InvokeError::FunctionTimeout(error))),
            "REPORT RequestId: r1 Function: pay Duration: 3.20 ms Init Duration: 12.00 ms \
             Max Memory Used: 12 MB Status: timeout"
        );
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_running_process_has_a_peak() {
        assert!(peak_memory_kib(std::process::id()) > Some(0));
    }
}
