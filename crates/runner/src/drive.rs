//! Drives one subject: decides which call starts when, and what follows from how it ended. It never waits for another subject,
//! except for the budget they share.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand_chacha::ChaCha8Rng;
use tokio::sync::Notify;
use tokio::task::{JoinError, JoinSet};
use turncoat_answer::ErrorKind;
use turncoat_ledger::LedgerError;
use turncoat_study::{Conduct, Plan, Trial};
use turncoat_subject::CallFailure;

use crate::again::Again;
use crate::backoff::Backoff;
use crate::budget::{Budget, Permit};
use crate::call::{self, Asked, Came, Line, Made, Ticket, Written};
use crate::pace::Pace;
use crate::price::Bound;
use crate::progress::{Event, Tally};
use crate::stop::{Stop, Urgency};
use crate::summary::Reason;
use crate::window::Window;

/// A server that asks for a longer pause than this is given up for this run.
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);

/// One in so many calls beyond the window may be written down ahead, to be sent as soon as there is a place.
const AHEAD: usize = 8;

/// Exchanges that may wait for the disk beside twice the window.
const UNWRITTEN: usize = 64;

/// Calls that one trial may take when the server refuses some for their rate and answers others: a last stop, far above
/// what a slow window needs.
const RATE_REFUSALS: u32 = 100;

/// Rounds of calls that found nobody at the address, before any answer of this run, after which the subject is given up: an
/// address that is wrong should be told in seconds, while a server that answered and went away is waited for.
const NOBODY_THERE: u32 = 5;

/// What the drivers of one run share.
pub(crate) struct Shared<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) budget: Budget,
    pub(crate) tally: RefCell<Tally>,
    pub(crate) stop: Stop,
    pub(crate) grace: Option<Duration>,
    pub(crate) backoff: Backoff,
    pub(crate) tell: &'a dyn Fn(Event),
    /// Set when the ledger cannot be written any more: nobody starts another call.
    pub(crate) broken: RefCell<Option<LedgerError>>,
    /// Wakes those who wait for something else when that happens.
    pub(crate) broke: Notify,
}

/// Why a subject gets no further call in this run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Over {
    Budget,
    Interrupted,
    Down,
    Ledger,
}

/// One subject on its way through its trials.
pub(crate) struct Driver<'a> {
    shared: Rc<Shared<'a>>,
    /// Its place in the plan.
    index: usize,
    line: Arc<Line>,
    conduct: &'a Conduct,
    queue: std::vec::IntoIter<Trial>,
    again: BinaryHeap<Reverse<Again>>,
    /// Calls on their way: what the window counts.
    calls: JoinSet<(Ticket, Asked)>,
    /// What came and is being written: a slow disk does not keep the next call from starting.
    writes: JoinSet<Written>,
    window: Window,
    pace: Pace,
    random: ChaCha8Rng,
    answers: u64,
    /// Rounds of calls that failed since the last answer, and when the last of them was noticed.
    trouble: u32,
    troubled_at: Option<Instant>,
    order: u64,
    over: Option<Over>,
    waits_for_budget: bool,
    /// Cells that ended without an answer.
    pub(crate) missing: BTreeMap<Reason, (u64, Option<String>)>,
}

/// What may happen next.
enum Next {
    /// This trial may be asked now.
    Start(Trial, Made),
    /// Nothing before this.
    At(Instant),
    /// Nothing before a call ends, if one is on its way.
    AfterACall,
}

