//! Every trial flat, for the CSV, and whole, for the page's drill-down.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io::Write;
use std::ops::Range;
use std::sync::Arc;

use turncoat_ledger::{CodeHash, LedgerError, LedgerKind, Reader};
use turncoat_report::{Drill, TrialRow};
use turncoat_study::TrialKey;

use super::material::{Item, Places, Texts};
use super::{Material, imported};
use crate::failure::Failure;
use crate::ledgers;

/// Writes a row a trial, in the order of the plan's tables.
pub(crate) fn csv(reader: Reader, out: &mut dyn Write) -> Result<(), Failure> {
    if reader.kind().map_err(|error| ledgers::failure(&error))? == LedgerKind::Import {
        return Ok(turncoat_report::csv(&imported::trial_rows(&reader)?, out)?);
    }
    let answers = Trials::gather(reader)?;
    Ok(turncoat_report::csv(answers.order.iter().filter_map(|place| answers.row(*place)), out)?)
}

/// Why trials have no answer.
type Errors = HashMap<TrialKey, turncoat_ledger::Failure>;

/// The answers of a ledger, whole, as many at a time as are asked for.
pub(crate) struct Answers {
    /// `None` for imported outcomes, which have no answers.
    trials: Option<Trials>,
}

/// The trials of a study in an order that people can follow.
struct Trials {
    reader: Reader,
    material: Material,
    /// Places of trials by subject, task, persona, wording, repeat.
    order: Vec<usize>,
    errors: Errors,
    /// The model that each trial's answer was served by.
    served: Vec<Option<Arc<str>>>,
}

impl Answers {
    /// Those of a ledger.
    pub(crate) fn of(reader: Reader) -> Result<Answers, Failure> {
        if reader.kind().map_err(|error| ledgers::failure(&error))? == LedgerKind::Import {
            return Ok(Answers { trials: None });
        }
        let mut trials = Trials::gather(reader)?;
        let material = &trials.material;
        trials.order.retain(|place| material.item(*place).is_some_and(|item| item.answer.is_some()));
        Ok(Answers { trials: Some(trials) })
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.trials.as_ref().map_or(0, |trials| trials.order.len())
    }

    /// Those that tell most, at most `limit`, whole.
    pub(crate) fn telling(&self, limit: usize) -> Result<Vec<Drill>, Failure> {
        let Some(trials) = &self.trials else { return Ok(Vec::new()) };
        let items = trials.order.iter().filter_map(|place| trials.material.item(*place));
        let places =
            items.map(|Item { trial, score, .. }| ((trial.subject, trial.persona, trial.task), score.map(|score| score.outcome)));
        let chosen = turncoat_report::telling(places, limit);
        trials.whole(chosen.into_iter().filter_map(|index| trials.order.get(index).copied()))
    }

    /// Those at these places of all, whole.
    pub(crate) fn at(&self, places: Range<usize>) -> Result<Vec<Drill>, Failure> {
        let Some(trials) = &self.trials else { return Ok(Vec::new()) };
        trials.whole(trials.order.get(places).unwrap_or_default().iter().copied())
    }
}

impl Trials {
    fn gather(reader: Reader) -> Result<Trials, Failure> {
        let failed = |error: LedgerError| ledgers::failure(&error);
        let material = Material::gather(&reader)?;
        let gaps = reader.gaps(&material.trials).map_err(failed)?;
        let errors = gaps.into_iter().filter_map(|gap| Some((gap.trial.key, gap.last?))).collect();
        let mut order: Vec<usize> = (0..material.trials.len()).collect();
        order.sort_by_key(|place| {
            material.trials.get(*place).map(|trial| (trial.subject, trial.task, trial.persona, trial.wording, trial.repeat))
        });
        let mut served = vec![None; material.trials.len()];
        let mut texts = Texts::default();
        let places = Places::of(&material.trials);
        reader
            .served_models(|trial, model| {
                if let Some(slot) = places.find(&trial).and_then(|place| served.get_mut(place)) {
                    *slot = Some(texts.share(model));
                }
            })
            .map_err(failed)?;
        Ok(Trials { reader, material, order, errors, served })
    }

