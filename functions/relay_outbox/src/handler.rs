//! Whatever the event says: run once, and say what was done.

use lambda_runtime::Error;
use serde::Serialize;
use shared::{
    bank::{self, Relayed},
    store::Store,
    tasks::TaskQueue,
    telemetry::chain,
};

/// What the relay works with.
pub(crate) struct App {
    pub(crate) store: Box<dyn Store>,
    pub(crate) queue: Box<dyn TaskQueue>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Report {
    pub(crate) published: usize,
    pub(crate) pruned: u64,
}

pub(crate) async fn handle(app: &App) -> Result<Report, Error> {
    match bank::relay_outbox(&*app.store, &*app.queue).await {
        Ok(Relayed { published, pruned }) => {
            tracing::info!(published, pruned, "relayed");
            Ok(Report { published, pruned })
        }
        Err(error) => {
            tracing::error!(cause = chain(&error), "the outbox could not be relayed");
            Err(error.into())
        }
    }
}
