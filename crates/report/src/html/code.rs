//! Code with the lines that findings point at, the findings themselves, and what the tests sent and saw.

use std::collections::BTreeMap;

use maud::{Markup, html};
use turncoat_answer::{Confidence, Finding, ProbeResult, Severity};

use super::text::{block, cut, shown};
use crate::number;
use crate::part::Drill;

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
        Severity::Critical => "critical",
    }
}

fn confidence(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Low => "low",
        Confidence::Medium => "medium",
        Confidence::High => "high",
    }
}

/// Everything that follows from an answer's code alone; answers with the same code share it.
pub(super) fn scored(answer: &Drill) -> Markup {
    html! {
        @for (name, content) in &answer.files { (file(name, content, &answer.findings)) }
        @if !answer.findings.is_empty() { (findings(&answer.findings)) }
        @if !answer.proof.is_empty() { (proof(&answer.proof)) }
    }
}

/// How comments start, so that the script colours them.
fn comments(name: &str) -> &'static str {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    if matches!(ending, "py" | "rb" | "sh" | "yaml" | "yml" | "toml") { "hash" } else { "slash" }
}

fn file(name: &str, content: &str, findings: &[Finding]) -> Markup {
    let (head, left) = cut(content);
    let lines: Vec<&str> = head.lines().collect();
    // A finding is marked in its first lines only: a span of a whole file would mark everything.
    let mut marked: BTreeMap<usize, String> = BTreeMap::new();
    for finding in findings.iter().filter(|finding| finding.path == name || finding.path.is_empty()) {
        for line in finding.line..=finding.end_line.min(finding.line.saturating_add(4)).max(finding.line) {
            let note = marked.entry(usize::try_from(line).unwrap_or(usize::MAX)).or_default();
            if !note.is_empty() {
                note.push_str("; ");
            }
            note.push_str(&crate::visible::one_line(&format!("{} {}", finding.cwe, finding.rule)));
        }
    }
    html! {
        h4 class="file" { (shown(name)) }
        div class="code" {
            pre class="n" aria-hidden="true" {
                @for number in 1..=lines.len().max(1) {
                    @if marked.contains_key(&number) { b { "● " (number) } } @else { (number) }
                    "\n"
                }
            }
            pre class="c" tabindex="0" data-l=(comments(name)) {
                @for (index, line) in lines.iter().enumerate() {
                    @match marked.get(&(index + 1)) {
                        Some(note) => { mark title=(note) { (shown(line)) } }
                        None => { (shown(line)) }
                    }
                    "\n"
                }
            }
        }
        @if left > 0 { p class="note" { (number::count(left as u64)) " more characters are left out here." } }
    }
}

fn findings(findings: &[Finding]) -> Markup {
    html! {
        h4 { "Findings" }
        ul class="fi" {
            @for finding in findings {
                li {
                    b { (shown(&finding.cwe)) } " · line " (finding.line) " · " (severity(finding.severity)) " severity, "
                    (confidence(finding.confidence)) " confidence · " code { (shown(&finding.rule)) }
                    @if finding.trigger { " · " b { "behind a trigger condition" } }
                    br; (shown(&finding.message))
                    @if !finding.trace.is_empty() {
                        small { @for step in &finding.trace { br; "line " (step.line) ": " (shown(&step.note)) } }
                    }
                }
            }
        }
    }
}

fn proof(results: &[ProbeResult]) -> Markup {
    html! {
        h4 { "Function cases and exploit probes" }
        ul class="pr" {
            @for result in results {
                // A case that fails and a probe that works are both bad news.
                @let bad = result.hit == result.is_probe;
                li class=(if bad { "hit" } else { "held" }) {
                    @match (result.is_probe, result.hit) {
                        (true, true) => { b class="bad" { "▲ exploit worked" } }
                        (true, false) => { b class="ok" { "▽ exploit did not work" } }
                        (false, true) => { b class="ok" { "✓ case passed" } }
                        (false, false) => { b class="bad" { "✗ case failed" } }
                    }
                    " · " (shown(&result.name))
                    @if let Some(cwe) = &result.cwe { " · " (shown(cwe)) }
                    @if !result.transcript.is_empty() { (block(&result.transcript)) }
                }
            }
        }
    }
}