    /// Answers whole; texts that several of them have are kept once.
    fn whole(&self, places: impl Iterator<Item = usize>) -> Result<Vec<Drill>, Failure> {
        let mut shared = Shared::default();
        let mut drills = Vec::new();
        for place in places {
            if let (Some(item), Some(row)) = (self.material.item(place), self.row(place))
                && let Some(drill) = self.drill(item, row, &mut shared)?
            {
                drills.push(drill);
            }
        }
        Ok(drills)
    }

    fn row(&self, place: usize) -> Option<TrialRow> {
        let (material, errors) = (&self.material, &self.errors);
        let Item { trial, answer, score } = material.item(place)?;
        let plan = &material.plan;
        let (subject, persona, wording, task) = (plan.subject(trial), plan.persona(trial), plan.wording(trial), plan.task(trial));
        let scan = score.and_then(|score| material.scan(score));
        let mut cwes: Vec<String> =
            scan.map(|scan| scan.findings.iter().map(|(cwe, _)| cwe.to_string()).collect()).unwrap_or_default();
        cwes.sort();
        cwes.dedup();
        Some(TrialRow {
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
            error: if answer.is_none() { errors.get(&trial.key).map(|failure| failure.kind) } else { None },
            reason: score
                .and_then(|score| score.reason.as_deref().map(str::to_owned))
                .or_else(|| errors.get(&trial.key).map(|failure| failure.message.clone())),
            findings: scan.map(|scan| scan.findings.len() as u64),
            findings_weighted: scan.map(|scan| scan.findings.iter().map(|(_, severity)| severity.weight()).sum()),
            cwes,
            code_lines: score.and_then(|score| score.code_lines).map(u64::from),
            latency_ms: answer.map(|answer| answer.latency_ms),
            usd: answer.map(|answer| answer.cost_usd),
            tokens_in: answer.and_then(|answer| answer.tokens_in),
            tokens_out: answer.and_then(|answer| answer.tokens_out),
            served_model: self.served.get(place).and_then(|model| model.as_deref().map(str::to_owned)),
            cut: answer.is_some_and(|answer| answer.cut),
        })
    }

    fn drill(&self, item: Item<'_>, row: TrialRow, shared: &mut Shared) -> Result<Option<Drill>, Failure> {
        let failed = |error: LedgerError| ledgers::failure(&error);
        let (plan, trial) = (&self.material.plan, item.trial);
        let Some(stored) = self.reader.answer(trial.key).map_err(failed)? else { return Ok(None) };
        let answer = stored.answer;
        let prompt = plan.prompt(trial);
        let (mut files, mut findings, mut proof) = (Vec::new(), Vec::new(), Vec::new());
        if let Some(hash) = item.score.and_then(|score| score.code) {
            files = match shared.code.entry(hash) {
                Entry::Occupied(known) => known.get().clone(),
                Entry::Vacant(place) => {
                    let code = self.reader.code(hash).map_err(failed)?.map(|code| code.files).unwrap_or_default();
                    place.insert(code.into_iter().map(|(name, text)| (name, Arc::from(text))).collect()).clone()
                }
            };
            findings = self.reader.newest_scan(hash).map_err(failed)?.map(|scan| scan.findings).unwrap_or_default();
            if plan.task(trial).kind.is_run() {
                let found = self.reader.newest_proof(hash, &plan.task(trial).path()).map_err(failed)?;
                proof = found.map(|record| record.proof.results).unwrap_or_default();
            }
        }
        let texts = &mut shared.texts;
        Ok(Some(Drill {
            row,
            wording: Some(texts.share(&plan.wording(trial).text)),
            system: Some(texts.share(&prompt.system)),
            user: Some(texts.share(&prompt.user)),
            text: Some(texts.share(&answer.text)),
            reasoning: answer.reasoning.as_deref().map(|text| texts.share(text)),
            files,
            findings,
            proof,
        }))
    }
}

/// What several answers have in common, kept once.
#[derive(Default)]
struct Shared {
    texts: Texts,
    code: HashMap<CodeHash, Vec<(String, Arc<str>)>>,
}
