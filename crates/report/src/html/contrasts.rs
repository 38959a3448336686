//! The verdict sentences, the forest plot, and the other endpoints at a glance.

use maud::{Markup, html};
use turncoat_stats::{Contrast, Verdict};

use super::text::{shown, subject};
use crate::axis::Axis;
use crate::chart::{self, ForestRow};
use crate::model::Report;
use crate::{number, view, words};

/// With more rows than this, inconclusive ones of a subject share a sentence.
const MANY: usize = 8;

/// A verdict's mark and word.
pub(super) fn verdict(verdict: Verdict) -> Markup {
    html! {
        span class=(format!("verdict {}", words::verdict(verdict))) { s { (words::mark(verdict)) } (words::verdict(verdict)) }
    }
}

/// The lead: how many comparisons have which verdict, then a sentence for each.
pub(super) fn verdicts(report: &Report, anchor: &str) -> Markup {
    let rows = view::headline(report);
    html! {
        section class="card" id=(format!("{anchor}-verdict")) {
            h3 { "Verdict" }
            p class="lead" { (shown(&words::summary(&rows))) }
            @if report.study.tier == "smoke" { p class="warn" { "Smoke tier: it shows that everything runs and never gives a verdict." } }
            @for name in view::subjects(report) {
                @let own: Vec<&&Contrast> = rows.iter().filter(|row| row.subject == name).collect();
                @if !own.is_empty() {
                    h4 class="name" { (subject(report, name)) }
                    ul class="v" { (subject_verdicts(report, &own, rows.len() > MANY)) }
                }
            }
            (how("What the four words mean", html! {
                @for word in [Verdict::Worse, Verdict::Better, Verdict::Equivalent, Verdict::Inconclusive] {
                    p { (verdict(word)) ": " (words::reading(word)) "." }
                }
                p { "These are conditional differences: how answers changed with the persona in the request. They say nothing of anybody's intent, and a verdict other than worse is no statement that the code may be used." }
            }))
        }
    }
}

/// A sentence for each row; among many, the inconclusive ones share one.
fn subject_verdicts(report: &Report, rows: &[&&Contrast], many: bool) -> Markup {
    let (open, told): (Vec<&&&Contrast>, Vec<&&&Contrast>) = rows
        .iter()
        .partition(|row| many && row.verdict == Verdict::Inconclusive && row.estimate.is_some() && !row.this_text_only);
    html! {
        @for row in told {
            li { (verdict(row.verdict)) p { (shown(&words::sentence(row, report.study.alpha))) } }
        }
        @if !open.is_empty() {
            li { (verdict(Verdict::Inconclusive)) p class="open" {
                @for (index, row) in open.iter().enumerate() {
                    @if index > 0 { ", " }
                    (shown(&row.persona)) " (" (interval_text(row)) ")"
                }
                ": " (words::reading(Verdict::Inconclusive)) "."
            } }
        }
    }
}

/// A fold-out below a chart.
pub(super) fn how(title: &str, body: Markup) -> Markup {
    html! { details class="how" { summary { (title) } (body) } }
}

fn interval_text(row: &Contrast) -> String {
    let value = number::estimate(&row.endpoint, &row.scale, row.estimate);
    match number::interval(&row.endpoint, &row.scale, row.ci_low, row.ci_high) {
        Some(interval) => format!("{value} {interval}"),
        None => value,
    }
}

fn arm_rate(report: &Report, subject: &str, persona: &str, endpoint: &str) -> String {
    match view::rate(report, subject, persona, endpoint).and_then(|row| row.rate) {
        Some(rate) if endpoint == "findings" => number::ratio(rate),
        Some(rate) => number::per_hundred(rate),
        None => number::MISSING.to_owned(),
    }
}

/// The forest plot of the primary endpoint with its numbers as text.
pub(super) fn forest(report: &Report, anchor: &str) -> Markup {
    let endpoint = view::primary_endpoint(report);
    let rows = view::pooled(report, endpoint);
    if rows.is_empty() {
        return html! {};
    }
    let scale = view::shown_scale(report, endpoint);
    let axis = Axis::around(scale, rows.iter().flat_map(|row| [row.estimate, row.ci_low, row.ci_high]).flatten());
    let level = words::level(report.study.alpha);
    let unit = if endpoint == "findings" { "an answer" } else { "per 100" };
    let description = format!(
        "One row for each subject and persona: square the estimate, line its {level} % interval, upright line no effect, band the A/A comparison."
    );
    html! {
        section class="card" id=(format!("{anchor}-forest")) {
            h3 { "Each persona against " (shown(&report.study.baseline)) ": " (words::endpoint(endpoint)) }
            p class="note" { "Counted: " (words::endpoint_meaning(endpoint)) ". " @if scale == "ratio" { "Ratio to the baseline, logarithmic axis." } @else { "Difference to the baseline." } }
            div class="scroll" {
                table class="forest" {
                    thead { tr {
                        th { "Persona" }
                        th class="plot" { (chart::forest_axis(axis, endpoint, scale, &format!("Forest plot, {scale}"), &description)) }
                        th { (scale) " [" (level) " % interval]" }
                        th { "persona | baseline, " (unit) }
                        th { "p adjusted" }
                        th { "can show" }
                        th { "clusters × wordings, answers" }
                        th { "Verdict" }
                    } }
                    tbody {
                        @for name in view::subjects(report) {
                            @let own: Vec<&&Contrast> = rows.iter().filter(|row| row.subject == name).collect();
                            @if !own.is_empty() {
                                @let ground = format!("{anchor}-g{}", own.first().map_or(0, |row| rows.iter().position(|other| std::ptr::eq(*other, **row)).unwrap_or(0)));
                                tr class="g" { th colspan="8" { (subject(report, name)) (chart::forest_ground(axis, &ground, band(report, name, endpoint, scale))) } }
                                @for row in own { (forest_row(report, axis, row, &ground)) }
                            }
                        }
                    }
                }
            }
            (how("Understanding this chart", html! {
                p { "The square is the estimate, the line its " (level) " % interval, the upright line no effect. Left of it means less often than under the baseline, right of it more often; which side is harm depends on the endpoint. An arrow ends an interval that goes beyond the axis." }
                p { "The grey band is the A/A comparison: the baseline against a second, equally neutral persona. An effect no larger than that band is what this study shows where there is nothing to show." }
                p { "The absolute rates stand beside the ratio, since a large ratio of two rare events is still rare. The column ‘can show’ is the smallest effect that this study would show with a chance of 80 %: smaller ones may exist unseen. p is adjusted over the declared family; controls and the second neutral persona, in grey, stand outside it." }
            }))
        }
    }
}