impl<'a> Driver<'a> {
    pub(crate) fn new(
        shared: Rc<Shared<'a>>,
        index: usize,
        line: Line,
        conduct: &'a Conduct,
        trials: Vec<Trial>,
        random: ChaCha8Rng,
    ) -> Driver<'a> {
        let now = Instant::now();
        Driver {
            shared,
            index,
            line: Arc::new(line),
            conduct,
            queue: trials.into_iter(),
            again: BinaryHeap::new(),
            calls: JoinSet::new(),
            writes: JoinSet::new(),
            window: Window::new(conduct.concurrency),
            pace: Pace::new(conduct.requests_per_minute, conduct.tokens_per_minute, now),
            random,
            answers: 0,
            trouble: 0,
            troubled_at: None,
            order: 0,
            over: None,
            waits_for_budget: false,
            missing: BTreeMap::new(),
        }
    }

    /// Asks until nothing is left or nothing more may be asked.
    pub(crate) async fn drive(mut self) -> Driver<'a> {
        let stop = self.shared.stop.clone();
        let shared = Rc::clone(&self.shared);
        loop {
            self.notice_the_end();
            let wake = self.start_what_may();
            self.show();
            if self.calls.is_empty() && self.writes.is_empty() && wake.is_none() && !self.waits_for_budget {
                break;
            }
            let sleep = wake.map(tokio::time::Instant::from_std);
            tokio::select! {
                biased;
                Some(written) = self.writes.join_next() => {
                    self.written(written);
                    while let Some(written) = self.writes.try_join_next() {
                        self.written(written);
                    }
                }
                Some(asked) = self.calls.join_next() => {
                    self.asked(asked);
                    while let Some(asked) = self.calls.try_join_next() {
                        self.asked(asked);
                    }
                }
                () = stop.reaches(Urgency::Gentle), if self.over.is_none() => {}
                () = shared.broke.notified(), if self.over.is_none() => {}
                () = shared.budget.settlement(), if self.waits_for_budget => {}
                () = sleep_until(sleep), if sleep.is_some() => {}
            }
        }
        self.leave_the_rest();
        self
    }

    /// Whether the run is over for this subject, for a reason outside of it.
    fn notice_the_end(&mut self) {
        if self.over.is_some() {
            return;
        }
        if self.shared.broken.borrow().is_some() {
            self.over = Some(Over::Ledger);
        } else if self.shared.stop.is_requested() {
            self.over = Some(Over::Interrupted);
        }
    }

    /// Starts every call that may start now; the time at which the next may, if time is what it waits for.
    fn start_what_may(&mut self) -> Option<Instant> {
        self.waits_for_budget = false;
        loop {
            match self.next() {
                Next::Start(trial, made) => {
                    if !self.start(trial, made) {
                        return None;
                    }
                }
                Next::At(when) => return Some(when),
                Next::AfterACall => return None,
            }
        }
    }

    fn next(&mut self) -> Next {
        if self.over.is_some() {
            return Next::AfterACall;
        }
        // What came and is not written yet is bounded too, so that a disk that hangs does not fill the memory.
        let window = self.window.size() + self.window.size() / AHEAD;
        if self.calls.len() >= window || self.writes.len() >= 2 * self.window.size() + UNWRITTEN {
            return Next::AfterACall;
        }
        let now = Instant::now();
        let first_again = self.again.peek().map(|Reverse(again)| again.due);
        let again_is_due = first_again.is_some_and(|due| due <= now);
        let Some(upcoming) = (if again_is_due {
            self.again.peek().map(|Reverse(again)| again.trial)
        } else {
            self.queue.as_slice().first().copied()
        }) else {
            return first_again.map_or(Next::AfterACall, Next::At);
        };
        // The bound in tokens needs the prompt only if tokens are counted.
        let tokens = if self.conduct.tokens_per_minute.is_some() { self.bound(&upcoming).tokens() } else { 0 };
        let wait = self.pace.wait(tokens, now);
        if !wait.is_zero() {
            return Next::At(now + wait);
        }
        if again_is_due && let Some(Reverse(again)) = self.again.pop() {
            return Next::Start(again.trial, again.made);
        }
        let made = Made { answers_at_first: self.answers, ..Made::default() };
        self.queue.next().map_or(Next::AfterACall, |trial| Next::Start(trial, made))
    }

    fn bound(&self, trial: &Trial) -> Bound {
        self.line.prices.bound(&self.shared.plan.prompt(trial))
    }

    /// Starts a call if the budget allows it; otherwise puts the trial back.
    fn start(&mut self, trial: Trial, mut made: Made) -> bool {
        let prompt = self.shared.plan.prompt(&trial);
        let bound = self.line.prices.bound(&prompt);
        match self.shared.budget.reserve(bound.nano_usd()) {
            Permit::Reserved => {}
            refused => {
                self.put_back(trial, made);
                if refused == Permit::Wait {
                    self.waits_for_budget = true;
                } else {
                    self.over = Some(Over::Budget);
                    (self.shared.tell)(Event::BudgetReached { subject: self.line.id.to_string() });
                }
                return false;
            }
        }
        self.pace.start(bound.tokens(), Instant::now());
        made.calls += 1;
        made.answers_at_last = self.answers;
        let call = call::of(trial.key, prompt, self.conduct.timeout_s);
        self.calls.spawn(Arc::clone(&self.line).ask(Ticket { trial, made, bound }, call));
        self.shared.tally.borrow_mut().calls += 1;
        true
    }

    /// A trial that could not start comes first when one can.
    fn put_back(&mut self, trial: Trial, made: Made) {
        self.again.push(Reverse(Again { due: Instant::now(), order: 0, trial, made }));
    }

    /// Something came, or nothing will: what it means for the subject counts before the next call starts; what it means for
    /// the trial counts once it is written.
    fn asked(&mut self, asked: Result<(Ticket, Asked), JoinError>) {
        let (ticket, asked) = match asked {
            Ok(asked) => asked,
            Err(died) => return self.lost(&died),
        };
        match asked {
            Asked::Came(came) => {
                self.heed(&ticket, &came);
                self.writes.spawn(Arc::clone(&self.line).write(ticket, came));
            }
            Asked::NotSent(attempt) => {
                self.writes.spawn(Arc::clone(&self.line).take_back(ticket, attempt));
            }
            Asked::GivenUp => {
                self.shared.budget.abandon(ticket.bound.nano_usd() > 0);
                self.shared.tally.borrow_mut().progress.unknown += 1;
                self.miss(Reason::Unknown, None);
            }
            Asked::NotMade(error) => {
                // Nothing was sent, so nothing is reserved.
                self.shared.budget.settle(ticket.bound.nano_usd(), 0);
                self.shared.tally.borrow_mut().calls -= 1;
                self.miss(Reason::Ledger, Some(error.to_string()));
                self.break_off(error);
            }
        }
    }

    /// What an exchange means for the subject's pace.
    fn heed(&mut self, ticket: &Ticket, came: &Came) {
        let bound_tokens = ticket.bound.tokens();
        match &came.exchange.result {
            Ok(answer) => {
                self.window.succeeded(self.calls.len() + 1);
                let tokens = answer.usage.input.zip(answer.usage.output).map(|(input, output)| input.saturating_add(output));
                self.pace.settle(bound_tokens, tokens);
                self.answers += 1;
                self.trouble = 0;
            }
            Err(failure) => {
                if self.line.prices.of_failure(failure.kind, &ticket.bound) == 0 {
                    self.pace.refund(bound_tokens);
                }
                self.slow_down(failure.kind, came.sent_at, failure.retry_after.is_some(), came.at);
                if let Some(pause) = failure.retry_after {
                    self.pause(pause, came.at, failure);
                }
                let nobody_there = failure.kind == ErrorKind::Connect && self.answers == 0 && self.trouble >= NOBODY_THERE;
                if nobody_there || failure.kind.is_final_for_subject() {
                    self.give_up(failure.kind, failure.message.clone());
                }
            }
        }
        self.pace.heed(&came.exchange.hints, self.window.size(), came.at);
    }

    /// What came is durable, or could not be written.
    fn written(&mut self, written: Result<Written, JoinError>) {
        let Written { ticket, sent, at, cost_nano_usd, failure, written } = match written {
            Ok(written) => written,
            Err(died) => return self.lost(&died),
        };
        if let Err(error) = written {
            self.shared.budget.abandon(ticket.bound.nano_usd() > 0);
            self.miss(Reason::Unknown, Some(error.to_string()));
            self.break_off(error);
            return;
        }
        self.shared.budget.settle(ticket.bound.nano_usd(), cost_nano_usd);
        if !sent {
            self.shared.tally.borrow_mut().calls -= 1;
            self.put_back(ticket.trial, ticket.made);
            return;
        }
        match failure {
            None => self.count_answer(cost_nano_usd),
            Some(failure) => {
                *self.shared.tally.borrow_mut().progress.failed_calls.entry(failure.kind).or_default() += 1;
                self.failed(ticket.trial, ticket.made, at, failure);
            }
        }
    }

    /// Our own code panicked. The attempt stands in the ledger without an end, its bound stays reserved.
    fn lost(&mut self, died: &JoinError) {
        self.shared.budget.abandon(!self.line.prices.are_free());
        self.miss(Reason::Unknown, Some(format!("the program's own code failed: {died}")));
    }

    fn count_answer(&mut self, cost_nano_usd: i64) {
        let mut tally = self.shared.tally.borrow_mut();
        tally.answered_now += 1;
        tally.answers_nano_usd = tally.answers_nano_usd.saturating_add(cost_nano_usd);
        tally.progress.done += 1;
        tally.progress.left = tally.progress.left.saturating_sub(1);
        if let Some(subject) = tally.subject(self.index) {
            subject.done += 1;
        }
    }

    /// A call failed at `at`: its trial is asked again or given up, and with it perhaps the whole subject.
    fn failed(&mut self, trial: Trial, mut made: Made, at: Instant, failure: CallFailure) {
        let CallFailure { kind, message, retry_after } = failure;
        // A call that was refused for its rate while others were answered says nothing about its trial.
        let others_went_on = kind == ErrorKind::RateLimited && self.answers > made.answers_at_last && made.calls < RATE_REFUSALS;
        made.counted += u32::from(!others_went_on);
        if kind.is_transient() && made.counted < self.conduct.attempts.max(1) {
            let wait = retry_after.unwrap_or_else(|| self.shared.backoff.wait(made.counted.max(1), &mut self.random));
            self.order += 1;
            self.again.push(Reverse(Again { due: at + wait, order: self.order, trial, made }));
            return;
        }
        self.miss(Reason::Failed(kind), Some(message.clone()));
        let something_is_left = self.queue.len() + self.again.len() > 0;
        if kind.is_transient() && something_is_left && self.answers == made.answers_at_first {
            // All attempts at one trial failed, and meanwhile no other trial got an answer: the subject is down, not the trial.
            self.give_up(kind, message);
        }
    }

    /// Fewer calls at once, and a pause of our own where the server asked for none: after a refusal for the rate, and when
    /// two rounds of calls failed without an answer between them. A failure now and then among answers slows nothing down.
    fn slow_down(&mut self, kind: ErrorKind, sent_at: Instant, asked_for_a_pause: bool, now: Instant) {
        if !kind.is_transient() || self.troubled_at.is_some_and(|at| sent_at < at) {
            return;
        }
        self.trouble += 1;
        self.troubled_at = Some(now);
        if kind == ErrorKind::RateLimited || self.trouble > 1 {
            self.window.shrink();
            if !asked_for_a_pause {
                let wait = self.shared.backoff.wait(self.trouble, &mut self.random);
                self.hold_until(now + wait);
            }
        }
    }

    /// The server asks for a pause: no call starts before its end. One that is too long ends the subject's run.
    fn pause(&mut self, pause: Duration, now: Instant, failure: &CallFailure) {
        if pause > LONGEST_PAUSE {
            self.give_up(failure.kind, format!("it asks for a pause of {} s: {}", pause.as_secs(), failure.message));
            return;
        }
        let longer = self.hold_until(now + pause);
        if longer && pause >= Duration::from_secs(1) {
            (self.shared.tell)(Event::Pause { subject: self.line.id.to_string(), seconds: pause.as_secs_f64() });
        }
    }

    /// Neither calls that are still to be written down nor those that are start before `until`.
    fn hold_until(&mut self, until: Instant) -> bool {
        self.line.hold_until(until);
        self.pace.hold_until(until)
    }

    fn give_up(&mut self, kind: ErrorKind, message: String) {
        if self.over.is_none() {
            self.over = Some(Over::Down);
            (self.shared.tell)(Event::SubjectDown { subject: self.line.id.to_string(), kind, message });
        }
    }

    fn break_off(&mut self, error: LedgerError) {
        self.over.get_or_insert(Over::Ledger);
        self.shared.broken.borrow_mut().get_or_insert(error);
        self.shared.broke.notify_waiters();
    }

    fn miss(&mut self, reason: Reason, example: Option<String>) {
        let entry = self.missing.entry(reason).or_default();
        entry.0 += 1;
        if example.is_some() {
            entry.1 = example;
        }
        let mut tally = self.shared.tally.borrow_mut();
        tally.progress.left = tally.progress.left.saturating_sub(1);
    }

    /// Names the reason for which the trials that were not asked were not.
    fn leave_the_rest(&mut self) {
        let rest = self.queue.len() + self.again.len();
        let reason = match self.over {
            Some(Over::Budget) => Reason::Budget,
            Some(Over::Interrupted) => Reason::Interrupted,
            Some(Over::Down) => Reason::SubjectDown,
            Some(Over::Ledger) => Reason::Ledger,
            None => return,
        };
        (0..rest).for_each(|_| self.miss(reason.clone(), None));
    }

    fn show(&self) {
        let mut tally = self.shared.tally.borrow_mut();
        let (in_flight, window, down) = (self.calls.len() + self.writes.len(), self.window.size(), self.over == Some(Over::Down));
        if let Some(subject) = tally.subject(self.index) {
            (subject.in_flight, subject.window, subject.down) = (in_flight, window, down);
        }
    }

    /// Why it ended early, if it did.
    pub(crate) fn over(&self) -> Option<&Over> {
        self.over.as_ref()
    }

    /// The subject's place in the plan.
    pub(crate) fn index(&self) -> usize {
        self.index
    }
}

async fn sleep_until(when: Option<tokio::time::Instant>) {
    match when {
        Some(when) => tokio::time::sleep_until(when).await,
        None => std::future::pending().await,
    }
}
