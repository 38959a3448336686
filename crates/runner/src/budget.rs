//! The budget of a run, over the ledger's life: every call reserves its bound before it starts and settles after.

use std::sync::Mutex;

use tokio::sync::Notify;

/// What is spent and reserved, against the limit. Shared by all subjects of a run.
#[derive(Debug)]
pub(crate) struct Budget {
    limit_nano_usd: Option<i64>,
    state: Mutex<State>,
    settled: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// Settled, and reserved by calls in flight or unknown.
    committed_nano_usd: i64,
    /// Reservations that will be settled: while there are some, waiting can help.
    open: usize,
}

/// Whether a call may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Permit {
    /// Its bound is reserved.
    Reserved,
    /// Not now; calls in flight may leave room when they settle.
    Wait,
    /// Not in this run.
    Exhausted,
}

impl Budget {
    /// A budget of which `spent_nano_usd` is gone already.
    pub(crate) fn new(limit_nano_usd: Option<i64>, spent_nano_usd: i64) -> Budget {
        let state = State { committed_nano_usd: spent_nano_usd, open: 0 };
        Budget { limit_nano_usd, state: Mutex::new(state), settled: Notify::new() }
    }

    /// Reserves the bound of a call, unless everything committed and this could pass the limit together.
    pub(crate) fn reserve(&self, bound_nano_usd: i64) -> Permit {
        let mut state = self.lock();
        let wanted = state.committed_nano_usd.saturating_add(bound_nano_usd);
        // What costs nothing is never held up.
        if bound_nano_usd > 0 && self.limit_nano_usd.is_some_and(|limit| wanted > limit) {
            return if state.open > 0 { Permit::Wait } else { Permit::Exhausted };
        }
        state.committed_nano_usd = wanted;
        state.open += usize::from(bound_nano_usd > 0);
        Permit::Reserved
    }

    /// Puts what a call cost in the place of what it had reserved.
    pub(crate) fn settle(&self, bound_nano_usd: i64, cost_nano_usd: i64) {
        let mut state = self.lock();
        state.committed_nano_usd = state.committed_nano_usd.saturating_add(cost_nano_usd.saturating_sub(bound_nano_usd));
        state.open = state.open.saturating_sub(usize::from(bound_nano_usd > 0));
        drop(state);
        self.settled.notify_waiters();
    }

    /// A call that had reserved something will never be settled: what it reserved stays, but nobody waits for it.
    pub(crate) fn abandon(&self, had_reserved: bool) {
        let mut state = self.lock();
        state.open = state.open.saturating_sub(usize::from(had_reserved));
        drop(state);
        self.settled.notify_waiters();
    }

    /// Spent and reserved so far.
    pub(crate) fn committed_nano_usd(&self) -> i64 {
        self.lock().committed_nano_usd
    }

    /// Resolves at the next settlement after it was first polled. All drivers of a run share one task, so that none happens
    /// between a refused reservation and the poll.
    pub(crate) async fn settlement(&self) {
        self.settled.notified().await;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        // Nothing panics while it is held; and whole numbers are whole even if something did.
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn waits_while_something_may_settle_and_ends_when_nothing_will() {
        let budget = Budget::new(Some(100), 20);
        assert_eq!(budget.reserve(60), Permit::Reserved);
        assert_eq!(budget.reserve(30), Permit::Wait);
        assert_eq!(budget.reserve(20), Permit::Reserved, "up to the limit itself");
        budget.settle(60, 10);
        assert_eq!(budget.reserve(60), Permit::Wait);
        budget.settle(20, 20);
        assert_eq!(budget.committed_nano_usd(), 50);
        assert_eq!(budget.reserve(60), Permit::Exhausted);
        assert_eq!(budget.reserve(0), Permit::Reserved);
    }

    #[test]
    fn without_a_limit_everything_is_counted_and_nothing_refused() {
        let budget = Budget::new(None, 0);
        assert_eq!(budget.reserve(i64::MAX), Permit::Reserved);
        assert_eq!(budget.reserve(5), Permit::Reserved);
        budget.settle(i64::MAX, 7);
        budget.settle(5, 5);
        assert!(budget.committed_nano_usd() > 0);
    }

    proptest! {
        /// Whatever is reserved and settled in whatever order, no call that costs at most its bound takes it past the limit.
        #[test]
        fn never_passes_its_limit(limit in 0_i64..10_000, spent in 0_i64..10_000, steps in prop::collection::vec((0_i64..3_000, 0.0..=1.0_f64, any::<bool>()), 1..200)) {
            let budget = Budget::new(Some(limit), spent);
            let mut open: Vec<(i64, i64)> = Vec::new();
            for (bound, share, settles) in steps {
                if settles && let Some((reserved, cost)) = open.pop() {
                    budget.settle(reserved, cost);
                } else if budget.reserve(bound) == Permit::Reserved {
                    open.push((bound, (bound as f64 * share) as i64));
                }
                prop_assert!(budget.committed_nano_usd() <= limit.max(spent));
            }
        }
    }
}
