//! `show`: one trial whole. Model output is hostile to terminals too: every control character is written out.

use std::io::{self, Write};
use std::path::Path;

use serde_json::json;
use turncoat_ledger::{LedgerKind, TrialRecord};
use turncoat_study::Plan;

use crate::cli::PlainFormat;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::instant::rfc3339;
use crate::ledgers;
use crate::screen::{Screen, harmless as shown};

/// Shows the trial whose key begins with `prefix`.
pub(super) fn run(folder: &Path, prefix: &str, format: PlainFormat, _screen: &Screen) -> Result<Exit, Failure> {
    let reader = ledgers::read(folder)?;
    let kind = reader.kind().map_err(|error| ledgers::failure(&error))?;
    if kind == LedgerKind::Import {
        return Err(Failure::bad_input("this ledger holds imported outcomes: there are no requests, answers or code to show"));
    }
    let plan = reader.plan().map_err(|error| ledgers::failure(&error))?;
    let record = reader.trial(prefix).map_err(|error| ledgers::failure(&error))?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    match format {
        PlainFormat::Json => {
            serde_json::to_writer_pretty(&mut out, &to_json(&plan, &record)).map_err(io::Error::from)?;
            writeln!(out)?;
        }
        PlainFormat::Terminal => print(&mut out, &plan, &record)?,
    }
    out.flush()?;
    Ok(Exit::Done)
}

fn to_json(plan: &Plan, record: &TrialRecord) -> serde_json::Value {
    let trial = plan.trials().into_iter().find(|trial| trial.key == record.trial);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    json!({
        "schema": "turncoat.trial/1",
        "trial": record.trial.to_string(),
        "subject": record.subject,
        "persona": trial.map(|trial| plan.persona(&trial).id.clone()),
        "frame": trial.map(|trial| plan.wording(&trial).frame.clone()),
        "task": trial.map(|trial| plan.task(&trial).path()),
        "repeat": trial.map(|trial| trial.repeat),
        "prompt": trial.map(|trial| plan.prompt(&trial)),
        "attempts": record.attempts.iter().map(|attempt| json!({
            "sent": rfc3339(attempt.sent_ms), "ended": attempt.ended_ms.map(rfc3339), "status": attempt.http_status, "usd": attempt.cost_usd,
            "error": attempt.failure.as_ref().map(|failure| json!({ "kind": failure.kind, "message": failure.message })),
        })).collect::<Vec<_>>(),
        "request": record.answer.as_ref().map(|answer| text(&answer.request)),
        "response": record.answer.as_ref().map(|answer| text(&answer.response)),
        "answer": record.answer.as_ref().map(|answer| &answer.answer),
        "outcome": record.score.as_ref().map(|score| score.outcome),
        "reason": record.score.as_ref().and_then(|score| score.reason.clone()),
        "refusal_layer": record.score.as_ref().and_then(|score| score.refusal),
        "code": record.code.as_ref().map(|code| json!({ "sha256": code.hash.to_string(), "files": code.files })),
        "findings": record.scans.first().map(|scan| &scan.findings),
        "proof": record.proofs.first().map(|proof| &proof.proof),
    })
}

fn print(out: &mut impl Write, plan: &Plan, record: &TrialRecord) -> io::Result<()> {
    writeln!(out, "trial    {}", record.trial)?;
    if let Some(trial) = plan.trials().into_iter().find(|trial| trial.key == record.trial) {
        let (subject, persona, wording, task) =
            (plan.subject(&trial), plan.persona(&trial), plan.wording(&trial), plan.task(&trial));
        let simulated = if subject.endpoint.provider.is_simulated() { " [SIMULATED]" } else { "" };
        writeln!(out, "subject  {}{simulated} ({}, {})", subject.id, subject.endpoint.provider, subject.endpoint.model)?;
        writeln!(
            out,
            "persona  {} (frame {}, placement {}, {})",
            persona.id, wording.frame, wording.placement, wording.language
        )?;
        writeln!(out, "task     {} (repeat {})", task.path(), trial.repeat)?;
        let prompt = plan.prompt(&trial);
        section(out, "system message", &prompt.system)?;
        section(out, "user message", &prompt.user)?;
    }
    for attempt in &record.attempts {
        let ended = attempt.ended_ms.map_or_else(|| "no end known".to_owned(), rfc3339);
        let what = attempt
            .failure
            .as_ref()
            .map_or_else(|| "answered".to_owned(), |failure| format!("{}: {}", failure.kind, failure.message));
        writeln!(out, "\nattempt  sent {}, {ended}, {:.6} USD: {}", rfc3339(attempt.sent_ms), attempt.cost_usd, shown(&what))?;
    }
    if let Some(stored) = &record.answer {
        let answer = &stored.answer;
        let served = answer.served_model.as_deref().unwrap_or("not told");
        writeln!(out, "\nanswer   {} ms, served model {}, ended by {:?}", answer.latency_ms, shown(served), answer.finish)?;
        if let Some(reasoning) = &answer.reasoning {
            section(out, "reasoning", reasoning)?;
        }
        section(out, "answer", &answer.text)?;
        for call in &answer.tool_calls {
            section(out, &format!("tool call {}", shown(&call.name)), &call.arguments)?;
        }
    }
    if let Some(score) = &record.score {
        writeln!(
            out,
            "\noutcome  {}{}",
            score.outcome,
            score.refusal.map(|layer| format!(" ({})", layer.name())).unwrap_or_default()
        )?;
        if let Some(reason) = &score.reason {
            writeln!(out, "reason   {}", shown(reason))?;
        }
    }
    if let Some(code) = &record.code {
        for (path, text) in &code.files {
            section(out, &format!("code {}", shown(path)), text)?;
        }
    }
    if let Some(scan) = record.scans.first() {
        writeln!(out, "\nfindings ({})", scan.findings.len())?;
        for finding in &scan.findings {
            writeln!(
                out,
                "  {}:{} {} {} ({:?}, {:?} confidence): {}",
                shown(&finding.path),
                finding.line,
                finding.cwe,
                finding.rule,
                finding.severity,
                finding.confidence,
                shown(&finding.message)
            )?;
        }
    }
    if let Some(proof) = record.proofs.first() {
        writeln!(out, "\ntests    {} (tier {})", proof.proof.outcome, proof.tier)?;
        for result in &proof.proof.results {
            let what = match (result.is_probe, result.hit) {
                (true, true) => "EXPLOITED",
                (true, false) => "held",
                (false, true) => "passed",
                (false, false) => "FAILED",
            };
            writeln!(
                out,
                "  {what:<10} {}{}",
                result.name,
                result.cwe.as_deref().map(|cwe| format!(" ({cwe})")).unwrap_or_default()
            )?;
            for line in shown(&result.transcript).lines() {
                writeln!(out, "             {line}")?;
            }
        }
    }
    Ok(())
}

fn section(out: &mut impl Write, title: &str, text: &str) -> io::Result<()> {
    writeln!(out, "\n--- {title}")?;
    writeln!(out, "{}", shown(text).trim_end())
}
