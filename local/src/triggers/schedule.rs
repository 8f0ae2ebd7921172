//! `EventBridge`'s rules with a rate, or with moments.

use std::{future::pending, sync::Arc};

use axum::body::Bytes;
use chrono::Utc;
use serde_json::{Value, json};
use tokio::{
    select,
    task::JoinSet,
    time::{Instant, sleep_until},
};
use uuid::Uuid;

use crate::{
    clock, console,
    lambda::{Invocation, Invoker},
    stop::StopSignal,
    template::{ACCOUNT_ID, REGION, ScheduleTrigger, Timing},
};

/// Invokes the function after each interval until the end is wanted.
pub(super) async fn run(trigger: ScheduleTrigger, lambda: Arc<Invoker>, stop: StopSignal) {
    let timing = trigger.timing.clone();
    let trigger = Arc::new(trigger);
    let fire = || invoke(Arc::clone(&trigger), Arc::clone(&lambda));
    every(timing, fire, stop.received()).await;
}

/// When the next time is after this one; never, if there is none.
fn next(timing: &Timing, last: Instant) -> Option<Instant> {
    match timing {
        Timing::Rate(interval) => last.checked_add(*interval),
        Timing::Cron(moments) => {
            let now = Utc::now();
            let wait = moments.after(&now).next()?.signed_duration_since(now);
            Instant::now().checked_add(wait.to_std().ok()?)
        }
    }
}

/// Begins a job each time until `stop`, however long those before it take, and returns
/// when all are done.
async fn every<J>(timing: Timing, job: impl Fn() -> J, stop: impl Future<Output = ()>)
where
    J: Future<Output = ()> + Send + 'static,
{
    let mut due = next(&timing, Instant::now());
    let mut jobs = JoinSet::new();
    tokio::pin!(stop);
    loop {
        select! {
            biased;
            () = &mut stop => break,
            () = until(due) => {
                drop(jobs.spawn(job()));
                due = due.and_then(|due| next(&timing, due));
            }
            Some(_) = jobs.join_next() => {}
        }
    }
    jobs.join_all().await;
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => pending().await,
    }
}

async fn invoke(trigger: Arc<ScheduleTrigger>, lambda: Arc<Invoker>) {
    let ScheduleTrigger { function, patience, name, .. } = &*trigger;
    let input = || event(name, clock::now_ms()).to_string();
    let payload = Bytes::from(trigger.input.clone().unwrap_or_else(input));
    let invocation = Invocation { payload, trace_id: Invocation::new_trace_id() };
    if let Err(error) = lambda.invoke(function, invocation, *patience).await {
        console::log(&format!("[{name}] {function}: {error}"));
    }
}

/// What `EventBridge` tells a function, to the second.
fn event(name: &str, at_ms: i64) -> Value {
    json!({
        "version": "0",
        "id": Uuid::new_v4(),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT_ID,
        "time": clock::rfc3339(at_ms),
        "region": REGION,
        "resources": [format!("arn:aws:events:{REGION}:{ACCOUNT_ID}:rule/{name}")],
        "detail": {},
    })
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicU32, Ordering},
        time::Duration,
    };

    use tokio::{
        sync::Notify,
        time::{advance, sleep},
    };

    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    #[test]
    fn a_function_is_told_as_by_event_bridge() {
        let mut event = event("RelayEveryMinute", 1_700_000_000_999);
        assert!(event["id"].take().as_str().unwrap().parse::<Uuid>().is_ok());
        let expected = json!({
            "version": "0",
            "id": null,
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": "000000000000",
            "time": "2023-11-14T22:13:20Z",
            "region": "us-east-1",
            "resources": ["arn:aws:events:us-east-1:000000000000:rule/RelayEveryMinute"],
            "detail": {},
        });
        assert_eq!(event, expected);
    }

    #[tokio::test(start_paused = true)]
    async fn it_fires_after_each_interval_and_not_at_once() {
        let fired = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&fired);
        let job = move || {
            count.fetch_add(1, Ordering::SeqCst);
            // Longer than the interval: the next one does not wait for it.
            sleep(MINUTE * 3)
        };
        tokio::spawn(every(Timing::Rate(MINUTE), job, pending()));
        // The task has to have begun before its clock can be moved.
        tokio::task::yield_now().await;
        for (seconds, expected) in [(59, 0), (1, 1), (59, 1), (1, 2), (60, 3)] {
            advance(Duration::from_secs(seconds)).await;
            tokio::task::yield_now().await;
            assert_eq!(fired.load(Ordering::SeqCst), expected);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_waits_for_what_has_begun() {
        let (began, stop) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let first = Arc::clone(&began);
        let job = move || {
            first.notify_one();
            sleep(MINUTE)
        };
        let stopped = Arc::clone(&stop);
        let schedule =
            tokio::spawn(every(Timing::Rate(MINUTE), job, async move { stopped.notified().await }));
        let started = Instant::now();
        began.notified().await;
        stop.notify_one();
        schedule.await.unwrap();
        assert_eq!(started.elapsed().as_secs(), 120);
    }
}
