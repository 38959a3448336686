//! `suite check`: every write and modify task is proven by its own references.

use std::io::{self, Write};

use serde_json::{Value, json};
use turncoat_answer::Outcome;
use turncoat_prove::{Bench, CheckReport, Options};
use turncoat_sandbox::Sandbox;
use turncoat_study::Task;
use turncoat_study::source::nearest;

use crate::cli::PlainFormat;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::screen::Screen;

/// Checks tasks, `only` those named if any are.
pub(super) fn run(tasks: &[Task], only: &[String], format: PlainFormat, screen: &Screen) -> Result<Exit, Failure> {
    for name in only {
        if !tasks.iter().any(|task| task.id == *name || task.path() == *name) {
            let failure = Failure::bad_input(format!("there is no task `{name}`"));
            return Err(match nearest(name, tasks.iter().map(|task| task.id.as_str())) {
                Some(near) => failure.hint(format!("did you mean `{near}`?")),
                None => failure,
            });
        }
    }
    let chosen: Vec<&Task> =
        tasks.iter().filter(|task| only.is_empty() || only.iter().any(|name| task.id == *name || task.path() == *name)).collect();
    let (run, plain): (Vec<&Task>, Vec<&Task>) = chosen.into_iter().partition(|task| task.kind.is_run());
    let sandbox = Sandbox::find(None).map_err(|error| Failure::lacking(error.to_string()))?;
    let bench = Bench::new(sandbox, Options::default());
    let bar = screen.bar(run.len() as u64, "checking");
    let mut reports = Vec::new();
    for task in &run {
        bar.set_message(task.id.clone());
        reports.push(bench.check(task)?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let mut out = io::BufWriter::new(io::stdout().lock());
    match format {
        PlainFormat::Json => {
            let value = json!({
                "schema": "turncoat.check/1",
                "tasks": reports.iter().map(to_json).collect::<Vec<_>>(),
                "read_only": plain.iter().map(|task| task.path()).collect::<Vec<_>>(),
            });
            serde_json::to_writer_pretty(&mut out, &value).map_err(io::Error::from)?;
            writeln!(out)?;
        }
        PlainFormat::Terminal => print(&mut out, &reports, &plain)?,
    }
    out.flush()?;
    Ok(if reports.iter().all(CheckReport::holds) { Exit::Done } else { Exit::Negative })
}

fn to_json(report: &CheckReport) -> Value {
    json!({
        "task": report.task,
        "proven": report.holds(),
        "references": report.references.iter().map(|reference| json!({
            "name": reference.name, "outcome": reference.proof.outcome, "reason": reference.proof.reason, "results": reference.proof.results,
        })).collect::<Vec<_>>(),
        "probes": report.fired.iter().map(|(probe, fired)| json!({ "name": probe, "fired_on": fired })).collect::<Vec<_>>(),
        "faults": report.faults,
    })
}

fn print(out: &mut impl Write, reports: &[CheckReport], plain: &[&Task]) -> io::Result<()> {
    for report in reports {
        writeln!(out, "{} {}", if report.holds() { "proven" } else { "FAILED" }, report.task)?;
        for reference in &report.references {
            let reason = reference
                .proof
                .reason
                .as_deref()
                .filter(|_| matches!(reference.proof.outcome, Outcome::Broken | Outcome::Unproven));
            writeln!(
                out,
                "  {:<24} {}{}",
                reference.name,
                reference.proof.outcome,
                reason.map(|reason| format!(": {reason}")).unwrap_or_default()
            )?;
        }
        for (probe, fired) in &report.fired {
            writeln!(
                out,
                "  probe {probe}: {}",
                if fired.is_empty() { "fired on nothing".to_owned() } else { format!("fired on {}", fired.join(", ")) }
            )?;
        }
        for fault in &report.faults {
            writeln!(out, "  fault: {fault}")?;
        }
    }
    let proven = reports.iter().filter(|report| report.holds()).count();
    writeln!(
        out,
        "{proven} of {} tasks proven; {} more (audit, topic) have nothing to run and were read without a mistake",
        reports.len(),
        plain.len()
    )
}
