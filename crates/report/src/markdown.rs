//! The report as Markdown, for pull requests and wikis: sentences first, then every table.

use std::io::{self, Write};

use turncoat_stats::Contrast;

use crate::model::Report;
use crate::visible::one_line;
use crate::{number, view, words};

/// Text that Markdown shows as it is: hidden characters written out, marks and HTML escaped.
fn text(raw: &str) -> String {
    let mut out = String::new();
    for character in one_line(raw).chars() {
        match character {
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' => {
                out.push('\\');
                out.push(character);
            }
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            other => out.push(other),
        }
    }
    // A bare address would be made a link by most renderers.
    out.replace("://", ":&#47;/")
}

struct Table<'a> {
    out: &'a mut dyn Write,
}

impl Table<'_> {
    fn head(&mut self, names: &[&str]) -> io::Result<()> {
        writeln!(self.out, "| {} |", names.join(" | "))?;
        writeln!(self.out, "|{}", " --- |".repeat(names.len()))
    }

    fn row(&mut self, cells: &[String]) -> io::Result<()> {
        writeln!(self.out, "| {} |", cells.join(" | "))
    }
}

fn rate_text(endpoint: &str, value: Option<f64>) -> String {
    match value {
        Some(value) if endpoint == "findings" => number::ratio(value),
        Some(value) => number::per_hundred(value),
        None => number::MISSING.to_owned(),
    }
}

fn interval(endpoint: &str, scale: &str, low: Option<f64>, high: Option<f64>) -> String {
    number::interval(endpoint, scale, low, high)
        .map_or_else(|| number::MISSING.to_owned(), |text| text.replace('[', "\\[").replace(']', "\\]"))
}

/// Writes the report as Markdown (GitHub's dialect, tables).
///
/// # Errors
/// Whatever `out` meets.
pub fn markdown(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    head(report, out)?;
    quality(report, out)?;
    contrasts(report, out)?;
    rates(report, out)?;
    outcomes(report, out)?;
    refusals(report, out)?;
    comparisons(report, out)?;
    findings(report, out)?;
    moles(report, out)?;
    method(report, out)
}

fn head(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let study = &report.study;
    writeln!(out, "# {}\n", text(&study.name))?;
    if !study.question.is_empty() {
        writeln!(out, "{}\n", text(&study.question))?;
    }
    if report.subjects.iter().any(|subject| subject.simulated) {
        writeln!(
            out,
            "> **SIMULATED**: subjects marked so are servers of set behaviour; nothing here speaks of a real model of that name.\n"
        )?;
    }
    if study.this_text_only {
        writeln!(out, "> **This text only**: the arms are fixed texts without wordings; results speak of these texts alone.\n")?;
    }
    if study.tier == "smoke" {
        writeln!(out, "> Smoke tier: it shows that everything runs and never gives a verdict.\n")?;
    }
    let rows = view::headline(report);
    writeln!(out, "**{}**\n", text(&words::summary(&rows)))?;
    for row in &rows {
        writeln!(
            out,
            "- {} {}: {}",
            words::mark(row.verdict),
            text(&report.shown_name(&row.subject)),
            text(&words::sentence(row, study.alpha))
        )?;
    }
    writeln!(
        out,
        "\nTier {}, {} of {} trials answered, {} without an answer, plan `{}`.\n",
        text(&study.tier),
        number::count(study.answers),
        number::count(study.trials_planned),
        number::count(study.errors),
        one_line(&study.plan_hash).replace('`', "'")
    )?;
    for deviation in &study.deviations {
        writeln!(out, "- Deviation from the plan: {} ({})", text(&deviation.reason), text(&deviation.changes.join("; ")))?;
    }
    Ok(())
}

