//! One scan: files in, findings and an honest count of what was read out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use turncoat_answer::code::Files;
use turncoat_answer::{Confidence, Finding, Step};
use turncoat_study::Language;

use crate::rules::{ALL, Hits, alive};
use crate::{flow, python};

/// Longest text that is scanned, in bytes; a longer one counts as unparsed.
const MAX_BYTES: usize = 4 << 20;
/// Stack of the thread that scans, in bytes.
const STACK_BYTES: usize = 32 << 20;
/// Endings of files that hold data or prose: not code, so neither scanned nor missed.
const DATA: [&str; 14] = ["json", "txt", "md", "csv", "tsv", "toml", "yaml", "yml", "ini", "cfg", "css", "svg", "lock", "log"];

/// What a scan found and what it read; renders as `turncoat.findings/1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanReport {
    /// `turncoat.findings/1`.
    pub schema: String,
    /// Files that were read, wholly or in part.
    pub files_scanned: u32,
    /// Files read through an error-tolerant tree or only as far as the bounds allow.
    pub files_partial: Vec<String>,
    /// Files of code that could not be read at all: never clean.
    pub files_unparsed: Vec<String>,
    /// Rules that ran.
    pub rules: u32,
    /// Rules that did not report on their own page's bad sample.
    pub rules_failed: u32,
    /// Findings, in order of path, line and rule.
    pub findings: Vec<Finding>,
}

/// Scans files; `default` is the language of files whose name tells none.
#[must_use]
pub fn scan(files: &Files, default: Language) -> ScanReport {
    let mut report = ScanReport {
        schema: "turncoat.findings/1".to_owned(),
        files_scanned: 0,
        files_partial: Vec::new(),
        files_unparsed: Vec::new(),
        rules: u32::try_from(ALL.len()).unwrap_or(u32::MAX),
        rules_failed: u32::try_from(alive().len()).unwrap_or(u32::MAX),
        findings: Vec::new(),
    };
    let checked = on_deep_stack(|| check_all(files, default));
    for (path, checked) in files.keys().zip(checked.unwrap_or_else(|| files.keys().map(|_| Reading::Unparsed).collect())) {
        match checked {
            Reading::Data => {}
            Reading::Unparsed => report.files_unparsed.push(path.clone()),
            Reading::Checked(checked) => {
                report.files_scanned += 1;
                if checked.is_partial {
                    report.files_partial.push(path.clone());
                }
                report.findings.extend(checked.findings);
            }
        }
    }
    report
}

/// What became of one file.
enum Reading {
    Data,
    Unparsed,
    Checked(Checked),
}

fn check_all(files: &Files, default: Language) -> Vec<Reading> {
    let one = |(path, text): (&String, &String)| {
        let checked = match language_of(path, default) {
            Kind::Data => return Reading::Data,
            Kind::Code(Language::Python) => check(text, path),
            Kind::Code(_) | Kind::Unknown => None,
        };
        checked.map_or(Reading::Unparsed, Reading::Checked)
    };
    files.iter().map(one).collect()
}

/// Runs on a stack that is deep enough for the deepest code that is followed, whatever thread the caller is on; `None` when no such
/// thread can be had.
pub(crate) fn on_deep_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
    std::thread::scope(|scope| std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work).ok()?.join().ok())
}

enum Kind {
    Code(Language),
    Data,
    Unknown,
}

fn language_of(path: &str, default: Language) -> Kind {
    let name = path.rsplit('/').next().unwrap_or(path);
    let Some((_, ending)) = name.rsplit_once('.') else { return Kind::Code(default) };
    if DATA.contains(&ending.to_ascii_lowercase().as_str()) {
        return Kind::Data;
    }
    match ending {
        "pyi" | "pyw" => Kind::Code(Language::Python),
        ending => Language::from_tag(ending).map_or(Kind::Unknown, Kind::Code),
    }
}

/// One file's findings.
pub(crate) struct Checked {
    pub(crate) findings: Vec<Finding>,
    pub(crate) is_partial: bool,
}

/// Checks one Python file; `None` when it cannot be read.
pub(crate) fn check(text: &str, path: &str) -> Option<Checked> {
    if text.len() > MAX_BYTES {
        return None;
    }
    let module = python::read(text)?;
    let mut found: BTreeMap<(u32, String), Finding> = BTreeMap::new();
    let is_whole = flow::walk(&module, &mut |event| {
        for rule in ALL {
            let mut hits = Hits::default();
            (rule.check)(event, &mut hits);
            for hit in hits.0 {
                let finding = Finding {
                    path: path.to_owned(),
                    line: hit.line,
                    end_line: hit.end_line.max(hit.line),
                    cwe: hit.cwe.unwrap_or(rule.meta.cwe).to_owned(),
                    rule: rule.id(),
                    severity: hit.severity.unwrap_or(rule.meta.severity),
                    confidence: hit.confidence,
                    trigger: false,
                    message: hit.message,
                    trace: hit.trace.into_iter().map(|(line, note)| Step { path: path.to_owned(), line, note }).collect(),
                };
                keep(&mut found, finding);
            }
        }
    });
    Some(Checked { findings: found.into_values().collect(), is_partial: module.is_partial || !is_whole })
}

/// One finding a rule and line: walking a place twice must not count it twice; the surer one stays.
fn keep(found: &mut BTreeMap<(u32, String), Finding>, finding: Finding) {
    let key = (finding.line, finding.rule.clone());
    let sureness = |confidence: Confidence| confidence as u8;
    match found.get(&key) {
        Some(known) if sureness(known.confidence) >= sureness(finding.confidence) => {}
        _ => {
            found.insert(key, finding);
        }
    }
}

#[cfg(test)]
mod tests;
