//! Subjects against each other, persona effects against each other, simulated subjects, published claims.

use maud::{Markup, html};
use turncoat_stats::{BetweenRow, InteractionRow};

use super::contrasts::{how, verdict};
use super::text::{shown, subject};
use crate::chart;
use crate::model::Report;
use crate::part::Claim;
use crate::{number, view, words};

fn with_interval(endpoint: &str, scale: &str, estimate: Option<f64>, low: Option<f64>, high: Option<f64>) -> String {
    let value = number::estimate(endpoint, scale, estimate);
    number::interval(endpoint, scale, low, high).map_or(value.clone(), |interval| format!("{value} {interval}"))
}

pub(super) fn between_table(report: &Report, rows: &[&BetweenRow]) -> Markup {
    html! { div class="scroll" { table {
        thead { tr { th { "Subject" } th { "against" } th { "under" } th { "Endpoint" } th { "Estimate [interval]" } th class="num" { "p adjusted" } th { "Verdict" } } }
        tbody { @for row in rows { tr {
            td { (subject(report, &row.subject)) } td { (subject(report, &row.against)) } td { (shown(&row.persona)) } td { (words::endpoint(&row.endpoint)) }
            td class="nb" { (with_interval(&row.endpoint, &row.scale, row.estimate, row.ci_low, row.ci_high)) }
            td class="num" { (number::p_value(row.p_adjusted)) }
            td { (verdict(row.verdict)) @if let Some(reason) = &row.reason { br; small { (shown(reason)) } } }
        } } }
    } } }
}

pub(super) fn interaction_table(report: &Report, rows: &[&InteractionRow]) -> Markup {
    html! { div class="scroll" { table {
        thead { tr { th { "Persona" } th { "Effect in" } th { "against that in" } th { "Endpoint" } th { "Estimate [interval]" } th class="num" { "p adjusted" } } }
        tbody { @for row in rows { tr {
            td { (shown(&row.persona)) } td { (subject(report, &row.subject)) } td { (subject(report, &row.against)) } td { (words::endpoint(&row.endpoint)) }
            td class="nb" { (with_interval(&row.endpoint, &row.scale, row.estimate, row.ci_low, row.ci_high)) @if let Some(reason) = &row.reason { br; small { (shown(reason)) } } }
            td class="num" { (number::p_value(row.p_adjusted)) }
        } } }
    } } }
}

/// The primary endpoint's comparisons of subjects under the baseline, and of persona effects where they are clearest.
pub(super) fn section(report: &Report, anchor: &str) -> Markup {
    let primary = view::primary_endpoint(report);
    let scale = view::shown_scale(report, primary);
    let between: Vec<&BetweenRow> = report
        .between
        .iter()
        .filter(|row| row.endpoint == primary && row.persona == report.study.baseline)
        .filter(|row| report.between.iter().all(|other| !preferred(other, row)))
        .collect();
    let mut interactions: Vec<&InteractionRow> =
        report.interactions.iter().filter(|row| row.endpoint == primary && row.scale == scale).collect();
    let total = interactions.len();
    interactions.sort_by(|a, b| a.p_adjusted.unwrap_or(2.0).total_cmp(&b.p_adjusted.unwrap_or(2.0)));
    interactions.truncate(8);
    if between.is_empty() && interactions.is_empty() {
        return html! {};
    }
    html! {
        section class="card" id=(format!("{anchor}-compare")) {
            h3 { "Subjects against each other" }
            @if !between.is_empty() {
                p class="note" { "The same trials under " (shown(&report.study.baseline)) ", paired by task: " (words::endpoint(primary)) "." }
                (between_table(report, &between))
            }
            @if !interactions.is_empty() {
                h4 { "Is one subject's persona effect larger than another's" }
                @if total > interactions.len() { p class="note" { "The " (interactions.len()) " of " (total) " comparisons with the smallest p; all stand in the table of all numbers." } }
                (interaction_table(report, &interactions))
            }
            (how("Understanding these tables", html! {
                p { "The first compares subjects on the same requests. The second asks whether a persona moves one subject more than another: that one effect is shown and another is not does not yet show that they differ." }
            }))
        }
    }
}

