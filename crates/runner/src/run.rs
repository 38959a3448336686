//! A run: what remains of a plan, asked of its subjects side by side.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use tokio::sync::{Notify, Semaphore};
use turncoat_ledger::{Ledger, Remaining};
use turncoat_study::{Plan, Trial};
use turncoat_subject::Subject;

use crate::backoff::Backoff;
use crate::budget::Budget;
use crate::call::Line;
use crate::drive::{Driver, Over, Shared};
use crate::error::RunError;
use crate::price::{NANO, Prices};
use crate::progress::{Event, Progress, SubjectProgress, Tally};
use crate::stop::{Stop, Urgency};
use crate::summary::{Incomplete, Reason, StopReason, Summary};

/// How often progress is told.
const TELL_EVERY: Duration = Duration::from_millis(200);

/// The subjects of a study by id, opened.
pub type Subjects = HashMap<String, Arc<dyn Subject>>;

/// What a run may do.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Ask this subject alone.
    pub only: Option<String>,
    /// Ask at most so many trials in this run.
    pub limit: Option<u64>,
    /// Ask again what failed for a reason of its own.
    pub retry_errors: bool,
    /// By which the run is told to stop.
    pub stop: Stop,
    /// After a gentle stop, how long calls in flight may take; without it, as long as their time limits.
    pub grace: Option<Duration>,
    /// Waits before calls are made again.
    pub backoff: Backoff,
}

/// Asks what remains of `plan`, in its order, until all is answered or nothing more may be asked. The ledger must have been
/// reconciled with the plan; `subjects` needs those that have something left to ask. `tell` is called from this task.
///
/// The future needs a Tokio runtime with time enabled; on a runtime of several threads the calls use them all.
///
/// # Errors
/// Only before the first call; what happens later is in the summary.
pub async fn run(
    plan: &Plan,
    ledger: &Ledger,
    subjects: &Subjects,
    options: &Options,
    tell: &dyn Fn(Event),
) -> Result<Summary, RunError> {
    let started = Instant::now();
    check_choice(plan, options)?;
    let chosen = |index: usize| {
        options.only.as_ref().is_none_or(|only| plan.subjects.get(index).is_some_and(|subject| subject.id == *only))
    };
    let (work, mut incomplete) = divide(plan, ledger, options, chosen)?;
    check_subjects(plan, subjects, &work)?;
    let spend = ledger.spend()?;
    let budget_nano_usd = plan.budget_usd.map(|usd| (usd * NANO).floor() as i64);
    let spent_nano_usd = (spend.total_usd() * NANO).ceil() as i64;
    let progress = Progress {
        done: work.answered,
        total: plan.trial_count(),
        left: work.by_subject.iter().map(|trials| trials.len() as u64).sum(),
        unknown: spend.unknown,
        subjects: work.subjects,
        ..Progress::default()
    };
    let shared = Rc::new(Shared {
        plan,
        budget: Budget::new(budget_nano_usd, spent_nano_usd),
        tally: RefCell::new(Tally::new(progress, started)),
        stop: options.stop.clone(),
        grace: options.grace,
        backoff: options.backoff,
        tell,
        broken: RefCell::new(None),
        broke: Notify::new(),
    });
    let mut drivers = Vec::new();
    for ((index, spec), trials) in plan.subjects.iter().enumerate().zip(work.by_subject) {
        let Some(subject) = subjects.get(&spec.id).filter(|_| !trials.is_empty()) else { continue };
        let line = Line {
            id: spec.id.as_str().into(),
            subject: Arc::clone(subject),
            ledger: ledger.clone(),
            prices: Prices::of(spec),
            stop: options.stop.clone(),
            slots: Semaphore::new(spec.conduct.concurrency.max(1) as usize),
            held_until: Mutex::new(None),
        };
        drivers.push(Driver::new(Rc::clone(&shared), index, line, &spec.conduct, trials, ChaCha8Rng::from_os_rng()));
    }
    let drivers = tokio::select! {
        biased;
        drivers = join_all(drivers.into_iter().map(Driver::drive)) => drivers,
        never = keep_telling(&shared) => match never {},
    };
    (tell)(Event::Progress(shared.tally.borrow_mut().tell(shared.budget.committed_nano_usd(), Instant::now())));
    for driver in &drivers {
        for (reason, (cells, example)) in &driver.missing {
            add(&mut incomplete, driver.index(), reason.clone(), *cells, example.clone());
        }
    }
    let reason = reason(plan, &shared, &drivers, &incomplete);
    let spend = ledger.spend()?;
    let tally = shared.tally.borrow();
    Ok(Summary {
        reason,
        planned: plan.trial_count(),
        answered_before: work.answered,
        answered_now: tally.answered_now,
        calls: tally.calls,
        failed_calls: tally.progress.failed_calls.clone(),
        incomplete: list(plan, incomplete),
        spent_usd: spend.total_usd(),
        // What is in flight now that nobody asks any more was given up.
        unknown: spend.unknown + spend.in_flight,
        elapsed_s: started.elapsed().as_secs_f64(),
    })
}

/// Whether `--only` names a subject of the study.
fn check_choice(plan: &Plan, options: &Options) -> Result<(), RunError> {
    match &options.only {
        Some(only) if !plan.subjects.iter().any(|subject| subject.id == *only) => {
            let known = plan.subjects.iter().map(|subject| subject.id.clone()).collect();
            Err(RunError::UnknownSubject { wanted: only.clone(), known })
        }
        _ => Ok(()),
    }
}

