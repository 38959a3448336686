//! One call: durable before it is sent, settled after, whatever happens in between.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use turncoat_answer::ErrorKind;
use turncoat_ledger::{Failure, Ledger, LedgerError, NewAttempt, Settlement};
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

/// How one call ended.
pub(crate) struct Ended {
    pub(crate) trial: Trial,
    pub(crate) made: Made,
    pub(crate) sent_at: Instant,
    pub(crate) bound: Bound,
    pub(crate) end: End,
}

/// The ways a call ends.
pub(crate) enum End {
    /// An answer, durable.
    Answered { cost_nano_usd: i64, tokens: Option<u64>, hints: RateHints },
    /// An error, durable.
    Failed { kind: ErrorKind, message: String, retry_after: Option<Duration>, cost_nano_usd: i64, hints: RateHints },
    /// Given up in flight: stands as unknown, its bound stays reserved.
    GivenUp,
    /// It was not made, since it could not be written down.
    NotMade(LedgerError),
    /// It was made, but its end could not be written down: stands as unknown, its bound stays reserved.
    NotWritten(LedgerError),
}

impl Line {
    /// Makes one call.
    pub(crate) async fn call(self: Arc<Self>, trial: Trial, made: Made, call: Call, bound: Bound) -> Ended {
        let ended = |sent_at, end| Ended { trial, made, sent_at, bound, end };
        let reserved_usd = bound.nano_usd() as f64 / NANO;
        let attempt = match self.ledger.begin_attempt(NewAttempt { trial: trial.key, subject: &self.id, reserved_usd }).await {
            Ok(attempt) => attempt,
            Err(error) => return ended(Instant::now(), End::NotMade(error)),
        };
        let sent_at = Instant::now();
        let exchange = tokio::select! {
            biased;
            exchange = self.ask(&call) => exchange,
            () = self.stop.reaches(Urgency::AtOnce) => return ended(sent_at, End::GivenUp),
        };
        let latency_ms = u64::try_from(sent_at.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (settlement, end) = self.settle(exchange, latency_ms, &bound);
        // From here on nothing interrupts: what has come is written.
        match self.ledger.finish_attempt(attempt, settlement).await {
            Ok(()) => ended(sent_at, end),
            Err(error) => ended(sent_at, End::NotWritten(error)),
        }
    }

    /// Asks, with an end even if the subject has none or its own code fails.
    async fn ask(&self, call: &Call) -> Exchange {
        let longest = call.timeout + PATIENCE;
        let asked = AssertUnwindSafe(self.subject.ask(call)).catch_unwind();
        let failure = match tokio::time::timeout(longest, asked).await {
            Ok(Ok(exchange)) => return exchange,
            Ok(Err(_panic)) => CallFailure::new(ErrorKind::Engine, "the subject's own code failed; this is a bug of the program"),
            Err(_elapsed) => CallFailure::new(ErrorKind::Timeout, format!("no end after {} s", longest.as_secs())),
        };
        Exchange { request: Vec::new(), response: Vec::new(), status: None, result: Err(failure), hints: RateHints::default() }
    }

    /// What is written of an exchange, and what the driver needs to know of it.
    fn settle(&self, exchange: Exchange, latency_ms: u64, bound: &Bound) -> (Settlement, End) {
        let Exchange { request, response, status, result, hints } = exchange;
        let (cost_nano_usd, latency_ms, result, end) = match result {
            Ok(answer) => {
                let cost_nano_usd = self.prices.of_answer(&answer.usage, bound);
                let tokens = answer.usage.input.zip(answer.usage.output).map(|(input, output)| input.saturating_add(output));
                (cost_nano_usd, answer.latency_ms, Ok(answer), End::Answered { cost_nano_usd, tokens, hints })
            }
            Err(CallFailure { kind, message, retry_after }) => {
                let cost_nano_usd = self.prices.of_failure(kind, bound);
                let failure = Failure { kind, message: message.clone() };
                (cost_nano_usd, latency_ms, Err(failure), End::Failed { kind, message, retry_after, cost_nano_usd, hints })
            }
        };
        let cost_usd = cost_nano_usd as f64 / NANO;
        (Settlement { http_status: status, cost_usd, latency_ms, request, response, result }, end)
    }
}

/// The call of a trial.
pub(crate) fn of(key: TrialKey, prompt: turncoat_study::Prompt, timeout_s: u32) -> Call {
    Call { prompt, seed: key.seed(), timeout: Duration::from_secs(u64::from(timeout_s.max(1))) }
}