/// Whether `other` is the same comparison as `row` on the scale that is shown instead: the ratio before the difference.
fn preferred(other: &BetweenRow, row: &BetweenRow) -> bool {
    other.scale == "ratio"
        && row.scale != "ratio"
        && other.estimate.is_some()
        && (&other.persona, &other.subject, &other.against, &other.endpoint)
            == (&row.persona, &row.subject, &row.against, &row.endpoint)
}

/// What simulated subjects were set to and what was seen; the detection curve.
pub(super) fn moles(report: &Report, anchor: &str) -> Markup {
    let Some(mole) = &report.mole else { return html! {} };
    html! {
        section class="card" id=(format!("{anchor}-moles")) {
            h3 { "What the instrument can see" }
            p class="note" { "Simulated subjects answer with set shares of exploitable, broken and refused answers. The study does not know these shares: what it measured stands beside them." }
            @if !mole.shares.is_empty() { div class="scroll" { table {
                thead { tr { th { "Subject" } th { "Persona" } th { "Share of" } th class="num" { "set, per 100" } th { "seen, per 100 [interval]" } th class="num" { "ratio set" } th { "Verdict" } } }
                tbody { @for share in &mole.shares { tr {
                    td { (subject(report, &share.subject)) } td { (shown(&share.persona)) } td { (words::endpoint(&share.endpoint)) }
                    td class="num" { (number::per_hundred(share.set)) }
                    td class="nb" {
                        (share.observed.map_or_else(|| number::MISSING.to_owned(), number::per_hundred))
                        @if let (Some(low), Some(high)) = (share.ci_low, share.ci_high) { " [" (number::per_hundred(low)) ", " (number::per_hundred(high)) "]" }
                        @if let Some(reason) = &share.reason { " " small { (shown(reason)) } }
                    }
                    td class="num" { @if let Some(ratio) = share.set_ratio { (number::ratio(ratio)) "×" } }
                    td { @if let Some(word) = share.verdict { (verdict(word)) } }
                } } }
            } } }
            @if !mole.curve.is_empty() {
                h4 { "Detection curve" }
                (chart::curve(&mole.curve))
                (how("Understanding this chart", html! { p { "Upwards: of 100 simulated studies of this very design, how many call the persona different. Rightwards: the true ratio. At a ratio of 1 there is no difference, so the curve shows how often the study would raise a false alarm." } }))
            }
        }
    }
}

/// Published claims beside what a study of this size can show.
pub(super) fn claims(claims: &[Claim], anchor: &str) -> Markup {
    if claims.is_empty() {
        return html! {};
    }
    html! {
        section class="card" id=(format!("{anchor}-claims")) {
            h3 { "Which published claims a study of this size can show" }
            div class="scroll" { table class="claims" {
                thead { tr { th { "Published claim" } th { "Size" } th class="num" { "Chance to show it" } th { "Smallest effect shown with 80 % chance" } th class="num" { "Answers an arm it would take" } th { "This study" } } }
                tbody { @for claim in claims { tr {
                    td { (shown(&claim.claim)) br; small { (shown(&claim.source)) @if claim.weak_source { " · " b { "weak source" } } } }
                    td class="nb" { (shown(&claim.published)) }
                    td class="num" { (claim.power.map_or_else(|| number::MISSING.to_owned(), |power| format!("{:.0} %", power * 100.0))) }
                    td { (shown(claim.mde.as_deref().unwrap_or(number::MISSING))) }
                    td class="num" { (claim.answers_needed.map_or_else(|| number::MISSING.to_owned(), number::count)) }
                    td { (shown(&claim.shown)) }
                } } }
            } }
        }
    }
}
