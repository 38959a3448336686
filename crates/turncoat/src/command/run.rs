//! `run`, `prove` and `analyse`: ask what is missing, score it, analyse it, show it.

mod interrupt;
mod progress;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use turncoat_ledger::{Ledger, LedgerError, Reconciled};
use turncoat_report::Report;
use turncoat_runner::{Options, RunError, Stop, StopReason, Summary};
use turncoat_stats::Verdict;
use turncoat_study::{Plan, Role};

use crate::analysis;
use crate::cli::{FailOn, Judging, ReportFormat, RunArgs, ScoreArgs};
use crate::command::report;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files;
use crate::ledgers;
use crate::memory;
use crate::scoring;
use crate::screen::Screen;
use crate::subjects;

/// What is redone on answers that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Station {
    /// Run the code under today's tests, then analyse.
    Prove,
    /// Read, scan and analyse with today's rules; code that was run stays as it was judged.
    Analyse,
}

/// The page in a ledger's folder.
const PAGE: &str = "report.html";

/// Runs or resumes a study.
pub(super) fn run(args: &RunArgs, screen: &Screen) -> Result<Exit, Failure> {
    let plan = files::study(&args.study, screen)?.plan;
    let folder = args.ledger.clone().unwrap_or_else(|| PathBuf::from(format!("{}.ledger", plan.name)));
    // One thread makes all calls (beside it the ledger's own writes): hundreds of calls at once wait far more than they work.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::lacking(format!("no runtime for the calls: {error}")))?;
    let existing = if Ledger::exists(&folder) { Some(reconciled(&folder, &plan, args.amend.as_deref(), screen)?) } else { None };
    // Keys and addresses are looked at before anything is written, so that a mistake leaves nothing behind.
    let opened = runtime.block_on(subjects::open(&plan, &wanted(&plan, existing.as_ref(), args)?, screen))?;
    let ledger = match existing {
        Some(ledger) => ledger,
        None => Ledger::create(&folder, &plan, "turncoat run").map_err(|error| ledgers::failure(&error))?,
    };
    let stop = Stop::new();
    let options = Options {
        only: args.only.clone(),
        limit: args.limit,
        retry_errors: args.retry_errors,
        stop: stop.clone(),
        ..Options::default()
    };
    let shown = progress::Shown::new(screen);
    let summary = runtime.block_on(async {
        tokio::spawn(listen(stop));
        turncoat_runner::run(&plan, &ledger, &opened.by_id, &options, &|event| shown.tell(event)).await
    });
    shown.finish();
    let summary = summary.map_err(|error| failure(&error))?;
    drop(opened);
    tell_summary(&summary, screen);
    if let StopReason::Ledger(error) = &summary.reason {
        return Err(ledgers::failure_midway(error));
    }
    let again = format!("turncoat run {} --ledger {}", args.study.display(), folder.display());
    if summary.reason == StopReason::Interrupted {
        screen.say(&format!(
            "stopped; {} answers are kept. Go on with:\n  {again}",
            summary.answered_before + summary.answered_now
        ));
        // Threads of the in-process model need not come to an end first.
        runtime.shutdown_background();
        return Ok(Exit::Incomplete);
    }
    runtime.shutdown_background();
    interrupt::ends_the_program(&again, screen);
    memory::give_back();
    let report = score_and_analyse(&ledger, plan, Station::Prove, screen)?;
    drop(ledger);
    let end = finish(&report, &folder, args.format, args.judging, screen)?;
    if !summary.is_complete() {
        tell_incomplete(&summary, screen);
        screen.say(&format!("go on with:\n  {again}"));
        return Ok(Exit::Incomplete);
    }
    Ok(end)
}

/// Redoes one station of a ledger.
pub(super) fn score_again(args: &ScoreArgs, station: Station, screen: &Screen) -> Result<Exit, Failure> {
    let program = if station == Station::Prove { "turncoat prove" } else { "turncoat analyse" };
    let ledger = ledgers::open(&args.ledger, program)?;
    let reader = ledger.reader().map_err(|error| ledgers::failure(&error))?;
    let report = if reader.kind().map_err(|error| ledgers::failure(&error))? == turncoat_ledger::LedgerKind::Import {
        if station == Station::Prove {
            return Err(Failure::bad_input("this ledger holds imported outcomes: there is no code to run"));
        }
        analysis::refresh_in(&ledger, screen)?
    } else {
        let mut plan = reader.plan().map_err(|error| ledgers::failure(&error))?;
        files::attach(&mut plan, screen);
        if station == Station::Prove {
            scoring::require_sandbox(screen)?;
        }
        score_and_analyse(&ledger, plan, station, screen)?
    };
    drop(ledger);
    finish(&report, &args.ledger, args.format, args.judging, screen)
}

fn score_and_analyse(ledger: &Ledger, plan: Plan, station: Station, screen: &Screen) -> Result<Report, Failure> {
    scoring::score(ledger, &plan, station == Station::Prove, screen)?;
    drop(plan);
    ledger.rest().map_err(|error| ledgers::failure_midway(&error))?;
    memory::give_back();
    analysis::refresh_in(ledger, screen)
}

