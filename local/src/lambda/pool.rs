//! The processes of one function: which of them takes an invocation, and how many there may be.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use axum::body::Bytes;
use tokio::{sync::Semaphore, time::timeout};
use uuid::Uuid;

use super::{
    FunctionSpec, Invocation, InvokeError,
    process::{Ending, Process},
    report::Report,
    runtime_api::{RuntimeApi, Work},
};
use crate::{clock, template::function_arn};

/// The processes of one function.
pub(crate) struct Pool {
    spec: FunctionSpec,
    runtime_api: RuntimeApi,
    /// A place for each process that may be busy. As an idle process is always preferred to a new
    /// one, there are never more processes than places.
    places: Arc<Semaphore>,
    /// The most recently used one last.
    idle: Mutex<Vec<Process>>,
}

impl Pool {
    pub(super) fn new(spec: FunctionSpec, runtime_api: RuntimeApi) -> Arc<Self> {
        let places = spec.max_processes.min(Semaphore::MAX_PERMITS);
        Arc::new(Self {
            spec,
            runtime_api,
            places: Arc::new(Semaphore::new(places)),
            idle: Mutex::default(),
        })
    }

    /// Waits in line for a process, gives it the invocation and waits for the answer.
    pub(super) async fn invoke(
        self: &Arc<Self>,
        invocation: Invocation,
        patience: Duration,
    ) -> Result<Bytes, InvokeError> {
        let asked = Instant::now();
        let place = timeout(patience, Arc::clone(&self.places).acquire_owned()).await;
        let Ok(Ok(place)) = place else { return Err(InvokeError::Throttled) };
        let pool = Arc::clone(self);
        // A task of its own: as in Lambda, an invocation is finished even if its caller leaves.
        let running = tokio::spawn(async move {
            let answer = pool.run(invocation).await;
            drop(place);
            answer
        });
        match timeout(patience.saturating_sub(asked.elapsed()), running).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) | Err(_) => Err(InvokeError::CallerTimeout),
        }
    }

    /// Ends the processes that have been idle for `idle`, and forgets those that have died.
    pub(super) fn reap(&self, now: Instant, idle: Duration) {
        self.idle().retain_mut(|process| {
            process.is_alive() && now.saturating_duration_since(process.idle_since) < idle
        });
    }

    async fn run(&self, invocation: Invocation) -> Result<Bytes, InvokeError> {
        let request_id = Uuid::new_v4().to_string();
        loop {
            let mut report = Report::new(&self.spec.name, &request_id);
            let idle = self.take_idle();
            let was_idle = idle.is_some();
            let mut process = match idle {
                Some(process) => process,
                None => match Process::start(&self.spec, &self.runtime_api).await {
                    Ok(process) => {
                        report.initialised(process.init);
                        process
                    }
                    Err(error) => return report.print(None, Err(error)),
                },
            };

            let work = self.work(&request_id, &invocation);
            let ending = process.invoke(work, self.spec.timeout).await;
            let memory = process.peak_memory_kib();
            return match ending {
                // Somebody killed it while it had nothing to do: this invocation never ran.
                Ending::NotTaken(_) if was_idle => continue,
                Ending::NotTaken(error) | Ending::Dead(error) => report.print(memory, Err(error)),
                Ending::Alive(answer) => {
                    process.idle_since = Instant::now();
                    self.idle().push(process);
                    report.print(memory, answer)
                }
            };
        }
    }

    fn work(&self, request_id: &str, invocation: &Invocation) -> Work {
        let timeout_ms = i64::try_from(self.spec.timeout.as_millis()).unwrap_or(i64::MAX);
        Work {
            request_id: request_id.to_owned(),
            deadline_ms: clock::now_ms().saturating_add(timeout_ms),
            function_arn: function_arn(&self.spec.name),
            trace_id: invocation.trace_id.clone(),
            payload: invocation.payload.clone(),
        }
    }

    fn take_idle(&self) -> Option<Process> {
        let mut idle = self.idle();
        while let Some(mut process) = idle.pop() {
            if process.is_alive() {
                return Some(process);
            }
        }
        None
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Process>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[tokio::test]
    async fn patience_ends_while_every_place_is_taken() {
        let spec = FunctionSpec {
            name: "pay".to_owned(),
            binary: "pay".into(),
            environment: BTreeMap::new(),
            lambda_environment: BTreeMap::new(),
            timeout: Duration::from_secs(1),
            max_processes: 0,
        };
        let pool = Pool::new(spec, RuntimeApi::start().await.unwrap());
        let invocation = Invocation { payload: Bytes::new(), trace_id: String::new() };
        let answer = pool.invoke(invocation, Duration::from_millis(1)).await;
        assert!(matches!(answer, Err(InvokeError::Throttled)));
    }
}
