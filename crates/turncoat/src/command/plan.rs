//! `plan`: what a study will take; nothing is called.

use std::io::{self, Write};
use std::path::Path;

use serde_json::json;
use turncoat_study::preview::{Preview, SubjectPreview, preview};
use turncoat_study::{Plan, Role};

use crate::cli::PlainFormat;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files;
use crate::power::{self, Detectable};
use crate::screen::Screen;

/// Shows the plan of a study.
pub(super) fn run(study: &Path, format: PlainFormat, screen: &Screen) -> Result<Exit, Failure> {
    let plan = files::study(study, screen)?.plan;
    let preview = preview(&plan);
    let detectable = power::detectable(&plan);
    let mut out = io::stdout().lock();
    match format {
        PlainFormat::Json => {
            serde_json::to_writer_pretty(&mut out, &to_json(&plan, &preview, &detectable)).map_err(io::Error::from)?;
            writeln!(out)?;
        }
        PlainFormat::Terminal => print(&mut out, &plan, &preview, &detectable)?,
    }
    Ok(Exit::Done)
}

fn to_json(plan: &Plan, preview: &Preview, detectable: &Detectable) -> serde_json::Value {
    json!({
        "schema": "turncoat.preview/1",
        "study": plan.name,
        "plan_hash": plan.hash().to_string(),
        "tier": plan.tier,
        "trials": plan.trial_count(),
        "personas": plan.personas.iter().map(|persona| json!({ "id": persona.id, "role": persona.role, "wordings": persona.wordings.len() })).collect::<Vec<_>>(),
        "placements": plan.placements,
        "tasks": plan.tasks.len(),
        "clusters": preview.clusters.iter().map(|(kind, count)| (kind.name().to_owned(), json!(count))).collect::<serde_json::Map<_, _>>(),
        "repeats": plan.repeats,
        "subjects": preview.subjects.iter().map(subject_json).collect::<Vec<_>>(),
        "budget_usd": plan.budget_usd,
        "minimum_detectable": {
            "endpoint": plan.analysis.primary, "assumed_baseline": detectable.baseline, "ratio": detectable.ratio,
            "difference": detectable.difference, "comparisons": detectable.comparisons, "reason": detectable.reason,
        },
    })
}

fn subject_json(row: &SubjectPreview) -> serde_json::Value {
    json!({
        "id": row.subject, "calls": row.calls, "input_tokens": row.input_tokens, "output_tokens": row.output_tokens,
        "usd": row.usd, "usd_bound": row.usd_bound,
    })
}

fn print(out: &mut impl Write, plan: &Plan, preview: &Preview, detectable: &Detectable) -> io::Result<()> {
    writeln!(out, "study      {} ({} tier)", plan.name, plan.tier)?;
    if !plan.question.is_empty() {
        writeln!(out, "question   {}", plan.question)?;
    }
    writeln!(out, "plan hash  {}", plan.hash())?;
    writeln!(out)?;
    let clusters = preview.clusters.iter().map(|(kind, count)| format!("{count} {kind}")).collect::<Vec<_>>().join(", ");
    let wordings: usize = plan.personas.first().map_or(0, |persona| persona.wordings.len());
    writeln!(
        out,
        "matrix     {} subjects x {} personas x {wordings} wordings x {} tasks x {} repeats",
        plan.subjects.len(),
        plan.personas.len(),
        plan.tasks.len(),
        plan.repeats
    )?;
    writeln!(out, "clusters   {clusters}")?;
    for persona in &plan.personas {
        let role = if persona.role == Role::Baseline { "baseline".to_owned() } else { persona.role.to_string() };
        writeln!(out, "persona    {:<24} {role}", persona.id)?;
    }
    writeln!(out)?;
    writeln!(
        out,
        "{:<24} {:>9} {:>13} {:>13} {:>12} {:>12}",
        "subject", "calls", "tokens in", "tokens out", "USD", "USD at most"
    )?;
    for row in &preview.subjects {
        let simulated = plan.subjects.iter().any(|subject| subject.id == row.subject && subject.endpoint.provider.is_simulated());
        let name = if simulated { format!("{} [SIMULATED]", row.subject) } else { row.subject.clone() };
        writeln!(
            out,
            "{name:<24} {:>9} {:>13} {:>13} {:>12} {:>12}",
            row.calls,
            row.input_tokens,
            row.output_tokens,
            money(row.usd),
            money(row.usd_bound)
        )?;
    }
    let sum = |pick: fn(&SubjectPreview) -> Option<f64>| preview.subjects.iter().map(pick).sum::<Option<f64>>();
    writeln!(
        out,
        "{:<24} {:>9} {:>13} {:>13} {:>12} {:>12}",
        "together",
        plan.trial_count(),
        preview.subjects.iter().map(|row| row.input_tokens).sum::<u64>(),
        preview.subjects.iter().map(|row| row.output_tokens).sum::<u64>(),
        money(sum(|row| row.usd)),
        money(sum(|row| row.usd_bound))
    )?;
    writeln!(out, "Tokens are estimated from the texts' lengths and from what such tasks usually take; nothing was called.")?;
    match (plan.budget_usd, sum(|row| row.usd_bound)) {
        (Some(budget), Some(bound)) if bound > budget => {
            writeln!(out, "budget     {budget:.2} USD: a hard stop; at the very most this study could cost {bound:.2}")?;
        }
        (Some(budget), _) => writeln!(out, "budget     {budget:.2} USD: a hard stop")?,
        (None, _) => writeln!(out, "budget     none: add [budget] usd = ... for a hard stop")?,
    }
    writeln!(out)?;
    match (detectable.ratio, detectable.difference, &detectable.reason) {
        (Some(ratio), Some(difference), _) => writeln!(
            out,
            "detectable at 80 % power, {} comparisons, if {:.0} of 100 baseline answers are {}: a ratio of {ratio:.2} or a difference of {:.1} points",
            detectable.comparisons,
            100.0 * detectable.baseline,
            plan.analysis.primary,
            100.0 * difference
        )?,
        (_, _, Some(reason)) => writeln!(out, "detectable: no verdict possible: {reason}")?,
        _ => {}
    }
    Ok(())
}

fn money(usd: Option<f64>) -> String {
    usd.map_or_else(|| "no price".to_owned(), |usd| format!("{usd:.2}"))
}
