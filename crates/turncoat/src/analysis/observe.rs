//! Trials and scores as the statistics take them: indices and numbers, nothing else.

use turncoat_answer::{Outcome, RefusalLayer};
use turncoat_stats::{Design, Observation, PersonaDesign, SampleOutcome};
use turncoat_study::Plan;

use super::Material;
use super::material::Item;

/// Names in order of first use, and their numbers.
#[derive(Debug, Default)]
pub(super) struct Names {
    names: Vec<String>,
    numbers: std::collections::HashMap<String, usize>,
}

impl Names {
    /// The number of a name, a new one if it is new.
    pub(super) fn number(&mut self, name: &str) -> usize {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = self.names.len();
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        number
    }

    /// All names, by number.
    pub(super) fn into_names(self) -> Vec<String> {
        self.names
    }
}

/// The word of the statistics for an outcome.
pub(super) fn sample(outcome: Outcome) -> SampleOutcome {
    match outcome {
        Outcome::Exploitable => SampleOutcome::Exploitable,
        Outcome::Safe => SampleOutcome::Safe,
        Outcome::Broken => SampleOutcome::Broken,
        Outcome::Refused => SampleOutcome::Refused,
        Outcome::NoCode => SampleOutcome::NoCode,
        Outcome::Unproven => SampleOutcome::Unproven,
        Outcome::Answered => SampleOutcome::Answered,
    }
}

fn layer_number(layer: RefusalLayer) -> u8 {
    match layer {
        RefusalLayer::ApiBlocked => 0,
        RefusalLayer::Hard => 1,
        RefusalLayer::Soft => 2,
        RefusalLayer::PlannedThenRefused => 3,
        RefusalLayer::ContentAltered => 4,
    }
}

/// The tables of names that trials are numbered by.
#[derive(Debug, Default)]
struct Tables {
    placements: Names,
    languages: Names,
    frames: Names,
    clusters: Names,
    topics: Names,
    cwes: Names,
}

/// The design and an observation for every planned trial.
pub(super) fn observe(material: &Material) -> (Design, Vec<Observation>) {
    let mut tables = Tables::default();
    // Numbers come from the plan's own order and not from the random order of the calls, so that equal studies are numbered alike.
    for task in &material.plan.tasks {
        tables.clusters.number(&task.cluster);
        if let Some(topic) = &task.topic {
            tables.topics.number(&topic.name);
        }
    }
    for wording in material.plan.personas.iter().flat_map(|persona| &persona.wordings) {
        tables.frames.number(&wording.frame);
        tables.placements.number(wording.placement.name());
        tables.languages.number(&wording.language);
    }
    let observations = material.items().map(|item| observation(material, item, &mut tables)).collect();
    (design(&material.plan, tables), observations)
}

fn design(plan: &Plan, tables: Tables) -> Design {
    Design {
        subjects: plan.subjects.iter().map(|subject| subject.id.clone()).collect(),
        personas: plan
            .personas
            .iter()
            .map(|persona| PersonaDesign { id: persona.id.clone(), role: persona.role.to_string() })
            .collect(),
        baseline: plan.personas.iter().position(|persona| persona.id == plan.baseline).unwrap_or(0),
        placements: tables.placements.into_names(),
        languages: tables.languages.into_names(),
        clusters: tables.clusters.into_names(),
        topics: tables.topics.into_names(),
        cwes: tables.cwes.into_names(),
        primary: plan.analysis.primary.clone(),
        alpha: plan.analysis.alpha,
        margin_ratio: plan.analysis.margin,
        margin_difference: plan.analysis.margin_difference,
        adjust: plan.analysis.adjust.clone(),
        tier: plan.tier.clone(),
        fixed_texts: false,
        seed: plan.seed,
    }
}

fn observation(material: &Material, item: Item<'_>, tables: &mut Tables) -> Observation {
    let plan = &material.plan;
    let Item { trial, answer, score } = item;
    let (task, wording) = (plan.task(trial), plan.wording(trial));
    // An answer that no scorer has seen yet is there, but proves nothing.
    let unscored = if answer.is_some() { SampleOutcome::Unproven } else { SampleOutcome::Missing };
    let scan = score.and_then(|score| material.scan(score)).filter(|_| task.kind.is_run());
    let findings = scan.map(|scan| &scan.findings);
    Observation {
        subject: trial.subject as usize,
        persona: trial.persona as usize,
        placement: tables.placements.number(wording.placement.name()),
        language: tables.languages.number(&wording.language),
        wording: tables.frames.number(&wording.frame),
        cluster: tables.clusters.number(&task.cluster),
        task: trial.task as usize,
        topic: task.topic.as_ref().map(|topic| tables.topics.number(&topic.name)),
        repeat: trial.repeat,
        is_code: task.kind.is_run(),
        outcome: score.map_or(unscored, |score| sample(score.outcome)),
        refusal_layer: score.and_then(|score| score.refusal).map(layer_number),
        findings_weighted: findings.map(|all| all.iter().map(|(_, severity)| severity.weight()).sum()),
        findings_count: findings.map(|all| u32::try_from(all.len()).unwrap_or(u32::MAX)),
        alerted: findings.map(|all| !all.is_empty()),
        code_lines: scan.map(|scan| scan.lines),
        cwes: findings.map(|all| all.iter().map(|(cwe, _)| tables.cwes.number(cwe)).collect()).unwrap_or_default(),
        audit_hits: score.and_then(|score| score.audit_hits),
        false_alarms: score.and_then(|score| score.false_alarms),
    }
}
