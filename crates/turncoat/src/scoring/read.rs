//! Reading: code, refusals and audit findings in answers that were not read by these rules yet.

use std::collections::{BTreeMap, HashMap, HashSet};

use turncoat_answer::{Classified, Outcome, READING_VERSION, Reading, classify, terms_of};
use turncoat_ledger::{Code, CodeHash, Ledger, LedgerError, Score, StoredAnswer, Wanted};
use turncoat_study::{Plan, Task, TrialKey};

use super::BATCH;
use crate::failure::Failure;
use crate::ledgers;
use crate::screen::Screen;

/// Scores and code that wait to be written.
struct Batch<'a> {
    ledger: &'a Ledger,
    scores: Vec<Score>,
    code: Vec<Code>,
    written: HashSet<CodeHash>,
}

impl Batch<'_> {
    fn write(&mut self) -> Result<(), LedgerError> {
        // Code first: a score must never name code that is not there.
        self.ledger.put_code(std::mem::take(&mut self.code))?;
        self.ledger.put_scores(std::mem::take(&mut self.scores))
    }
}

/// Reads them.
pub(super) fn read(ledger: &Ledger, plan: &Plan, tasks: &HashMap<TrialKey, usize>, screen: &Screen) -> Result<(), Failure> {
    let failed = |error: LedgerError| ledgers::failure_midway(&error);
    let reader = ledger.reader().map_err(failed)?;
    let terms: Vec<Vec<String>> = plan.tasks.iter().map(|task| task.topic.as_ref().map(terms_of).unwrap_or_default()).collect();
    let bar = screen.bar(tasks.len() as u64, "reading");
    let mut batch = Batch { ledger, scores: Vec::new(), code: Vec::new(), written: HashSet::new() };
    reader
        .answers(Wanted::WithoutScore(READING_VERSION), |stored: StoredAnswer| {
            bar.inc(1);
            // Answers of trials that an amendment took out stay in the ledger and out of the scores.
            let Some((task, number)) = tasks.get(&stored.trial).and_then(|number| Some((plan.tasks.get(*number)?, *number)))
            else {
                return Ok(());
            };
            let none = Vec::new();
            let classified = classify(&stored.answer, task, terms.get(number).unwrap_or(&none));
            if let Some(hash) = classified.code_hash.map(CodeHash)
                && batch.written.insert(hash)
            {
                batch.code.push(Code { hash, files: classified.extraction.files.clone() });
            }
            batch.scores.push(score(stored.trial, task, classified));
            if batch.scores.len() >= BATCH { batch.write() } else { Ok(()) }
        })
        .map_err(failed)?;
    bar.finish_and_clear();
    batch.write().map_err(failed)
}

fn score(trial: TrialKey, task: &Task, classified: Classified) -> Score {
    let lines = classified.code_hash.map(|_| count_lines(&classified.extraction.files));
    let mut score = Score {
        trial,
        extractor: READING_VERSION.to_owned(),
        outcome: classified.reading.outcome().unwrap_or(Outcome::Unproven),
        reason: None,
        refusal: None,
        code: classified.code_hash.map(CodeHash),
        code_lines: lines,
        audit_hits: None,
        false_alarms: None,
    };
    match classified.reading {
        Reading::Refused { layer, reason } => {
            score.refusal = Some(layer);
            score.reason = Some(reason);
        }
        Reading::NoCode { reason } => score.reason = Some(reason),
        Reading::Answered { audit } => {
            if let Some(audit) = audit {
                score.audit_hits = (!task.planted.is_empty()).then_some((audit.hits, audit.planted));
                score.false_alarms = Some(audit.false_alarms);
            }
        }
        Reading::NeedsProof => score.reason = Some("not run yet".to_owned()),
    }
    score
}

/// Lines that are not blank.
fn count_lines(files: &BTreeMap<String, String>) -> u32 {
    let lines: usize = files.values().map(|text| text.lines().filter(|line| !line.trim().is_empty()).count()).sum();
    u32::try_from(lines).unwrap_or(u32::MAX)
}
