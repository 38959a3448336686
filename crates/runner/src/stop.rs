//! How a run is told to end: once to finish the calls in flight, twice to end at once.

use std::sync::Arc;

use tokio::sync::watch;

/// How urgent the end is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Urgency {
    /// Nobody asked for it.
    None,
    /// No new calls; those in flight are finished.
    Gentle,
    /// Calls in flight are given up; answers that have come are still written.
    AtOnce,
}

/// The handle by which a run is stopped; clones stop the same run.
#[derive(Debug, Clone)]
pub struct Stop {
    urgency: Arc<watch::Sender<Urgency>>,
}

impl Default for Stop {
    fn default() -> Stop {
        Stop::new()
    }
}

impl Stop {
    /// A handle nobody has used yet.
    #[must_use]
    pub fn new() -> Stop {
        Stop { urgency: Arc::new(watch::channel(Urgency::None).0) }
    }

    /// No new calls; those in flight are finished and written.
    pub fn gently(&self) {
        self.raise(Urgency::Gentle);
    }

    /// Calls in flight are given up and stand in the ledger as unknown. Answers that have come are still written.
    pub fn at_once(&self) {
        self.raise(Urgency::AtOnce);
    }

    /// Whether an end was asked for.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        self.urgency() > Urgency::None
    }

    pub(crate) fn urgency(&self) -> Urgency {
        *self.urgency.borrow()
    }

    /// Resolves once the end is at least that urgent.
    pub(crate) async fn reaches(&self, urgency: Urgency) {
        let mut watcher = self.urgency.subscribe();
        if watcher.wait_for(|now| *now >= urgency).await.is_err() {
            // The sender lives in `self`; without it nobody could ever stop the run.
            std::future::pending::<()>().await;
        }
    }

    fn raise(&self, urgency: Urgency) {
        self.urgency.send_if_modified(|now| {
            let more = urgency > *now;
            *now = urgency.max(*now);
            more
        });
    }
}