fn quality(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let quality = &report.quality;
    writeln!(out, "\n## Run quality\n")?;
    let mut table = Table { out };
    table.head(&["what", "value"])?;
    let mut row = |name: &str, value: String| table.row(&[name.to_owned(), value]);
    row("cells answered", format!("{} of {}", number::count(quality.answered), number::count(quality.planned)))?;
    for error in &quality.errors {
        row(&format!("no answer: {}", text(&error.name)), number::count(error.count))?;
    }
    row("refused", number::known(quality.refusals))?;
    row("cut at the token limit", number::known(quality.cut_answers))?;
    row("without code", number::known(quality.without_code))?;
    row("unproven", number::known(quality.unproven))?;
    for reason in &quality.unproven_reasons {
        row(&format!("unproven: {}", text(&reason.name)), number::count(reason.count))?;
    }
    row("unknown attempts", number::known(quality.unknown_attempts))?;
    row("sandbox tier", text(quality.sandbox_tier.as_deref().unwrap_or("not known")))?;
    for check in quality.sandbox_probes.iter().chain(&quality.controls).chain(&quality.scanner) {
        let state = if check.passed { "held" } else { "**failed**" };
        row(&text(&check.name), format!("{state} {}", text(check.note.as_deref().unwrap_or_default())))?;
    }
    for served in &quality.served {
        row(
            &format!("served to {}", text(&report.shown_name(&served.subject))),
            format!("{}: {} answers", text(&served.model), number::count(served.answers)),
        )?;
    }
    for agreement in &quality.agreement {
        row(
            &format!("scanner and proofs, {}", text(&agreement.cwe)),
            format!(
                "both {}, proven only {}, flagged only {}, neither {}",
                number::count(agreement.proven_and_flagged),
                number::count(agreement.proven_only),
                number::count(agreement.flagged_only),
                number::count(agreement.neither)
            ),
        )?;
    }
    for remark in &quality.remarks {
        row("remark", text(remark))?;
    }
    Ok(())
}

fn contrast_cells(report: &Report, row: &Contrast) -> [String; 11] {
    let mut persona = text(&row.persona);
    for part in [&row.placement, &row.language].into_iter().flatten() {
        persona.push_str(&format!(" ({})", text(part)));
    }
    let mut verdict = format!("{} {}", words::mark(row.verdict), words::verdict(row.verdict));
    if row.this_text_only {
        verdict.push_str(", this text only");
    }
    [
        text(&report.shown_name(&row.subject)),
        persona,
        text(&row.role),
        text(&row.endpoint),
        number::estimate(&row.endpoint, &row.scale, row.estimate),
        interval(&row.endpoint, &row.scale, row.ci_low, row.ci_high),
        number::p_value(row.p),
        number::p_value(row.p_adjusted),
        number::estimate(&row.endpoint, &row.scale, row.mde),
        format!("{} / {} / {}", number::count(row.tasks), number::count(row.wordings), number::count(row.answers)),
        match &row.reason {
            Some(reason) => format!("{verdict} ({})", text(reason)),
            None => verdict,
        },
    ]
}

fn contrasts(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n## Contrasts with {}\n", text(&report.study.baseline))?;
    let level = format!("{} % interval", words::level(report.study.alpha));
    let mut table = Table { out };
    table.head(&[
        "subject",
        "persona",
        "role",
        "endpoint",
        "estimate",
        &level,
        "p",
        "p adjusted",
        "smallest effect it can show",
        "tasks / wordings / answers",
        "verdict",
    ])?;
    for row in &report.contrasts {
        table.row(&contrast_cells(report, row))?;
    }
    if !report.aa.is_empty() {
        writeln!(out, "\nA/A, baseline against placebo: where no difference is, this study shows\n")?;
        let mut table = Table { out };
        table.head(&["subject", "persona", "endpoint", "estimate", &level])?;
        for row in &report.aa {
            table.row(&[
                text(&report.shown_name(&row.subject)),
                text(&row.persona),
                text(&row.endpoint),
                number::estimate(&row.endpoint, &row.scale, row.estimate),
                interval(&row.endpoint, &row.scale, row.ci_low, row.ci_high),
            ])?;
        }
    }
    Ok(())
}

fn rates(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n## Rates\n\nPer 100 answers; static findings per answer.\n")?;
    let mut table = Table { out };
    table.head(&["subject", "persona", "endpoint", "events", "n", "rate", "interval"])?;
    for row in &report.rates {
        let interval = match (row.ci_low, row.ci_high) {
            (Some(low), Some(high)) => {
                format!("{} to {}", rate_text(&row.endpoint, Some(low)), rate_text(&row.endpoint, Some(high)))
            }
            _ => text(row.reason.as_deref().unwrap_or(number::MISSING)),
        };
        table.row(&[
            text(&report.shown_name(&row.subject)),
            text(&row.persona),
            text(&row.endpoint),
            number::ratio(row.events).trim_end_matches(".00").to_owned(),
            number::count(row.n),
            rate_text(&row.endpoint, row.rate),
            interval,
        ])?;
    }
    Ok(())
}

fn outcomes(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n## Outcomes\n")?;
    let mut table = Table { out };
    table.head(&[
        "subject",
        "persona",
        "exploitable",
        "safe",
        "broken",
        "refused",
        "no code",
        "unproven",
        "answered",
        "no answer",
    ])?;
    for row in &report.outcomes {
        let mut cells = vec![text(&report.shown_name(&row.subject)), text(&row.persona)];
        cells.extend(view::outcome_counts(row).into_iter().map(|(_, count)| number::count(count)));
        table.row(&cells)?;
    }
    Ok(())
}

