//! Scanning: static findings in code that these rules have not seen yet.

use std::collections::{BTreeMap, HashMap};

use serde_json::json;
use turncoat_ledger::{CodeHash, Ledger, LedgerError, ScanRecord};
use turncoat_report::Check;
use turncoat_study::{Language, Plan, TrialKey};

use crate::analysis::SCANNER_NOTE;
use crate::failure::Failure;
use crate::ledgers;
use crate::screen::Screen;

/// Results written at a time.
const BATCH: usize = 200;

/// Scans it.
pub(super) fn scan(ledger: &Ledger, plan: &Plan, tasks: &HashMap<TrialKey, usize>, screen: &Screen) -> Result<(), Failure> {
    let failed = |error: LedgerError| ledgers::failure_midway(&error);
    let rules = turncoat_scan::RULES_VERSION.as_str();
    let reader = ledger.reader().map_err(failed)?;
    let done = reader.scanned(rules).map_err(failed)?;
    // Ordered by hash, so that a run and its repetition write in the same order.
    let mut open: BTreeMap<CodeHash, Language> = BTreeMap::new();
    reader
        .each_score(|score| {
            let task = tasks.get(&score.trial).and_then(|number| plan.tasks.get(*number)).filter(|task| task.kind.is_run());
            if let (Some(code), Some(task)) = (score.code, task)
                && !done.contains(&code)
            {
                // Where tasks of several languages got the same code, one of them speaks for all, always the same.
                let language = open.entry(code).or_insert(task.language);
                *language = task.language.min(*language);
            }
            Ok::<(), LedgerError>(())
        })
        .map_err(failed)?;
    if open.is_empty() {
        return Ok(());
    }
    let dead = turncoat_scan::alive();
    for rule in &dead {
        screen.warn(&format!("rule `{rule}` does not report its own example: its findings are missing"));
    }
    let checks = [Check {
        name: format!("all {} rules report their own examples", turncoat_scan::pages().len()),
        passed: dead.is_empty(),
        note: (!dead.is_empty()).then(|| format!("silent: {}", dead.join(", "))),
    }];
    ledger.put_note(SCANNER_NOTE, json!({ "rules": rules, "checks": checks })).map_err(failed)?;
    let bar = screen.bar(open.len() as u64, "scanning");
    let mut records = Vec::new();
    for (hash, language) in open {
        let Some(code) = reader.code(hash).map_err(failed)? else { continue };
        let result = turncoat_scan::scan(&code.files, language);
        records.push(ScanRecord {
            code: hash,
            rules: rules.to_owned(),
            lines: u32::try_from(code.files.values().map(|text| text.lines().count()).sum::<usize>()).unwrap_or(u32::MAX),
            findings: result.findings,
            partial: result.files_partial,
            unparsed: result.files_unparsed,
        });
        bar.inc(1);
        if records.len() >= BATCH {
            ledger.put_scans(std::mem::take(&mut records)).map_err(failed)?;
        }
    }
    bar.finish_and_clear();
    ledger.put_scans(records).map_err(failed)
}
