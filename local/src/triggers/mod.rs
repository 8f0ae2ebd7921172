//! Invokes functions without a request, as Lambda's event source mappings and `EventBridge`'s
//! schedules do.

mod batch;
mod queue;
mod schedule;

use std::sync::Arc;

use tokio::task::JoinSet;

use self::queue::Poller;
use crate::{
    emulator::Emulator,
    lambda::Invoker,
    stop::StopSignal,
    template::{QueueTrigger, ScheduleTrigger},
};

/// All triggers of a template.
pub(crate) struct Triggers {
    pub(crate) queues: Vec<QueueTrigger>,
    pub(crate) schedules: Vec<ScheduleTrigger>,
}

impl Triggers {
    /// Invokes until the end is wanted, and then waits for the invocations that are under way.
    /// Without an emulator there are no queues to read.
    pub(crate) async fn run(
        self,
        emulator: Option<Arc<Emulator>>,
        lambda: Arc<Invoker>,
        stop: StopSignal,
    ) {
        let mut running = JoinSet::new();
        for trigger in self.schedules {
            running.spawn(schedule::run(trigger, Arc::clone(&lambda), stop.clone()));
        }
        if let Some(emulator) = emulator {
            for trigger in self.queues {
                let poller = Poller::new(trigger, Arc::clone(&emulator), Arc::clone(&lambda));
                running.spawn(poller.run(stop.clone()));
            }
        }
        running.join_all().await;
    }
}
