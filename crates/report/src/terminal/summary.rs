//! What stands around the table of contrasts: the study, the sentences, other endpoints, outcomes, quality, limits.

use std::io::{self, Write};

use super::grid::{self, Cell, Style};
use super::{Screen, estimate, style_of};
use crate::model::Report;
use crate::visible::one_line;
use crate::{number, view, words};

pub(super) fn heading(text: &str, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    if crate::visible::columns(text) > screen.width {
        return grid::paragraph(text, 2, screen, out);
    }
    grid::line(&[Cell::new(text, Style::Strong)], screen, out)
}

pub(super) fn head(report: &Report, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    let study = &report.study;
    let hash: String = study.plan_hash.chars().take(12).collect();
    let mut line = format!(
        "{} · {} · {} of {} answered",
        one_line(&study.name),
        one_line(&study.tier),
        number::count(study.answers),
        number::count(study.trials_planned)
    );
    if !hash.is_empty() {
        line.push_str(&format!(" · plan {}", one_line(&hash)));
    }
    grid::paragraph(&line, 2, screen, out)?;
    if !study.question.is_empty() {
        grid::paragraph(&one_line(&study.question), 0, screen, out)?;
    }
    if report.subjects.iter().any(|subject| subject.simulated) {
        grid::paragraph(
            "SIMULATED: subjects marked so are servers of ours with set behaviour; nothing here speaks of a real model of that name.",
            0,
            screen,
            out,
        )?;
    }
    if study.this_text_only {
        grid::paragraph(
            "This text only: the arms are fixed texts without wordings, so results speak of these texts alone.",
            0,
            screen,
            out,
        )?;
    }
    if study.tier == "smoke" {
        grid::paragraph("Smoke tier: it shows that everything runs and never gives a verdict.", 0, screen, out)?;
    }
    if study.errors > 0 {
        grid::paragraph(
            &format!("{} trials have no answer; they are counted, not dropped.", number::count(study.errors)),
            0,
            screen,
            out,
        )?;
    }
    for deviation in &study.deviations {
        grid::paragraph(&format!("Deviation from the plan: {}", one_line(&deviation.reason)), 2, screen, out)?;
    }
    writeln!(out)
}

pub(super) fn verdicts(report: &Report, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    let rows = view::headline(report);
    if rows.is_empty() {
        return Ok(());
    }
    heading(&words::summary(&rows), screen, out)?;
    for row in rows {
        let text = format!(
            "{} {}: {}",
            words::mark(row.verdict),
            one_line(&report.shown_name(&row.subject)),
            words::sentence(row, report.study.alpha)
        );
        grid::paragraph(&text, 2, screen, out)?;
    }
    writeln!(out)
}

/// Other endpoints: a line for each row with a verdict, and how many have none.
pub(super) fn others(report: &Report, primary: &str, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    for endpoint in view::endpoints(report).into_iter().filter(|name| *name != primary) {
        let rows = view::pooled(report, endpoint);
        let told: Vec<_> = rows.iter().filter(|row| row.verdict != turncoat_stats::Verdict::Inconclusive).collect();
        let open = rows.len() - told.len();
        let text = format!("{}: {} of {} contrasts inconclusive", words::endpoint(endpoint), open, rows.len());
        heading(&one_line(&text), screen, out)?;
        for row in told {
            let name = format!("  {} · {}", one_line(&report.shown_name(&row.subject)), one_line(&row.persona));
            let verdict = format!("{} {}", words::mark(row.verdict), words::verdict(row.verdict));
            if screen.width < 100 {
                grid::paragraph(&format!("{name}: {} {verdict}", estimate(row)), 4, screen, out)?;
                continue;
            }
            let cells = [
                Cell::fixed(name, 52, Style::Plain),
                Cell::fixed(estimate(row), 32, Style::Plain),
                Cell::new(verdict, style_of(row.verdict)),
            ];
            grid::line(&cells, screen, out)?;
        }
    }
    writeln!(out)
}

pub(super) fn outcomes(report: &Report, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    if report.outcomes.is_empty() {
        return Ok(());
    }
    heading("Outcomes of each arm, answers", screen, out)?;
    for row in &report.outcomes {
        let name = format!("  {} · {}", one_line(&report.shown_name(&row.subject)), one_line(&row.persona));
        let counts: Vec<String> = view::outcome_counts(row)
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .map(|(name, count)| format!("{} {}", number::count(count), view::outcome_words(name)))
            .collect();
        if screen.width < 150 {
            grid::paragraph(&name, 2, screen, out)?;
            grid::paragraph(&format!("    {}", counts.join(" · ")), 4, screen, out)?;
        } else {
            let cells = [Cell::fixed(name, 50, Style::Plain), Cell::new(counts.join(" · "), Style::Plain)];
            grid::line(&cells, screen, out)?;
        }
    }
    writeln!(out)
}

