//! From answers to outcomes: read each answer, scan its code, run its code. Scoring is blind: scanner and tests are handed normalised
//! code and a task, never a subject, persona or wording; equal code is scored once.

mod prove;
mod read;
mod scan;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};

use turncoat_answer::Outcome;
use turncoat_ledger::{Ledger, LedgerError, Score};
use turncoat_study::{Plan, TrialKey};

use crate::failure::Failure;
use crate::ledgers;
use crate::screen::Screen;

pub(crate) use prove::require_sandbox;

/// Scores every answer of a ledger; with `run_code` its code is run too, as far as that has not been done.
pub(crate) fn score(ledger: &Ledger, plan: &Plan, run_code: bool, screen: &Screen) -> Result<(), Failure> {
    let tasks: HashMap<TrialKey, usize> = plan.trials().iter().map(|trial| (trial.key, trial.task as usize)).collect();
    read::read(ledger, plan, &tasks, screen)?;
    scan::scan(ledger, plan, &tasks, screen)?;
    if run_code {
        prove::prove(ledger, plan, &tasks, screen)?;
    }
    settle(ledger, plan, &tasks)
}

/// Scores written at a time: each write waits for the disk once.
const BATCH: usize = 2_000;

/// Gives answers whose code is to be run the outcome of its newest proof.
fn settle(ledger: &Ledger, plan: &Plan, tasks: &HashMap<TrialKey, usize>) -> Result<(), Failure> {
    let failed = |error: LedgerError| ledgers::failure_midway(&error);
    let reader = ledger.reader().map_err(failed)?;
    let mut known: BTreeMap<(turncoat_ledger::CodeHash, usize), (Outcome, Option<String>)> = BTreeMap::new();
    let mut changed: Vec<Score> = Vec::new();
    reader
        .each_score(|mut score: Score| {
            let (Some(code), Some(number)) = (score.code, tasks.get(&score.trial)) else { return Ok(()) };
            let Some(task) = plan.tasks.get(*number).filter(|task| task.kind.is_run()) else { return Ok(()) };
            // A refusal stays one, whatever scrap of code stands in it.
            if score.outcome == Outcome::Refused {
                return Ok(());
            }
            let (outcome, reason) = match known.entry((code, *number)) {
                Entry::Occupied(found) => found.into_mut(),
                Entry::Vacant(place) => {
                    let proof = reader.newest_proof(code, &task.path())?;
                    place.insert(proof.map_or((Outcome::Unproven, Some("not run yet".to_owned())), |record| {
                        (record.proof.outcome, record.proof.reason)
                    }))
                }
            };
            if (score.outcome, &score.reason) != (*outcome, &*reason) {
                score.outcome = *outcome;
                score.reason.clone_from(reason);
                changed.push(score);
            }
            if changed.len() >= BATCH { ledger.put_scores(std::mem::take(&mut changed)) } else { Ok(()) }
        })
        .map_err(failed)?;
    if changed.is_empty() { Ok(()) } else { ledger.put_scores(changed).map_err(failed) }
}
