//! One self-contained HTML page: no request, a strict content security policy, light and dark, screen and print.

use std::io::{self, Write};
use std::ops::Range;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::part::{Drill, Part};
use crate::{chart, number, view};

mod answers;
mod arms;
mod code;
mod compare;
mod contrasts;
mod digest;
mod frame;
mod method;
mod quality;
mod store;
mod text;

pub use answers::telling;
use frame::{Frame, GAP};
use store::Store;
use text::{in_address, in_id, shown};

const STYLE: &str = include_str!("html/style.css");
const SCRIPT: &str = include_str!("html/script.js");

/// Answers that one page holds; beyond it the page holds those that tell most.
pub const INLINE_ANSWERS: usize = 5_000;
/// Answers on one page of the folder.
const FOLDER_ANSWERS: usize = 500;

/// A page of the folder beside the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageFile {
    /// Its path relative to the report's page, with `/`.
    pub path: String,
    /// The whole page.
    pub html: String,
}

/// Writes one page with a part for each study. Beyond [`INLINE_ANSWERS`] answers it holds those that tell most and says so.
///
/// # Errors
/// Whatever `out` meets.
pub fn page(parts: &[Part<'_>], out: &mut dyn Write) -> io::Result<()> {
    write_page(parts, None, INLINE_ANSWERS, out)
}

/// Writes the page like [`page`], but with `most` answers at most: a small page to show around.
///
/// # Errors
/// Whatever `out` meets.
pub fn page_with_answers(parts: &[Part<'_>], most: usize, out: &mut dyn Write) -> io::Result<()> {
    write_page(parts, None, most, out)
}

/// Writes the page like [`page`], and for each part with answers beyond those it holds, hands pages with all of them to `put`, one
/// at a time; their paths lie below `folder`. `fetch` is asked for the answers of such a page, by the part's number and their
/// places, so that never more than one page's are in memory.
///
/// # Errors
/// Whatever `out`, `fetch` or `put` meet.
pub fn page_with_folder(
    parts: &[Part<'_>],
    folder: &str,
    out: &mut dyn Write,
    fetch: &mut dyn FnMut(usize, Range<usize>) -> io::Result<Vec<Drill>>,
    put: &mut dyn FnMut(PageFile) -> io::Result<()>,
) -> io::Result<()> {
    write_page(parts, Some(folder), INLINE_ANSWERS, out)?;
    for (number, part) in parts.iter().enumerate().filter(|(_, part)| part.beyond > 0) {
        let all = part.drill.len() + part.beyond;
        let pages = all.div_ceil(FOLDER_ANSWERS);
        for index in 0..pages {
            let answers = fetch(number, index * FOLDER_ANSWERS..all.min((index + 1) * FOLDER_ANSWERS))?;
            let mut html = Vec::new();
            folder_page(part, &answers.iter().collect::<Vec<_>>(), index, pages, &mut html)?;
            let html = String::from_utf8(html).map_err(io::Error::other)?;
            put(PageFile { path: folder_path(folder, part, index), html })?;
        }
    }
    Ok(())
}

/// How many answers of a part its page holds: all it has at hand, or its share of `most`.
fn share(parts: &[Part<'_>], part: &Part<'_>, most: usize) -> usize {
    let all: usize = parts.iter().map(|part| part.drill.len()).sum();
    if all <= most { part.drill.len() } else { (most * part.drill.len()).div_ceil(all) }
}

fn folder_path(folder: &str, part: &Part<'_>, index: usize) -> String {
    format!("{folder}/{}-{:03}.html", in_id(&part.anchor), index + 1)
}

fn write_page(parts: &[Part<'_>], folder: Option<&str>, most: usize, out: &mut dyn Write) -> io::Result<()> {
    let title = match parts {
        [only] => only.title.clone(),
        several => format!("{} studies", several.len()),
    };
    let frame = document(
        &title,
        html! {
            div class="page" {
                (navigation(parts))
                main id="top" {
                    @if parts.len() > 1 { p class="brand" { "Turncoat report" } h1 { (shown(&title)) } }
                    (GAP)
                    footer { "Made by Turncoat" @if let Some(part) = parts.first() { " " (shown(&part.report.study.version)) } ". This page asks nothing of any server; the texts in it are answers of language models, shown as they came." }
                }
            }
            (GAP)
            dialog aria-label="Two answers side by side" { form method="dialog" { button { "Close" } } div class="two" {} }
        },
    );
    let (mut store, mut frame) = (Store::default(), Frame::of(&frame));
    frame.go_on(out)?;
    for part in parts {
        write_part(part, parts.len() > 1, share(parts, part, most), folder, &mut store, out)?;
    }
    frame.go_on(out)?;
    store.write(out)?;
    frame.go_on(out)
}

fn document(title: &str, body: Markup) -> Markup {
    let policy = format!(
        "default-src 'none'; style-src {} {}; script-src {}; img-src data:; base-uri 'none'; form-action 'none'",
        digest::source_hash(STYLE),
        digest::source_hash(answers::STYLE),
        digest::source_hash(SCRIPT)
    );
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="no-referrer";
                title { (crate::visible::one_line(title)) " · Turncoat" }
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE)) }
            }
            body {
                a class="skip" href="#top" { "To the report" }
                (chart::patterns())
                (body)
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}

fn navigation(parts: &[Part<'_>]) -> Markup {
    html! {
        nav aria-label="Sections" {
            p class="brand" { "Turncoat" }
            @for part in parts {
                @let anchor = in_id(&part.anchor);
                b { (shown(&part.title)) }
                @for (section, label) in sections(part) { a href=(format!("#{anchor}-{section}")) { (label) } }
            }
        }
    }
}

/// The sections that a part has, in order.
fn sections(part: &Part<'_>) -> Vec<(&'static str, &'static str)> {
    let report = part.report;
    let primary = view::primary_endpoint(report);
    let refusals = report.rates.iter().any(|row| row.endpoint == "refusal");
    let compares = report.between.iter().any(|row| row.endpoint == primary && row.persona == report.study.baseline)
        || report.interactions.iter().any(|row| row.endpoint == primary);
    let all = [
        (true, "verdict", "Verdict"),
        (!part.claims.is_empty(), "claims", "Published claims"),
        (true, "quality", "Run quality"),
        (!view::pooled(report, primary).is_empty(), "forest", "Personas against baseline"),
        (view::endpoints(report).len() > 1, "endpoints", "Other endpoints"),
        (!report.outcomes.is_empty(), "outcomes", "Outcomes"),
        (!report.findings.is_empty(), "heat", "Findings by weakness"),
        (refusals, "refusals", "Refusals"),
        (compares, "compare", "Subjects compared"),
        (report.mole.is_some(), "moles", "Instrument"),
        (!part.drill.is_empty(), "answers", "Every answer"),
        (!report.refusals.is_empty(), "topics", "Refusals by topic"),
        (true, "method", "Method and limits"),
    ];
    all.into_iter().filter(|(is_there, _, _)| *is_there).map(|(_, section, label)| (section, label)).collect()
}

fn head(part: &Part<'_>, several: bool) -> Markup {
    let study = &part.report.study;
    let hash: String = study.plan_hash.chars().take(12).collect();
    html! {
        @if several { h2 { (shown(&part.title)) } } @else { p class="brand" { "Turncoat report" } h1 { (shown(&part.title)) } }
        @if !study.question.is_empty() && !study.question.starts_with(part.title.as_str()) { p { (shown(&study.question)) } }
        p class="meta" {
            span { "Study " (shown(&study.name)) } span { (shown(&study.tier)) " tier" }
            span { (number::count(study.answers)) " of " (number::count(study.trials_planned)) " trials answered" }
            @if !hash.is_empty() { span { "plan " code { (shown(&hash)) } } }
            @if let Some(started) = &study.started { span { (shown(started)) @if let Some(finished) = &study.finished { " to " (shown(finished)) } } }
        }
        @if let Some(banner) = &part.banner { p class="banner" { (shown(banner)) } }
        @else if part.report.subjects.iter().any(|subject| subject.simulated) {
            p class="banner" { "SIMULATED: subjects marked so are servers of set behaviour. Nothing here speaks of a real model of that name." }
        }
        @if study.this_text_only { p class="warn" { "This text only: the arms are fixed texts without wordings. Uncertainty comes from tasks alone, and results speak of these texts." } }
        @for paragraph in &part.intro { p { (shown(paragraph)) } }
    }
}

fn write_part(
    part: &Part<'_>,
    several: bool,
    held: usize,
    folder: Option<&str>,
    store: &mut Store,
    out: &mut dyn Write,
) -> io::Result<()> {
    let anchor = in_id(&part.anchor);
    let report = part.report;
    let inline = answers::shortlist(&part.drill, held);
    let all = part.drill.len() + part.beyond;
    let notice = html! {
        @if inline.len() < all {
            p class="warn" {
                "This page holds " (number::count(inline.len() as u64)) " of " (number::count(all as u64)) " answers: the first of each outcome for each subject, persona and task, then by outcome. "
                @match folder {
                    Some(folder) => { "All of them stand in the folder beside it: " @for index in 0..all.div_ceil(FOLDER_ANSWERS) { a href=(in_address(&folder_path(folder, part, index))) { (index + 1) } " " } }
                    None => { code { "turncoat show LEDGER TRIAL" } " prints any other." }
                }
            }
        }
    };
    let frame = html! {
        article class="part" id=(anchor) {
            (head(part, several))
            (contrasts::verdicts(report, &anchor))
            (compare::claims(&part.claims, &anchor))
            (quality::section(report, &anchor))
            (contrasts::forest(report, &anchor))
            (contrasts::others(report, &anchor))
            (arms::outcomes(report, &anchor))
            (arms::heat(report, &anchor, !inline.is_empty()))
            (arms::refusals(report, &anchor))
            (compare::section(report, &anchor))
            (compare::moles(report, &anchor))
            @if !part.drill.is_empty() { (GAP) }
            (arms::topics(report, &anchor))
            (method::section(part, &anchor))
        }
    };
    let mut frame = Frame::of(&frame);
    frame.go_on(out)?;
    if !part.drill.is_empty() {
        answers::write(part, &inline, notice, store, out)?;
        frame.go_on(out)?;
    }
    Ok(())
}

fn folder_page(part: &Part<'_>, drill: &[&Drill], index: usize, pages: usize, out: &mut dyn Write) -> io::Result<()> {
    let place = |other: usize| format!("{}-{:03}.html", in_id(&part.anchor), other + 1);
    let notice = html! {
        p {
            "Page " (index + 1) " of " (pages) ". "
            @if index > 0 { a href=(place(index - 1)) { "Previous" } " " }
            @if index + 1 < pages { a href=(place(index + 1)) { "Next" } }
        }
    };
    let frame = document(
        &part.title,
        html! {
            div class="page" {
                nav aria-label="Sections" { p class="brand" { "Turncoat" } }
                main id="top" {
                    article class="part" {
                        h1 { (shown(&part.title)) }
                        @if let Some(banner) = &part.banner { p class="banner" { (shown(banner)) } }
                        (GAP)
                    }
                }
            }
            (GAP)
            dialog aria-label="Two answers side by side" { form method="dialog" { button { "Close" } } div class="two" {} }
        },
    );
    let (mut store, mut frame) = (Store::default(), Frame::of(&frame));
    frame.go_on(out)?;
    answers::write(part, drill, notice, &mut store, out)?;
    frame.go_on(out)?;
    store.write(out)?;
    frame.go_on(out)
}