/// Whether every subject that will be asked is open, and has a price where there is a budget.
fn check_subjects(plan: &Plan, subjects: &Subjects, work: &Work) -> Result<(), RunError> {
    let asked = plan.subjects.iter().zip(&work.by_subject).filter(|(_, trials)| !trials.is_empty());
    for (subject, _) in asked {
        if !subjects.contains_key(&subject.id) {
            return Err(RunError::NotOpened(subject.id.clone()));
        }
        if plan.budget_usd.is_some() && subject.conduct.price.is_none() && !subject.endpoint.provider.is_free() {
            return Err(RunError::NoPrice(subject.id.clone()));
        }
    }
    Ok(())
}

/// Cells without an answer by subject and reason.
type Cells = BTreeMap<(usize, Reason), (u64, Option<String>)>;

fn add(cells: &mut Cells, subject: usize, reason: Reason, count: u64, example: Option<String>) {
    let entry = cells.entry((subject, reason)).or_default();
    entry.0 += count;
    if example.is_some() {
        entry.1 = example;
    }
}

/// What is to be asked, by subject.
struct Work {
    answered: u64,
    by_subject: Vec<Vec<Trial>>,
    subjects: Vec<SubjectProgress>,
}

/// Divides what remains among the subjects, in the plan's order; the rest is incomplete from the start.
fn divide(plan: &Plan, ledger: &Ledger, options: &Options, chosen: impl Fn(usize) -> bool) -> Result<(Work, Cells), RunError> {
    let trials = plan.trials();
    let Remaining { open, held_back, answered } = ledger.reader()?.remaining(&trials, options.retry_errors)?;
    let mut subjects: Vec<SubjectProgress> =
        plan.subjects.iter().map(|subject| SubjectProgress { id: subject.id.clone(), ..SubjectProgress::default() }).collect();
    // A subject's answers are its trials less those that have none.
    let mut count = |trials: &[Trial], step: fn(&mut SubjectProgress)| {
        trials.iter().filter_map(|trial| subjects.get_mut(trial.subject as usize).map(step)).count();
    };
    count(&trials, |subject| (subject.total, subject.done) = (subject.total + 1, subject.done + 1));
    count(&open, |subject| subject.done -= 1);
    count(&held_back.iter().map(|(trial, _)| *trial).collect::<Vec<_>>(), |subject| subject.done -= 1);

    let mut cells = Cells::new();
    for (trial, kind) in held_back {
        add(&mut cells, trial.subject as usize, Reason::Failed(kind), 1, None);
    }
    let mut by_subject: Vec<Vec<Trial>> = plan.subjects.iter().map(|_| Vec::new()).collect();
    let mut taken = 0;
    for trial in open {
        let index = trial.subject as usize;
        if !chosen(index) {
            add(&mut cells, index, Reason::NotChosen, 1, None);
        } else if options.limit.is_some_and(|limit| taken >= limit) {
            add(&mut cells, index, Reason::Limit, 1, None);
        } else if let Some(list) = by_subject.get_mut(index) {
            list.push(trial);
            taken += 1;
        }
    }
    Ok((Work { answered, by_subject, subjects }, cells))
}

/// Tells how the run stands until it is dropped, and after a gentle stop ends the grace of calls in flight.
async fn keep_telling(shared: &Shared<'_>) -> std::convert::Infallible {
    let mut tick = tokio::time::interval(TELL_EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut stopping_since = None;
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = shared.stop.reaches(Urgency::Gentle), if stopping_since.is_none() => {
                stopping_since = Some(Instant::now());
                let in_flight = shared.tally.borrow().progress.subjects.iter().map(|subject| subject.in_flight).sum();
                (shared.tell)(Event::Stopping { in_flight });
            }
        }
        if let (Some(since), Some(grace)) = (stopping_since, shared.grace)
            && since.elapsed() >= grace
        {
            shared.stop.at_once();
        }
        let progress = shared.tally.borrow_mut().tell(shared.budget.committed_nano_usd(), Instant::now());
        (shared.tell)(Event::Progress(progress));
    }
}

/// The one reason that says most about why a run ended.
fn reason(plan: &Plan, shared: &Shared<'_>, drivers: &[Driver<'_>], incomplete: &Cells) -> StopReason {
    if let Some(error) = shared.broken.borrow().as_ref() {
        return StopReason::Ledger(error.clone());
    }
    let ended_by = |over: Over| drivers.iter().filter(move |driver| driver.over() == Some(&over));
    if ended_by(Over::Interrupted).next().is_some() {
        return StopReason::Interrupted;
    }
    if ended_by(Over::Budget).next().is_some() {
        return StopReason::Budget;
    }
    let down: Vec<String> =
        ended_by(Over::Down).filter_map(|driver| plan.subjects.get(driver.index())).map(|subject| subject.id.clone()).collect();
    if !down.is_empty() {
        return StopReason::SubjectsDown(down);
    }
    if incomplete.keys().any(|(_, reason)| *reason == Reason::Limit) {
        return StopReason::Limit;
    }
    StopReason::Done
}

fn list(plan: &Plan, cells: Cells) -> Vec<Incomplete> {
    let name = |index: usize| plan.subjects.get(index).map(|subject| subject.id.clone()).unwrap_or_default();
    cells
        .into_iter()
        .map(|((index, reason), (cells, example))| Incomplete { subject: name(index), reason, cells, example })
        .collect()
}
