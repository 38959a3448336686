//! How a run stands, on standard error: one redrawn line on a terminal, a line now and then elsewhere.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use turncoat_runner::{Event, Progress};

use crate::instant::span;
use crate::screen::Screen;

/// Without a terminal a line is written at most this often.
const EVERY: Duration = Duration::from_secs(15);

/// The progress of one run.
pub(super) struct Shown<'a> {
    screen: &'a Screen,
    bar: ProgressBar,
    last: RefCell<Instant>,
}

impl<'a> Shown<'a> {
    /// Nothing is shown before the first event.
    pub(super) fn new(screen: &'a Screen) -> Self {
        Shown { screen, bar: screen.bar(0, "asking"), last: RefCell::new(Instant::now()) }
    }

    /// Shows one event.
    pub(super) fn tell(&self, event: Event) {
        match event {
            Event::Progress(progress) => self.progress(&progress),
            Event::SubjectDown { subject, kind, message } => {
                self.line(&format!("{subject} is given up for this run ({kind}): {message}; the others go on"))
            }
            Event::Pause { subject, seconds } if seconds >= 5.0 => {
                self.line(&format!("{subject} asks for a pause of {}", span(seconds)))
            }
            Event::Pause { .. } => {}
            Event::BudgetReached { subject } => {
                self.line(&format!("the budget is reached: the next call to {subject} could pass it"))
            }
            Event::Stopping { in_flight } => {
                self.line(&format!("stopping: waiting for {in_flight} calls in flight; a second Ctrl-C ends at once and loses nothing that was answered"));
            }
        }
    }

    /// Takes the line away.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn line(&self, text: &str) {
        self.bar.suspend(|| self.screen.say(text));
    }

    fn progress(&self, progress: &Progress) {
        if self.screen.is_live() {
            self.bar.set_length(progress.total);
            self.bar.set_position(progress.done);
            self.bar.set_message(words(progress));
            return;
        }
        let now = Instant::now();
        if now.duration_since(*self.last.borrow()) >= EVERY && !self.screen.is_quiet() {
            *self.last.borrow_mut() = now;
            self.screen.say(&format!("{}/{}  {}", progress.done, progress.total, words(progress)));
        }
    }
}

/// Rate, time left, money, and errors by kind.
fn words(progress: &Progress) -> String {
    let mut parts = vec![format!("{:.1}/s", progress.rate)];
    if let Some(eta) = progress.eta_s.filter(|_| progress.left > 0) {
        parts.push(format!("{} left", span(eta)));
    }
    parts.push(format!("{:.2} USD", progress.spent_usd));
    if let Some(projected) = progress.projected_usd.filter(|projected| *projected > progress.spent_usd) {
        parts.push(format!("{projected:.2} at the end"));
    }
    parts.push(format!("{} in flight", progress.in_flight));
    for (kind, count) in &progress.failed_calls {
        parts.push(format!("{count} {kind}"));
    }
    if progress.unknown > 0 {
        parts.push(format!("{} unknown", progress.unknown));
    }
    parts.join(" · ")
}