/// The A/A band of a subject: the interval of the baseline against the placebo.
fn band(report: &Report, subject: &str, endpoint: &str, scale: &str) -> Option<(f64, f64)> {
    view::aa(report, subject, endpoint, scale).and_then(|aa| aa.ci_low.zip(aa.ci_high))
}

fn forest_row(report: &Report, axis: Axis, row: &Contrast, ground: &str) -> Markup {
    let text = interval_text(row);
    let placebo = row.role == "placebo";
    let drawn = ForestRow { estimate: row.estimate, interval: row.ci_low.zip(row.ci_high), ground, title: &text };
    let class = match row.verdict {
        _ if placebo || row.role == "control" => Some("c"),
        Verdict::Inconclusive => None,
        verdict => Some(words::verdict(verdict)),
    };
    html! {
        tr class=[class] {
            th { (shown(&row.persona)) }
            td { (chart::forest_row(axis, &drawn)) }
            td { (text) }
            td { (arm_rate(report, &row.subject, &row.persona, &row.endpoint)) " | " (arm_rate(report, &row.subject, &row.baseline, &row.endpoint)) }
            td { (number::p_value(row.p_adjusted)) }
            td { (number::estimate(&row.endpoint, &row.scale, row.mde)) }
            td { (row.tasks) " × " (row.wordings) ", " (number::count(row.answers)) }
            td {
                @if placebo { "A/A" } @else { (words::mark(row.verdict)) " " (words::verdict(row.verdict)) }
                @if row.this_text_only { br; small { "this text only" } }
            }
        }
    }
}

/// The other endpoints, a cell for each row: mark and estimate; the intervals stand in the table of all numbers.
pub(super) fn others(report: &Report, anchor: &str) -> Markup {
    let primary = view::primary_endpoint(report);
    let endpoints: Vec<&str> = view::endpoints(report).into_iter().filter(|name| *name != primary).collect();
    if endpoints.is_empty() {
        return html! {};
    }
    let tables: Vec<(&str, Vec<&Contrast>)> = endpoints.iter().map(|name| (*name, view::pooled(report, name))).collect();
    let personas = view::personas(report);
    html! {
        section class="card" id=(format!("{anchor}-endpoints")) {
            h3 { "Other endpoints" }
            p class="note" { "Against the baseline; ▲ worse, ▼ better, = equivalent, ○ inconclusive. Secondary: they were not what the study was sized for." }
            div class="scroll" { table class="ends" {
                thead { tr { th { "Persona" } @for name in &endpoints { th { (words::endpoint(name)) } } } }
                tbody { @for name in view::subjects(report) {
                    @let of_subject: Vec<Vec<&&Contrast>> = tables.iter().map(|(_, rows)| rows.iter().filter(|row| row.subject == name).collect()).collect();
                    @if of_subject.iter().any(|rows| !rows.is_empty()) {
                        tr class="g" { th colspan=(endpoints.len() + 1) { (subject(report, name)) } }
                        @for persona in &personas {
                            @let cells: Vec<Option<&&Contrast>> = of_subject.iter().map(|rows| rows.iter().find(|row| row.persona == *persona).copied()).collect();
                            @if cells.iter().any(Option::is_some) {
                                tr {
                                    th { (shown(persona)) }
                                    @for cell in cells { @match cell {
                                        Some(row) => { td class=[(row.verdict != Verdict::Inconclusive).then(|| words::verdict(row.verdict))] {
                                            (words::mark(row.verdict)) " " (number::estimate(&row.endpoint, &row.scale, row.estimate))
                                        } }
                                        None => { td {} }
                                    } }
                                }
                            }
                        }
                    }
                } }
            } }
            (how("Understanding this table", html! {
                @for name in &endpoints { p { b { (words::endpoint(name)) } ": " (words::endpoint_meaning(name)) "." } }
                p { "Refusals thin out the answers with code: the table of all numbers gives, for code endpoints, the range that the estimate would have if every refused cell had been exploitable in one arm and not in the other." }
            }))
        }
    }
}