/// Opens the ledger of a study and compares the study with what it was begun as.
fn reconciled(folder: &Path, plan: &Plan, amend: Option<&str>, screen: &Screen) -> Result<Ledger, Failure> {
    let ledger = ledgers::open(folder, "turncoat run")?;
    match ledger.reconcile(plan, amend).map_err(|error: LedgerError| ledgers::failure(&error))? {
        Reconciled::Same => {
            if amend.is_some() {
                screen.warn("--amend: the study has not changed, nothing is recorded");
            }
        }
        Reconciled::Amended(deviation) => {
            screen.say(&format!("recorded a deviation ({}); {} answers are kept:", deviation.reason, deviation.answers));
            for change in &deviation.changes {
                screen.say(&format!("  {change}"));
            }
        }
    }
    Ok(ledger)
}

/// The subjects that still have something to be asked: only these need a key.
fn wanted(plan: &Plan, ledger: Option<&Ledger>, args: &RunArgs) -> Result<Vec<String>, Failure> {
    let mut has_open = vec![ledger.is_none(); plan.subjects.len()];
    if let Some(ledger) = ledger {
        let reader = ledger.reader().map_err(|error| ledgers::failure(&error))?;
        let remaining = reader.remaining(&plan.trials(), args.retry_errors).map_err(|error| ledgers::failure(&error))?;
        for trial in remaining.open {
            if let Some(has_open) = has_open.get_mut(trial.subject as usize) {
                *has_open = true;
            }
        }
    }
    let chosen = |id: &String| args.only.as_ref().is_none_or(|only| only == id);
    Ok(plan
        .subjects
        .iter()
        .zip(has_open)
        .filter(|(subject, has_open)| *has_open && chosen(&subject.id))
        .map(|(subject, _)| subject.id.clone())
        .collect())
}

/// The first interrupt lets calls in flight finish, the second ends at once.
async fn listen(stop: Stop) {
    let Ok(mut terminate) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) else { return };
    let mut heard = 0;
    loop {
        tokio::select! {
            interrupt = tokio::signal::ctrl_c() => if interrupt.is_err() { return },
            _ = terminate.recv() => {}
        }
        heard += 1;
        if heard == 1 { stop.gently() } else { stop.at_once() }
    }
}

fn failure(error: &RunError) -> Failure {
    match error {
        RunError::Ledger(error) => ledgers::failure(error),
        other => Failure::bad_input(other.to_string()),
    }
}

fn tell_summary(summary: &Summary, screen: &Screen) {
    screen.say(&format!(
        "{} of {} trials are answered ({} now, {} calls, {:.1} s); {:.4} USD spent over the ledger's life",
        summary.answered_before + summary.answered_now,
        summary.planned,
        summary.answered_now,
        summary.calls,
        summary.elapsed_s,
        summary.spent_usd
    ));
    if summary.unknown > 0 {
        screen.say(&format!("{} calls were in flight when an earlier run ended; nobody knows whether they were billed, and the budget counts them", summary.unknown));
    }
    for (kind, count) in &summary.failed_calls {
        screen.say(&format!("  {count} failed calls: {kind}"));
    }
}

/// The list of cells without an answer.
fn tell_incomplete(summary: &Summary, screen: &Screen) {
    let cells: u64 = summary.incomplete.iter().map(|row| row.cells).sum();
    screen.warn(&format!("{cells} cells have no answer:"));
    for row in &summary.incomplete {
        let example = row.example.as_deref().map(|example| format!(" ({example})")).unwrap_or_default();
        screen.say(&format!("  {:<24} {:>7}  {}{example}", row.subject, row.cells, row.reason));
    }
    match &summary.reason {
        StopReason::Budget => screen.say("the budget is reached: raise [budget] usd to go on, which is no change of the study"),
        StopReason::SubjectsDown(down) => screen.say(&format!("down: {}", down.join(", "))),
        StopReason::Done => screen.say("what failed for good is asked again with --retry-errors"),
        StopReason::Limit | StopReason::Interrupted | StopReason::Ledger(_) => {}
    }
}

/// Prints the result, writes the page, and judges.
fn finish(result: &Report, folder: &Path, format: ReportFormat, judging: Judging, screen: &Screen) -> Result<Exit, Failure> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    if format == ReportFormat::Csv {
        analysis::csv(ledgers::read(folder)?, &mut out)?;
    } else {
        report::print(result, format, screen, &mut out)?;
    }
    out.flush()?;
    drop(out);
    memory::give_back();
    let page = folder.join(PAGE);
    report::write_page(&[folder.to_owned()], &page)?;
    screen.say(&format!("page: {}", page.display()));
    Ok(if judging.fail_on.is_some_and(|wanted| fails(result, wanted)) { Exit::Negative } else { Exit::Done })
}

/// Whether a treatment's primary contrast is what `--fail-on` names.
fn fails(report: &Report, wanted: FailOn) -> bool {
    let treatment = Role::Treatment.name();
    report.contrasts.iter().filter(|row| row.primary && row.role == treatment).any(|row| match wanted {
        FailOn::Worse => row.verdict == Verdict::Worse,
        FailOn::NotEquivalent => !matches!(row.verdict, Verdict::Equivalent | Verdict::Better),
    })
}