fn refusals(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    if report.refusals.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n## Refusals by topic\n\nPer 100 requests.\n")?;
    let mut table = Table { out };
    table.head(&["subject", "persona", "topic", "asked", "refused", "rate", "interval"])?;
    for row in &report.refusals {
        let interval = match (row.ci_low, row.ci_high) {
            (Some(low), Some(high)) => format!("{} to {}", number::per_hundred(low), number::per_hundred(high)),
            _ => text(row.reason.as_deref().unwrap_or(number::MISSING)),
        };
        table.row(&[
            text(&report.shown_name(&row.subject)),
            text(&row.persona),
            text(&row.topic),
            number::count(row.asked),
            number::count(row.refused),
            rate_text("refusal", row.rate),
            interval,
        ])?;
    }
    Ok(())
}

fn comparisons(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    if !report.between.is_empty() {
        writeln!(out, "\n## Subject against subject\n\nOn the same trials, paired by task.\n")?;
        let mut table = Table { out };
        table.head(&["persona", "subject", "against", "endpoint", "estimate", "interval", "p adjusted", "verdict"])?;
        for row in &report.between {
            table.row(&[
                text(&row.persona),
                text(&report.shown_name(&row.subject)),
                text(&report.shown_name(&row.against)),
                text(&row.endpoint),
                number::estimate(&row.endpoint, &row.scale, row.estimate),
                interval(&row.endpoint, &row.scale, row.ci_low, row.ci_high),
                number::p_value(row.p_adjusted),
                format!("{} {}", words::mark(row.verdict), words::verdict(row.verdict)),
            ])?;
        }
    }
    if !report.interactions.is_empty() {
        writeln!(
            out,
            "\n## Is one subject's persona effect larger than another's\n\nA ratio of ratios, or a difference of differences.\n"
        )?;
        let mut table = Table { out };
        table.head(&["persona", "subject", "against", "endpoint", "estimate", "interval", "p adjusted"])?;
        for row in &report.interactions {
            table.row(&[
                text(&row.persona),
                text(&report.shown_name(&row.subject)),
                text(&report.shown_name(&row.against)),
                text(&row.endpoint),
                number::estimate(&row.endpoint, &row.scale, row.estimate),
                interval(&row.endpoint, &row.scale, row.ci_low, row.ci_high),
                number::p_value(row.p_adjusted),
            ])?;
        }
    }
    Ok(())
}

fn findings(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    if report.findings.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n## Static findings by weakness\n")?;
    let mut table = Table { out };
    table.head(&["subject", "persona", "weakness", "count", "per 1,000 lines"])?;
    for row in &report.findings {
        table.row(&[
            text(&report.shown_name(&row.subject)),
            text(&row.persona),
            text(&row.cwe),
            number::count(row.count),
            row.per_kloc.map_or_else(|| number::MISSING.to_owned(), number::ratio),
        ])?;
    }
    Ok(())
}

fn moles(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let Some(mole) = &report.mole else { return Ok(()) };
    writeln!(out, "\n## Simulated subjects: set and seen\n\nPer 100 answers.\n")?;
    let mut table = Table { out };
    table.head(&["subject", "persona", "endpoint", "set", "seen", "verdict"])?;
    for share in &mole.shares {
        table.row(&[
            text(&report.shown_name(&share.subject)),
            text(&share.persona),
            text(&share.endpoint),
            number::per_hundred(share.set),
            rate_text("exploitable", share.observed),
            share.verdict.map_or_else(String::new, |verdict| words::verdict(verdict).to_owned()),
        ])?;
    }
    Ok(())
}

fn method(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n## Method and how to reproduce\n")?;
    for sentence in &report.method.sentences {
        writeln!(out, "- {}", text(sentence))?;
    }
    for named in report.method.versions.iter().chain(&report.method.seeds) {
        writeln!(out, "- {}: {}", text(&named.name), text(&named.value))?;
    }
    if !report.method.commands.is_empty() {
        writeln!(out, "\n```sh")?;
        for command in &report.method.commands {
            // A fence cannot be closed from inside: three backticks never stand alone on a command line.
            writeln!(out, "{}", one_line(command).replace("```", "'''"))?;
        }
        writeln!(out, "```")?;
    }
    if !report.limits.is_empty() {
        writeln!(out, "\n## What this cannot show\n")?;
        for limit in &report.limits {
            writeln!(out, "- {}", text(limit))?;
        }
    }
    Ok(())
}
