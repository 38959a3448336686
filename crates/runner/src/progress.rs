//! What a run tells while it goes on.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use turncoat_answer::ErrorKind;

use crate::price::NANO;

/// Something worth showing.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Where the run stands; told a few times a second, and once at the end.
    Progress(Progress),
    /// A subject is given up for this run; the others go on.
    SubjectDown {
        /// The subject.
        subject: String,
        /// The kind of its last error.
        kind: ErrorKind,
        /// What it said.
        message: String,
    },
    /// A subject asked for a pause.
    Pause {
        /// The subject.
        subject: String,
        /// How long, in seconds.
        seconds: f64,
    },
    /// No further call fits into the budget.
    BudgetReached {
        /// The subject whose next call does not fit.
        subject: String,
    },
    /// The run was told to stop and waits for calls in flight.
    Stopping {
        /// How many.
        in_flight: usize,
    },
}

/// Where a run stands.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Progress {
    /// Trials with a durable answer, earlier runs included.
    pub done: u64,
    /// Trials of the plan.
    pub total: u64,
    /// Trials that this run may still ask.
    pub left: u64,
    /// Answers a second, over the last half minute.
    pub rate: f64,
    /// Seconds until the run's last answer at this rate; `None` while there is no rate.
    pub eta_s: Option<f64>,
    /// Spent and reserved over the ledger's life, in USD.
    pub spent_usd: f64,
    /// What it will have been when all that this run may ask is answered, at the mean cost so far; `None` before an answer.
    pub projected_usd: Option<f64>,
    /// Calls in flight.
    pub in_flight: usize,
    /// Failed calls of this run by kind.
    pub failed_calls: BTreeMap<ErrorKind, u64>,
    /// Calls over the ledger's life whose end nobody knows.
    pub unknown: u64,
    /// The same by subject.
    pub subjects: Vec<SubjectProgress>,
}

/// Where one subject stands.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SubjectProgress {
    /// The subject.
    pub id: String,
    /// Trials with a durable answer.
    pub done: u64,
    /// Trials of the plan.
    pub total: u64,
    /// Calls in flight.
    pub in_flight: usize,
    /// Calls that may be in flight now.
    pub window: usize,
    /// Whether it is given up for this run.
    pub down: bool,
}

/// How far back the rate looks.
const LOOK_BACK: Duration = Duration::from_secs(30);

/// Counts of a run, kept by its drivers, which share one task.
#[derive(Debug)]
pub(crate) struct Tally {
    pub(crate) progress: Progress,
    pub(crate) calls: u64,
    pub(crate) answered_now: u64,
    /// Cost of this run's answers in billionths of a dollar.
    pub(crate) answers_nano_usd: i64,
    /// (when, answers so far) at each telling.
    past: VecDeque<(Instant, u64)>,
}

impl Tally {
    pub(crate) fn new(progress: Progress, now: Instant) -> Tally {
        Tally { progress, calls: 0, answered_now: 0, answers_nano_usd: 0, past: VecDeque::from([(now, 0)]) }
    }

    /// The state of a subject, by its place in the plan.
    pub(crate) fn subject(&mut self, index: usize) -> Option<&mut SubjectProgress> {
        self.progress.subjects.get_mut(index)
    }

    /// The progress as it is told at `now`, with what is committed of the budget.
    pub(crate) fn tell(&mut self, committed_nano_usd: i64, now: Instant) -> Progress {
        while self.past.len() > 1 && self.past.front().is_some_and(|(at, _)| now.saturating_duration_since(*at) > LOOK_BACK) {
            self.past.pop_front();
        }
        if let Some((since, answers)) = self.past.front() {
            let elapsed = now.saturating_duration_since(*since).as_secs_f64();
            self.progress.rate = if elapsed > 0.0 { (self.answered_now - answers) as f64 / elapsed } else { 0.0 };
        }
        self.past.push_back((now, self.answered_now));
        self.progress.in_flight = self.progress.subjects.iter().map(|subject| subject.in_flight).sum();
        self.progress.eta_s = (self.progress.rate > 0.0).then(|| self.progress.left as f64 / self.progress.rate);
        self.progress.spent_usd = committed_nano_usd as f64 / NANO;
        self.progress.projected_usd = (self.answered_now > 0).then(|| {
            // Calls in flight stand in `spent` with their bounds, which is above their mean: counted out, they are part of `left`.
            let mean = self.answers_nano_usd as f64 / self.answered_now as f64 / NANO;
            self.progress.spent_usd + mean * (self.progress.left.saturating_sub(self.progress.in_flight as u64)) as f64
        });
        self.progress.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_eta_and_projection_follow_from_the_last_half_minute() {
        let start = Instant::now();
        let progress = Progress { total: 1_000, left: 1_000, ..Progress::default() };
        let mut tally = Tally::new(progress, start);
        let first = tally.tell(0, start);
        assert_eq!((first.rate, first.eta_s, first.projected_usd), (0.0, None, None));
        for second in 1..=100_u64 {
            tally.answered_now += if second <= 60 { 1 } else { 5 };
            tally.progress.left = 1_000 - tally.answered_now;
            tally.answers_nano_usd = tally.answered_now as i64 * 2_000_000;
            tally.tell(tally.answers_nano_usd, start + Duration::from_secs(second));
        }
        let last = tally.tell(tally.answers_nano_usd, start + Duration::from_secs(100));
        assert!((last.rate - 5.0).abs() < 1e-9, "{}", last.rate);
        assert_eq!(last.left, 740);
        assert!((last.eta_s.unwrap() - 148.0).abs() < 1e-6);
        assert!((last.projected_usd.unwrap() - 2.0).abs() < 1e-9);
        assert!(tally.past.len() < 40, "memory stays flat");
    }
}
