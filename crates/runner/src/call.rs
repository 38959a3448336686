//! One call: durable before it is sent, settled after, whatever happens in between.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use tokio::sync::{Semaphore, SemaphorePermit};
use turncoat_answer::ErrorKind;
use turncoat_ledger::{AttemptId, Failure, Ledger, LedgerError, NewAttempt, Settlement};
use turncoat_study::{Trial, TrialKey};
use turncoat_subject::{Call, CallFailure, Exchange, RateHints, Subject};

use crate::price::{Bound, NANO, Prices};
use crate::stop::{Stop, Urgency};

/// How much longer than its own time limit a subject may take before the runner gives the call up.
const PATIENCE: Duration = Duration::from_secs(15);

/// What every call of one subject shares.
pub(crate) struct Line {
    pub(crate) id: Arc<str>,
    pub(crate) subject: Arc<dyn Subject>,
    pub(crate) ledger: Ledger,
    pub(crate) prices: Prices,
    pub(crate) stop: Stop,
    /// As many as calls may be with the server at once. Some more may be on their way to being written down, so that the disk's
    /// time does not come on top of the server's.
    pub(crate) slots: Semaphore,
    /// No call is sent before this, whenever it was written down.
    pub(crate) held_until: Mutex<Option<Instant>>,
}

/// The calls that were made for a trial in this run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Made {
    /// All.
    pub(crate) calls: u32,
    /// Those that count against the study's `attempts`.
    pub(crate) counted: u32,
    /// How many answers the subject had given when the first one was sent.
    pub(crate) answers_at_first: u64,
    /// How many it had given when the last one was sent.
    pub(crate) answers_at_last: u64,
}

/// What every step of one call carries along.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ticket {
    pub(crate) trial: Trial,
    pub(crate) made: Made,
    /// What it has reserved.
    pub(crate) bound: Bound,
}

/// The first step: written down and sent, and what came back.
pub(crate) enum Asked {
    /// Something came; it is not written yet.
    Came(Box<Came>),
    /// Given up in flight: stands as unknown, its bound stays reserved.
    GivenUp,
    /// Written down, but the run was told to stop before it was sent.
    NotSent(AttemptId),
    /// It was not made, since it could not be written down.
    NotMade(LedgerError),
}

/// What came back, and when.
pub(crate) struct Came {
    pub(crate) attempt: AttemptId,
    pub(crate) sent_at: Instant,
    pub(crate) at: Instant,
    pub(crate) exchange: Exchange,
}

/// The second step: what came is durable, or could not be written and stands as unknown.
pub(crate) struct Written {
    pub(crate) ticket: Ticket,
    /// Whether it was sent at all.
    pub(crate) sent: bool,
    pub(crate) at: Instant,
    pub(crate) cost_nano_usd: i64,
    pub(crate) failure: Option<CallFailure>,
    pub(crate) written: Result<(), LedgerError>,
}

impl Line {
    /// Writes a call down and makes it.
    pub(crate) async fn ask(self: Arc<Self>, ticket: Ticket, call: Call) -> (Ticket, Asked) {
        let reserved_usd = ticket.bound.nano_usd() as f64 / NANO;
        let begun = self.ledger.begin_attempt(NewAttempt { trial: ticket.trial.key, subject: &self.id, reserved_usd }).await;
        let attempt = match begun {
            Ok(attempt) => attempt,
            Err(error) => return (ticket, Asked::NotMade(error)),
        };
        let slot = tokio::select! {
            biased;
            () = self.stop.reaches(Urgency::Gentle) => None,
            slot = self.slot() => slot,
        };
        let Some(_slot) = slot else { return (ticket, Asked::NotSent(attempt)) };
        let sent_at = Instant::now();
        tokio::select! {
            biased;
            exchange = self.send(&call) => (ticket, Asked::Came(Box::new(Came { attempt, sent_at, at: Instant::now(), exchange }))),
            () = self.stop.reaches(Urgency::AtOnce) => (ticket, Asked::GivenUp),
        }
    }

    /// Writes down what came. Nothing interrupts this.
    pub(crate) async fn write(self: Arc<Self>, ticket: Ticket, came: Box<Came>) -> Written {
        let Came { attempt, sent_at, at, exchange } = *came;
        let Exchange { request, response, status, result, hints: _ } = exchange;
        let waited_ms = u64::try_from(at.saturating_duration_since(sent_at).as_millis()).unwrap_or(u64::MAX);
        let (cost_nano_usd, latency_ms, result, failure) = match result {
            Ok(answer) => (self.prices.of_answer(&answer.usage, &ticket.bound), answer.latency_ms, Ok(answer), None),
            Err(failure) => {
                let kept = Failure { kind: failure.kind, message: failure.message.clone() };
                (self.prices.of_failure(failure.kind, &ticket.bound), waited_ms, Err(kept), Some(failure))
            }
        };
        let cost_usd = cost_nano_usd as f64 / NANO;
        let settlement = Settlement { http_status: status, cost_usd, latency_ms, request, response, result };
        let written = self.ledger.finish_attempt(attempt, settlement).await;
        Written { ticket, sent: true, at, cost_nano_usd, failure, written }
    }

    /// Writes down that a call was not sent after all.
    pub(crate) async fn take_back(self: Arc<Self>, ticket: Ticket, attempt: AttemptId) -> Written {
        let failure = Failure { kind: ErrorKind::Connect, message: "not sent: the run was told to stop".to_owned() };
        let (request, response) = (Vec::new(), Vec::new());
        let settlement = Settlement { http_status: None, cost_usd: 0.0, latency_ms: 0, request, response, result: Err(failure) };
        let written = self.ledger.finish_attempt(attempt, settlement).await;
        Written { ticket, sent: false, at: Instant::now(), cost_nano_usd: 0, failure: None, written }
    }

    /// Waits for a place with the server, and for the end of any pause.
    async fn slot(&self) -> Option<SemaphorePermit<'_>> {
        let permit = self.slots.acquire().await.ok()?;
        while let Some(until) = self.hold().filter(|until| *until > Instant::now()) {
            tokio::time::sleep_until(until.into()).await;
        }
        Some(permit)
    }

    fn hold(&self) -> Option<Instant> {
        *self.held_until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls that were written down but not sent yet wait until then, too.
    pub(crate) fn hold_until(&self, until: Instant) {
        let mut held = self.held_until.lock().unwrap_or_else(PoisonError::into_inner);
        *held = Some(held.map_or(until, |known| known.max(until)));
    }

    /// Asks, with an end even if the subject has none or its own code fails.
    async fn send(&self, call: &Call) -> Exchange {
        let longest = call.timeout + PATIENCE;
        let asked = AssertUnwindSafe(self.subject.ask(call)).catch_unwind();
        let failure = match tokio::time::timeout(longest, asked).await {
            Ok(Ok(exchange)) => return exchange,
            Ok(Err(_panic)) => CallFailure::new(ErrorKind::Engine, "the subject's own code failed; this is a bug of the program"),
            Err(_elapsed) => CallFailure::new(ErrorKind::Timeout, format!("no end after {} s", longest.as_secs())),
        };
        Exchange { request: Vec::new(), response: Vec::new(), status: None, result: Err(failure), hints: RateHints::default() }
    }
}

/// The call of a trial.
pub(crate) fn of(key: TrialKey, prompt: turncoat_study::Prompt, timeout_s: u32) -> Call {
    Call { prompt, seed: key.seed(), timeout: Duration::from_secs(u64::from(timeout_s.max(1))) }
}
