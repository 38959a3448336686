//! Method, limits, the command that reproduces the page, all numbers, and the data to download.

use maud::{Markup, html};
use turncoat_stats::{BetweenRow, InteractionRow};

use super::compare::{between_table, interaction_table};
use super::contrasts::{how, verdict};
use super::digest::base64;
use super::text::{in_id, shown, subject};
use crate::model::Report;
use crate::part::Part;
use crate::{number, words};

/// Larger data is not embedded; the page says how to get it.
const LARGEST_DOWNLOAD: usize = 512 * 1024;

pub(super) fn section(part: &Part<'_>, anchor: &str) -> Markup {
    let report = part.report;
    let method = &report.method;
    html! {
        section class="card" id=(format!("{anchor}-method")) {
            h3 { "Method, limits, and how to make this page again" }
            @if !method.commands.is_empty() { pre class="cmd" tabindex="0" { @for command in &method.commands { (shown(command)) "\n" } } }
            @for sentence in &method.sentences { p { (shown(sentence)) } }
            @if !report.limits.is_empty() {
                h4 { "What this study cannot show" }
                ul { @for limit in &report.limits { li { (shown(limit)) } } }
            }
            dl class="grid" {
                div { dt { "Plan hash" } dd { code { (shown(&report.study.plan_hash)) } } }
                div { dt { "Primary endpoint" } dd { (words::endpoint(&report.study.primary)) small { "level " (report.study.alpha) ", adjustment " (shown(&report.study.adjust)) ", margins " (number::ratio(report.study.margin)) "× and " (number::points(report.study.margin_difference)) " points" } } }
                div { dt { "Seed" } dd { (report.study.seed) } }
                @for named in method.seeds.iter().chain(&method.versions) { div { dt { (shown(&named.name)) } dd { (shown(&named.value)) } } }
            }
            (downloads(part))
            (how("All numbers", all_numbers(report)))
        }
    }
}

fn link(name: &str, kind: &str, label: &str, bytes: &[u8]) -> Markup {
    if bytes.len() > LARGEST_DOWNLOAD {
        return html! { p class="note" { (label) " is too large to embed (" (number::count(bytes.len() as u64 / 1024)) " KiB); " code { "turncoat report LEDGER --format " (kind) } " writes it." } };
    }
    let mime = if kind == "json" { "application/json" } else { "text/csv" };
    html! { p { a download=(name) href=(format!("data:{mime};base64,{}", base64(bytes))) { (label) } " (" (number::count((bytes.len() as u64).div_ceil(1024))) " KiB)" } }
}

fn downloads(part: &Part<'_>) -> Markup {
    // Without indentation, so that most reports are small enough to embed.
    let report = serde_json::to_vec(part.report).unwrap_or_default();
    let mut trials = Vec::new();
    let csv = !part.drill.is_empty() && crate::csv(part.drill.iter().map(|answer| &answer.row), &mut trials).is_ok();
    let name = in_id(&part.report.study.name);
    html! {
        h4 { "Data" }
        @if !report.is_empty() { (link(&format!("{name}.json"), "json", "The report as JSON", &report)) }
        @if csv { (link(&format!("{name}.csv"), "csv", "The trials as CSV", &trials)) }
    }
}

/// Every row of the contract that is not shown whole elsewhere.
fn all_numbers(report: &Report) -> Markup {
    let between: Vec<&BetweenRow> = report.between.iter().collect();
    let interactions: Vec<&InteractionRow> = report.interactions.iter().collect();
    html! {
        h4 { "Contrasts" }
        div class="scroll" { table {
            thead { tr { th { "Subject" } th { "Persona" } th { "Endpoint" } th { "Estimate [interval]" } th class="num" { "p" } th class="num" { "adjusted" } th class="num" { "can show" } th { "if refused cells were all bad or all good" } th { "Verdict" } } }
            tbody { @for row in &report.contrasts { tr {
                td { (subject(report, &row.subject)) }
                td { (shown(&row.persona)) @for part in [&row.placement, &row.language].into_iter().flatten() { " (" (shown(part)) ")" } @if row.role != "treatment" { br; small { (shown(&row.role)) } } }
                td { (words::endpoint(&row.endpoint)) }
                td class="nb" { (number::estimate(&row.endpoint, &row.scale, row.estimate)) " " (number::interval(&row.endpoint, &row.scale, row.ci_low, row.ci_high).unwrap_or_default()) }
                td class="num" { (number::p_value(row.p)) } td class="num" { (number::p_value(row.p_adjusted)) }
                td class="num" { (number::estimate(&row.endpoint, &row.scale, row.mde)) }
                td class="nb" { (number::interval(&row.endpoint, &row.scale, row.selection_low, row.selection_high).unwrap_or_default()) }
                td { (verdict(row.verdict)) @if let Some(reason) = &row.reason { br; small { (shown(reason)) } } }
            } } }
        } }
        h4 { "Rates" }
        div class="scroll" { table {
            thead { tr { th { "Subject" } th { "Persona" } th { "Endpoint" } th class="num" { "Events of n" } th class="num" { "Rate" } th { "Interval" } } }
            tbody { @for row in &report.rates { tr {
                @let number_of = |value: f64| if row.endpoint == "findings" { number::ratio(value) } else { number::per_hundred(value) };
                td { (subject(report, &row.subject)) } td { (shown(&row.persona)) } td { (words::endpoint(&row.endpoint)) }
                td class="num" { (number::ratio(row.events).trim_end_matches(".00").trim_end_matches(".0")) " of " (number::count(row.n)) }
                td class="num" { (row.rate.map_or_else(|| number::MISSING.to_owned(), number_of)) }
                td class="nb" { @match (row.ci_low, row.ci_high) { (Some(low), Some(high)) => { (number_of(low)) " to " (number_of(high)) } _ => { (shown(row.reason.as_deref().unwrap_or(number::MISSING))) } } }
            } } }
        } }
        @if !between.is_empty() { h4 { "Subject against subject" } (between_table(report, &between)) }
        @if !interactions.is_empty() { h4 { "Persona effects against each other" } (interaction_table(report, &interactions)) }
    }
}
