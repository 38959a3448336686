//! The run-quality box: what must be known before the numbers are read.

use maud::{Markup, html};
use turncoat_stats::rows::AaRow;

use super::text::{shown, subject};
use crate::model::{Check, Count, Report};
use crate::{number, view};

fn fact(name: &str, value: Markup) -> Markup {
    html! { div { dt { (name) } dd { (value) } } }
}

fn counts(counts: &[Count]) -> Markup {
    html! { @for count in counts { small { (number::count(count.count)) " × " (shown(&count.name)) } } }
}

fn checks(checks: &[Check]) -> Markup {
    let failed: Vec<&Check> = checks.iter().filter(|check| !check.passed).collect();
    html! {
        @if checks.is_empty() { "none recorded" }
        @else if failed.is_empty() { span class="ok" { "✓ " (checks.len()) " of " (checks.len()) " held" } }
        @else { span class="bad" { "✗ " (failed.len()) " of " (checks.len()) " failed" } }
        @for check in if failed.is_empty() { checks.iter().take(4).collect::<Vec<_>>() } else { failed } {
            small { (shown(&check.name)) @if let Some(note) = &check.note { ": " (shown(note)) } }
        }
    }
}

pub(super) fn section(report: &Report, anchor: &str) -> Markup {
    let quality = &report.quality;
    let missing = quality.planned.saturating_sub(quality.answered);
    let primary = view::primary_endpoint(report);
    let scale = view::shown_scale(report, primary);
    let aa: Vec<&AaRow> = report.aa.iter().filter(|row| row.endpoint == primary && row.scale == scale).collect();
    html! {
        section class="card" id=(format!("{anchor}-quality")) {
            h3 { "Run quality" }
            @if missing > 0 { p class="warn" { (number::count(missing)) " of " (number::count(quality.planned)) " cells have no answer. They are counted below and nowhere filled in." } }
            @for remark in &quality.remarks { p class="warn" { (shown(remark)) } }
            @for deviation in &report.study.deviations {
                p class="warn" { b { "Deviation from the plan: " } (shown(&deviation.reason)) @if !deviation.changes.is_empty() { " (" (shown(&deviation.changes.join("; "))) ")" } @if let Some(at) = &deviation.at { ", " (shown(at)) } }
            }
            dl class="grid" {
                (fact("Cells answered of planned", html! { (number::count(quality.answered)) " of " (number::count(quality.planned)) (counts(&quality.errors)) }))
                (fact("Refused, an outcome of its own", html! { (number::known(quality.refusals)) }))
                (fact("Cut at the token limit", html! { (number::known(quality.cut_answers)) }))
                (fact("Coding answers without code", html! { (number::known(quality.without_code)) }))
                (fact("Code that could not be run", html! { (number::known(quality.unproven)) (counts(&quality.unproven_reasons)) }))
                (fact("Calls in flight at a crash", html! { (number::known(quality.unknown_attempts)) small { "counted as spent, asked again" } }))
                (fact("Sandbox", html! { (shown(quality.sandbox_tier.as_deref().unwrap_or("not known"))) " " (checks(&quality.sandbox_probes)) }))
                (fact("Positive controls", checks(&quality.controls)))
                (fact("Scanner alive", checks(&quality.scanner)))
            }
            @if !aa.is_empty() { (negative_control(report, &aa)) }
            @if !quality.served.is_empty() { (served(report)) }
            @if !quality.agreement.is_empty() { (agreement(report)) }
            @if !report.subjects.is_empty() { (subjects(report)) }
        }
    }
}

fn negative_control(report: &Report, rows: &[&AaRow]) -> Markup {
    html! {
        h4 { "A/A: the baseline against a second neutral persona, where there is nothing to show" }
        div class="scroll" { table {
            thead { tr { @for aa in rows { th { (subject(report, &aa.subject)) } } } }
            tbody { tr { @for aa in rows { td {
                (number::estimate(&aa.endpoint, &aa.scale, aa.estimate)) " " (number::interval(&aa.endpoint, &aa.scale, aa.ci_low, aa.ci_high).unwrap_or_default())
                @if let Some(reason) = &aa.reason { " " small { (shown(reason)) } }
            } } } }
        } }
    }
}

fn served(report: &Report) -> Markup {
    let rows = &report.quality.served;
    html! {
        h4 { "Models served" }
        div class="scroll" { table {
            thead { tr { th { "Subject" } th { "Served model" } th { "Fingerprint" } th class="num" { "Answers" } } }
            tbody { @for row in rows {
                @let several = rows.iter().filter(|other| other.subject == row.subject).count() > 1;
                tr {
                    td { (subject(report, &row.subject)) @if several { " " b class="bad" { "changed during the run" } } }
                    td { (shown(&row.model)) } td { (shown(row.fingerprint.as_deref().unwrap_or("none given"))) } td class="num" { (number::count(row.answers)) }
                }
            } }
        } }
    }
}

fn agreement(report: &Report) -> Markup {
    html! {
        h4 { "Static findings against proofs, answers whose function tests passed" }
        div class="scroll" { table {
            thead { tr { th { "Weakness" } th class="num" { "exploit worked, alert raised" } th class="num" { "exploit worked, no alert" } th class="num" { "alert, no exploit worked" } th class="num" { "neither" } } }
            tbody { @for row in &report.quality.agreement { tr {
                th { (shown(&row.cwe)) }
                td class="num" { (number::count(row.proven_and_flagged)) } td class="num" { (number::count(row.proven_only)) } td class="num" { (number::count(row.flagged_only)) } td class="num" { (number::count(row.neither)) }
            } } }
        } }
    }
}

fn subjects(report: &Report) -> Markup {
    let money = |value: Option<f64>| value.map_or_else(|| number::MISSING.to_owned(), number::usd);
    html! {
        h4 { "Subjects" }
        div class="scroll" { table {
            thead { tr { th { "Subject" } th { "Asked for" } th { "Developer" } th class="num" { "Tokens in / out" } th class="num" { "Spent" } th class="num" { "per answer that works and holds" } } }
            tbody { @for row in &report.subjects { tr {
                td { (subject(report, &row.id)) }
                td { (shown(&row.provider)) " · " (shown(&row.model)) }
                td { (shown(row.developer.as_deref().unwrap_or("not stated"))) @if let Some(country) = &row.jurisdiction { ", " (shown(country)) } }
                td class="num" { (number::known(row.tokens_in)) " / " (number::known(row.tokens_out)) }
                td class="num" { (money(row.usd)) }
                td class="num" { (money(row.usd_per_secure_pass)) @if let Some(reason) = &row.reason { br; small { (shown(reason)) } } }
            } } }
        } }
    }
}