pub(super) fn refusals(report: &Report, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    let rows: Vec<_> = report.rates.iter().filter(|row| row.endpoint == "refusal" && row.events > 0.0).collect();
    if rows.is_empty() {
        return Ok(());
    }
    heading("Refused, per 100 requests", screen, out)?;
    for row in rows {
        let name = format!("  {} · {}", one_line(&report.shown_name(&row.subject)), one_line(&row.persona));
        let rate = row.rate.map_or_else(|| number::MISSING.to_owned(), number::per_hundred);
        let interval = match (row.ci_low, row.ci_high) {
            (Some(low), Some(high)) => format!(" [{}, {}]", number::per_hundred(low), number::per_hundred(high)),
            _ => String::new(),
        };
        if screen.width < 90 {
            grid::paragraph(&format!("{name}: {rate}{interval} of {}", number::count(row.n)), 4, screen, out)?;
            continue;
        }
        let width = 50;
        let cells = [
            Cell::fixed(name, width, Style::Plain),
            Cell::new(format!("{rate}{interval} of {}", number::count(row.n)), Style::Plain),
        ];
        grid::line(&cells, screen, out)?;
    }
    writeln!(out)
}

pub(super) fn moles(report: &Report, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    let Some(mole) = report.mole.as_ref().filter(|mole| !mole.shares.is_empty()) else { return Ok(()) };
    heading("Simulated subjects: share set and share seen, per 100", screen, out)?;
    for share in &mole.shares {
        let seen = share.observed.map_or_else(|| number::MISSING.to_owned(), number::per_hundred);
        let text = format!(
            "  {} · {} · {}: set {}, seen {seen}",
            one_line(&report.shown_name(&share.subject)),
            one_line(&share.persona),
            words::endpoint(&share.endpoint),
            number::per_hundred(share.set)
        );
        grid::paragraph(&text, 4, screen, out)?;
    }
    writeln!(out)
}

pub(super) fn quality(report: &Report, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    let quality = &report.quality;
    heading("Run quality", screen, out)?;
    let mut lines = vec![format!("{} of {} cells answered", number::count(quality.answered), number::count(quality.planned))];
    for error in &quality.errors {
        lines.push(format!("no answer, {}: {}", one_line(&error.name), number::count(error.count)));
    }
    lines.push(format!(
        "refused {} · cut {} · without code {} · unproven {} · unknown attempts {}",
        number::known(quality.refusals),
        number::known(quality.cut_answers),
        number::known(quality.without_code),
        number::known(quality.unproven),
        number::known(quality.unknown_attempts)
    ));
    for reason in &quality.unproven_reasons {
        lines.push(format!("unproven, {}: {}", one_line(&reason.name), number::count(reason.count)));
    }
    lines.push(format!("sandbox tier: {}", quality.sandbox_tier.as_deref().map_or_else(|| "not known".to_owned(), one_line)));
    for (what, checks) in
        [("sandbox probe", &quality.sandbox_probes), ("positive control", &quality.controls), ("scanner check", &quality.scanner)]
    {
        let failed: Vec<&str> = checks.iter().filter(|check| !check.passed).map(|check| check.name.as_str()).collect();
        if checks.is_empty() {
            lines.push(format!("{what}: none recorded"));
        } else if failed.is_empty() {
            lines.push(format!("✓ {what}: {} of {} held", checks.len(), checks.len()));
        } else {
            lines.push(format!("✗ {what}: failed: {}", one_line(&failed.join(", "))));
        }
    }
    for line in lines.iter().chain(&quality.remarks.iter().map(|remark| one_line(remark)).collect::<Vec<_>>()) {
        grid::paragraph(&format!("- {line}"), 2, screen, out)?;
    }
    writeln!(out)
}

pub(super) fn limits(report: &Report, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    if report.limits.is_empty() {
        return Ok(());
    }
    heading("What this cannot show", screen, out)?;
    for limit in &report.limits {
        grid::paragraph(&format!("- {}", one_line(limit)), 2, screen, out)?;
    }
    Ok(())
}
