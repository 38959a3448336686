//! The drill-down: every answer with its code, findings, test transcript, prompt and raw text, and a filter.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use maud::{Markup, PreEscaped, html};
use turncoat_answer::Outcome;

use super::code;
use super::frame::{Frame, GAP};
use super::store::Store;
use super::text::{block, in_address, in_id, shown};
use crate::model::TrialRow;
use crate::part::{Drill, Part};
use crate::visible::one_line;
use crate::{number, view};

/// The style of answers, part of the page's policy.
pub(super) const STYLE: &str = include_str!("answers.css");

/// The outcome's name, `error` where no answer came.
fn outcome(row: &TrialRow) -> &'static str {
    row.outcome.map_or("error", Outcome::name)
}

/// The mark beside an outcome, so that colour never stands alone.
fn mark(outcome: &str) -> &'static str {
    match outcome {
        "exploitable" => "▲",
        "safe" => "▽",
        "broken" => "◇",
        "refused" => "⊘",
        "answered" => "●",
        "error" => "!",
        _ => "○",
    }
}

/// What makes two answers of different personas each other's counterpart.
fn pair(row: &TrialRow) -> [&str; 6] {
    [&row.subject, &row.task, &row.frame, &row.placement, &row.language, &row.kind]
}

/// Ids of a list of answers: the trial's key, shortened, and a number where two would be alike.
fn ids(part: &Part<'_>, drill: &[&Drill]) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let anchor = in_id(&part.anchor);
    let id_of = |(index, answer): (usize, &&Drill)| {
        let key: String = in_id(&answer.row.trial).chars().take(16).collect();
        let mut id = format!("{anchor}.{key}");
        if !taken.insert(id.clone()) {
            id = format!("{id}.{index}");
            taken.insert(id.clone());
        }
        id
    };
    drill.iter().enumerate().map(id_of).collect()
}

fn values<'a>(drill: &[&'a Drill], of: impl Fn(&'a TrialRow) -> &'a str) -> Vec<(&'a str, bool)> {
    let set: BTreeMap<&str, bool> = drill.iter().map(|answer| (of(&answer.row), answer.row.simulated)).collect();
    set.into_iter().collect()
}

fn select(name: &str, label: &str, options: &[(&str, bool)], with_mark: bool) -> Markup {
    html! {
        label {
            (label)
            select name=(name) {
                option value="" { "all" }
                @for (value, simulated) in options {
                    @let plain = one_line(value);
                    option value=(plain) { (plain) @if with_mark && *simulated { " [SIMULATED]" } }
                }
            }
        }
    }
}

/// Writes the section with the filter and one entry for each answer of `drill`.
pub(super) fn write(part: &Part<'_>, drill: &[&Drill], notice: Markup, store: &mut Store, out: &mut dyn Write) -> io::Result<()> {
    let anchor = format!("{}-answers", in_id(&part.anchor));
    let ids = ids(part, drill);
    let baseline = &part.report.study.baseline;
    let counterparts: BTreeMap<([&str; 6], u32), &String> = drill
        .iter()
        .zip(&ids)
        .filter(|(answer, _)| answer.row.persona == *baseline)
        .map(|(answer, id)| ((pair(&answer.row), answer.row.repeat), id))
        .collect();
    let cwes: BTreeSet<&str> = drill.iter().flat_map(|answer| answer.row.cwes.iter().map(String::as_str)).collect();
    let cwes: Vec<(&str, bool)> = cwes.into_iter().map(|cwe| (cwe, false)).collect();
    let frame = html! {
        section class="card answers" id=(anchor) {
            // Here and not in the head: what stands before the answers is kept small.
            style { (PreEscaped(STYLE)) }
            h3 { "Every answer" }
            (notice)
            form {
                (select("subject", "Subject", &values(drill, |row| &row.subject), true))
                (select("persona", "Persona", &values(drill, |row| &row.persona), false))
                (select("task", "Task", &values(drill, |row| &row.task), false))
                (select("outcome", "Outcome", &values(drill, |row| outcome(row)), false))
                (select("cwe", "Weakness", &cwes, false))
                button type="reset" { "Clear" }
            }
            output {}
            (GAP)
            p { button type="button" class="more" hidden { "Show 200 more" } }
        }
    };
    let mut frame = Frame::of(&frame);
    frame.go_on(out)?;
    for (answer, id) in drill.iter().zip(&ids) {
        let other = counterparts.get(&(pair(&answer.row), answer.row.repeat)).filter(|other| **other != id);
        let entry = entry(part, answer, id, other.map(|id| id.as_str()), store);
        out.write_all(entry.into_string().as_bytes())?;
    }
    frame.go_on(out)
}

