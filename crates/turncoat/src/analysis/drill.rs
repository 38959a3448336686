//! Every trial flat, for the CSV, and whole, for the page's drill-down.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use turncoat_answer::Answer;
use turncoat_ledger::{CodeHash, LedgerError, LedgerKind, Reader, StoredAnswer, Wanted};
use turncoat_report::{Drill, TrialRow};
use turncoat_study::{Trial, TrialKey};

use super::{Material, imported};
use crate::failure::Failure;
use crate::ledgers;

/// A row a trial, in the order of the plan's tables.
pub(crate) fn trial_rows(reader: &Reader) -> Result<Vec<TrialRow>, Failure> {
    if reader.kind().map_err(|error| ledgers::failure(&error))? == LedgerKind::Import {
        return imported::trial_rows(reader);
    }
    let material = Material::gather(reader)?;
    let errors = errors(reader, &material)?;
    let served = served(reader)?;
    Ok(ordered(&material).into_iter().map(|trial| row(&material, &trial, &errors, &served)).collect())
}

type Errors = HashMap<TrialKey, turncoat_ledger::Failure>;

fn errors(reader: &Reader, material: &Material) -> Result<Errors, Failure> {
    let gaps = reader.gaps(&material.trials).map_err(|error| ledgers::failure(&error))?;
    Ok(gaps.into_iter().filter_map(|gap| Some((gap.trial.key, gap.last?))).collect())
}

/// The model each answer was served by; names are few, so they are shared.
fn served(reader: &Reader) -> Result<HashMap<TrialKey, String>, Failure> {
    reader.served_models().map_err(|error| ledgers::failure(&error))
}

/// Trials in an order that people can follow: subject, task, persona, wording, repeat.
fn ordered(material: &Material) -> Vec<Trial> {
    let mut trials = material.trials.clone();
    trials.sort_by_key(|trial| (trial.subject, trial.task, trial.persona, trial.wording, trial.repeat));
    trials
}

fn row(material: &Material, trial: &Trial, errors: &Errors, served: &HashMap<TrialKey, String>) -> TrialRow {
    let plan = &material.plan;
    let (subject, persona, wording, task) = (plan.subject(trial), plan.persona(trial), plan.wording(trial), plan.task(trial));
    let summary = material.summaries.get(&trial.key);
    let score = material.scores.get(&trial.key);
    let scan = score.and_then(|score| material.scan(score));
    let mut cwes: Vec<String> =
        scan.map(|scan| scan.findings.iter().map(|finding| finding.cwe.clone()).collect()).unwrap_or_default();
    cwes.sort();
    cwes.dedup();
    TrialRow {
        trial: trial.key.to_string(),
        subject: subject.id.clone(),
        simulated: subject.endpoint.provider.is_simulated(),
        persona: persona.id.clone(),
        role: persona.role.to_string(),
        frame: wording.frame.clone(),
        placement: wording.placement.to_string(),
        language: wording.language.clone(),
        task: task.path(),
        cluster: task.cluster.clone(),
        kind: task.kind.to_string(),
        repeat: trial.repeat,
        outcome: score.map(|score| score.outcome),
        refusal_layer: score.and_then(|score| score.refusal),
        error: if summary.is_none() { errors.get(&trial.key).map(|failure| failure.kind) } else { None },
        reason: score
            .and_then(|score| score.reason.clone())
            .or_else(|| errors.get(&trial.key).map(|failure| failure.message.clone())),
        findings: scan.map(|scan| scan.findings.len() as u64),
        findings_weighted: scan.map(|scan| scan.findings.iter().map(|finding| finding.severity.weight()).sum()),
        cwes,
        code_lines: score.and_then(|score| score.code_lines).map(u64::from),
        latency_ms: summary.map(|summary| summary.latency_ms),
        usd: summary.map(|summary| summary.cost_usd),
        tokens_in: summary.and_then(|summary| summary.tokens_in),
        tokens_out: summary.and_then(|summary| summary.tokens_out),
        served_model: served.get(&trial.key).cloned(),
        cut: summary.is_some_and(|summary| summary.cut),
    }
}

/// Texts that many answers share, each kept once.
#[derive(Default)]
struct Shared {
    texts: HashMap<String, Arc<str>>,
    code: HashMap<CodeHash, Vec<(String, Arc<str>)>>,
}

impl Shared {
    fn text(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.get(text) {
            return Arc::clone(known);
        }
        let shared: Arc<str> = Arc::from(text);
        self.texts.insert(text.to_owned(), Arc::clone(&shared));
        shared
    }
}

/// Every answered trial whole, in the order of [`trial_rows`]. Imported outcomes have none.
pub(crate) fn drills(reader: &Reader) -> Result<Vec<Drill>, Failure> {
    let failed = |error: LedgerError| ledgers::failure(&error);
    if reader.kind().map_err(failed)? == LedgerKind::Import {
        return Ok(Vec::new());
    }
    let material = Material::gather(reader)?;
    let errors = errors(reader, &material)?;
    let served = served(reader)?;
    let mut answers: HashMap<TrialKey, Answer> = HashMap::new();
    reader
        .answers(Wanted::All, |stored: StoredAnswer| {
            answers.insert(stored.trial, stored.answer);
            Ok::<(), LedgerError>(())
        })
        .map_err(failed)?;
    let mut shared = Shared::default();
    let mut drills = Vec::with_capacity(answers.len());
    for trial in ordered(&material) {
        let Some(answer) = answers.remove(&trial.key) else { continue };
        let row = row(&material, &trial, &errors, &served);
        drills.push(drill(reader, &material, &trial, row, answer, &mut shared)?);
    }
    Ok(drills)
}

fn drill(
    reader: &Reader,
    material: &Material,
    trial: &Trial,
    row: TrialRow,
    answer: Answer,
    shared: &mut Shared,
) -> Result<Drill, Failure> {
    let failed = |error: LedgerError| ledgers::failure(&error);
    let prompt = material.plan.prompt(trial);
    let score = material.scores.get(&trial.key);
    let mut files = Vec::new();
    let mut proof = Vec::new();
    if let Some(hash) = score.and_then(|score| score.code) {
        files = match shared.code.entry(hash) {
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(place) => {
                let code = reader.code(hash).map_err(failed)?.map(|code| code.files).unwrap_or_default();
                place.insert(code.into_iter().map(|(name, text)| (name, Arc::from(text))).collect()).clone()
            }
        };
        if material.plan.task(trial).kind.is_run() {
            let found = reader.newest_proof(hash, &material.plan.task(trial).path()).map_err(failed)?;
            proof = found.map(|record| record.proof.results).unwrap_or_default();
        }
    }
    Ok(Drill {
        row,
        wording: Some(shared.text(&material.plan.wording(trial).text)),
        system: Some(shared.text(&prompt.system)),
        user: Some(shared.text(&prompt.user)),
        text: Some(shared.text(&answer.text)),
        reasoning: answer.reasoning.as_deref().map(|text| shared.text(text)),
        files,
        findings: score.and_then(|score| material.scan(score)).map(|scan| scan.findings.clone()).unwrap_or_default(),
        proof,
    })
}
