//! How long something took, and how much of that the database was waited for.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

tokio::task_local! {
    static IN_DATABASE: Cell<Duration>;
}

/// Where the time went.
#[derive(Debug, Clone, Copy, Default)]
pub struct Spent {
    /// All of it.
    pub in_all: Duration,
    /// Waiting for the database, or for a connection to it.
    pub in_database: Duration,
}

impl Spent {
    /// All of it, in whole milliseconds.
    #[must_use]
    pub fn duration_ms(self) -> u64 {
        whole_millis(self.in_all)
    }

    /// The database's part, in whole milliseconds.
    #[must_use]
    pub fn database_ms(self) -> u64 {
        whole_millis(self.in_database)
    }
}

fn whole_millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Does the work and says how long it took.
pub async fn measured<T>(work: impl Future<Output = T>) -> (T, Spent) {
    let started = Instant::now();
    let work = async {
        let result = work.await;
        (result, IN_DATABASE.get().get())
    };
    let (result, in_database) = IN_DATABASE.scope(Cell::default(), work).await;
    (result, Spent { in_all: started.elapsed(), in_database })
}

/// Runs while the database is waited for, until it is dropped.
#[derive(Debug)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }
}

impl Drop for Stopwatch {
    fn drop(&mut self) {
        let elapsed = self.0.elapsed();
        // Nobody measures what is done before the first event.
        let _unmeasured =
            IN_DATABASE.try_with(|spent| spent.set(spent.get().saturating_add(elapsed)));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::sleep;

    use super::*;

    #[tokio::test]
    async fn what_the_database_took_is_told_apart() {
        let (wait, rest) = (Duration::from_millis(20), Duration::from_millis(10));
        let (result, spent) = measured(async {
            for _ in 0..2 {
                let _stopwatch = Stopwatch::start();
                sleep(wait).await;
            }
            sleep(rest).await;
            "done"
        })
        .await;
        assert_eq!(result, "done");
        assert!(spent.in_database >= 2 * wait, "{spent:?}");
        assert!(spent.in_all >= spent.in_database + rest, "{spent:?}");
    }
}