fn entry(part: &Part<'_>, answer: &Drill, id: &str, baseline: Option<&str>, store: &mut Store) -> Markup {
    let row = &answer.row;
    let name = outcome(row);
    let cwes: Vec<String> = row.cwes.iter().map(|cwe| one_line(cwe)).collect();
    html! {
        details class="a" id=(id) data-subject=(one_line(&row.subject)) data-persona=(one_line(&row.persona)) data-task=(one_line(&row.task)) data-outcome=(name) data-cwe=(cwes.join(" ")) {
            summary {
                span class=(format!("o {name}")) { (mark(name)) " " (view::outcome_words(name)) }
                span { (shown(&row.subject)) @if row.simulated { " " b class="sim" { "SIMULATED" } } }
                span { (shown(&row.persona)) }
                span { (shown(&row.task)) }
                span { small { (shown(&row.frame)) " · " (row.repeat) } }
                span { small { @if let Some(count) = row.findings { (number::count(count)) @if count == 1 { " finding" } @else { " findings" } } } }
            }
            div class="body" { (body(part, answer, id, baseline, store)) }
        }
    }
}

/// One of the answer's texts, kept in the store and fetched when the entry is opened.
fn slot(title: &str, fragment: Markup, store: &mut Store) -> Markup {
    let id = store.keep(fragment);
    html! {
        @if !title.is_empty() { h4 { (title) } }
        div data-f=(id) { a href=(format!("#{id}")) { "in the list of texts" } }
    }
}

fn body(part: &Part<'_>, answer: &Drill, id: &str, baseline: Option<&str>, store: &mut Store) -> Markup {
    let row = &answer.row;
    let mut facts: Vec<String> = vec![format!("{} task, cluster {}", row.kind, row.cluster), format!("trial {}", row.trial)];
    facts.extend(row.refusal_layer.map(|layer| format!("refusal layer {}", layer.name())));
    facts.extend(row.error.map(|error| format!("no answer: {error}")));
    facts.extend(row.cut.then(|| "cut at the token limit".to_owned()));
    facts.extend(row.served_model.as_ref().map(|model| format!("served as {model}")));
    facts.extend(row.latency_ms.map(|latency| format!("{} ms", number::count(latency))));
    if let (Some(sent), Some(received)) = (row.tokens_in, row.tokens_out) {
        facts.push(format!("{} tokens in, {} out", number::count(sent), number::count(received)));
    }
    facts.extend(row.usd.map(number::usd));
    html! {
        p class="meta" { @for fact in &facts { span { (shown(fact)) } } }
        @if let Some(reason) = &row.reason { p class="warn" { (shown(reason)) } }
        @if let Some(baseline) = baseline {
            p class="side" {
                a href=(format!("#side?a={};b={}", in_address(baseline), in_address(id))) {
                    "Side by side with " (shown(&part.report.study.baseline)) ": same task, frame and repeat"
                }
            }
        }
        @if !answer.files.is_empty() || !answer.findings.is_empty() || !answer.proof.is_empty() {
            (slot("", code::scored(answer), store))
        }
        @if let Some(wording) = &answer.wording { (slot("Wording of the persona", block(wording), store)) }
        @if let Some(system) = &answer.system { (slot("System message", block(system), store)) }
        @if let Some(user) = &answer.user { (slot("User message", block(user), store)) }
        @if let Some(reasoning) = &answer.reasoning { (slot("Reasoning", block(reasoning), store)) }
        @if let Some(text) = &answer.text { (slot("Answer as it came", block(text), store)) }
        @if answer.system.is_none() && answer.text.is_none() && answer.files.is_empty() {
            p class="note" { "The prompt, the text and the code of this answer are not known here." }
        }
    }
}

/// The answers of a part that tell most, at most `limit`, in their own order.
pub(super) fn shortlist(drill: &[Drill], limit: usize) -> Vec<&Drill> {
    let rows = drill.iter().map(|answer| ((&answer.row.subject, &answer.row.persona, &answer.row.task), answer.row.outcome));
    telling(rows, limit).into_iter().filter_map(|index| drill.get(index)).collect()
}

/// Places of the answers that tell most, at most `limit`, in their own order: the first of each outcome for each subject,
/// persona and task (what `answers` gives beside the outcome), then by outcome: exploitable, refused, no answer, unproven, no
/// code, broken, answered, safe.
pub fn telling<K: Ord>(answers: impl IntoIterator<Item = (K, Option<Outcome>)>, limit: usize) -> Vec<usize> {
    let mut seen = BTreeSet::new();
    let rank = |(index, (place, outcome)): (usize, (K, Option<Outcome>))| {
        let rank: u8 = match outcome {
            Some(Outcome::Exploitable) => 1,
            Some(Outcome::Refused) => 2,
            None => 3,
            Some(Outcome::Unproven) => 4,
            Some(Outcome::NoCode) => 5,
            Some(Outcome::Broken) => 6,
            Some(Outcome::Answered) => 7,
            Some(Outcome::Safe) => 8,
        };
        let first = seen.insert((place, rank));
        (if first { 0 } else { rank }, index)
    };
    let mut ranked: Vec<(u8, usize)> = answers.into_iter().enumerate().map(rank).collect();
    ranked.sort_unstable();
    ranked.truncate(limit);
    let mut chosen: Vec<usize> = ranked.into_iter().map(|(_, index)| index).collect();
    chosen.sort_unstable();
    chosen
}
