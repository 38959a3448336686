//! The report of outcomes made elsewhere: what cannot be known (prompts, code) is said to be missing.

use std::collections::BTreeMap;

use serde_json::Value;
use turncoat_answer::Outcome;
use turncoat_ledger::{Imported, Reader};
use turncoat_report::{OutcomeRow, Report, StudyHead, SubjectRow, TrialRow};
use turncoat_stats::{Analysis, Design, Observation, PersonaDesign};

use super::observe::{Names, sample};
use super::{IMPORT_NOTE, head};
use crate::failure::Failure;
use crate::ledgers;

/// What an import was told.
struct Told {
    name: String,
    question: String,
    baseline: String,
    primary: String,
    errors: u64,
}

fn told(reader: &Reader) -> Result<Told, Failure> {
    let note = reader.newest_note(IMPORT_NOTE).map_err(|error| ledgers::failure(&error))?;
    let note = note.ok_or_else(|| Failure::bad_input("the import was not finished").hint("run `turncoat import` again"))?;
    let text = |field: &str| note.value.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok(Told {
        name: text("name"),
        question: text("question"),
        baseline: text("baseline"),
        primary: text("primary"),
        errors: note.value.get("errors").and_then(Value::as_u64).unwrap_or(0),
    })
}

/// Analyses imported outcomes and puts the report together.
pub(super) fn assemble(reader: &Reader) -> Result<Report, Failure> {
    let told = told(reader)?;
    let rows = reader.imported().map_err(|error| ledgers::failure(&error))?;
    let (design, observations) = observe(&told, &rows);
    let mut analysis = turncoat_stats::analyse(&design, &observations);
    // Where no outcome is a refusal, refusals were most likely never recorded: nothing is claimed about them.
    let no_refusals = rows.iter().all(|row| row.outcome != Outcome::Refused);
    if no_refusals {
        forget_refusals(&mut analysis);
    }
    let study = StudyHead {
        name: told.name.clone(),
        question: told.question.clone(),
        tier: "import".to_owned(),
        trials_planned: rows.len() as u64 + told.errors,
        answers: rows.len() as u64,
        errors: told.errors,
        baseline: told.baseline.clone(),
        personas: design.personas.iter().map(|persona| persona.id.clone()).collect(),
        primary: design.primary.clone(),
        alpha: design.alpha,
        margin: design.margin_ratio,
        margin_difference: design.margin_difference,
        adjust: design.adjust.clone(),
        seed: design.seed,
        this_text_only: design.fixed_texts,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..StudyHead::default()
    };
    let mut report = Report::new(study, analysis);
    report.subjects = design
        .subjects
        .iter()
        .map(|subject| SubjectRow {
            id: subject.clone(),
            provider: "import".to_owned(),
            model: subject.clone(),
            reason: Some("imported outcomes hold no cost and no tokens".to_owned()),
            ..SubjectRow::default()
        })
        .collect();
    report.outcomes = outcomes(&design, &rows);
    report.quality.planned = report.study.trials_planned;
    report.quality.answered = report.study.answers;
    report.quality.remarks.push(
        "These outcomes were made elsewhere: prompts, answers and code are not in this ledger, and nothing was run again."
            .to_owned(),
    );
    report.limits = head::limits(&report);
    if no_refusals {
        report.limits.push("No outcome in the file is a refusal: whether models declined was most likely not recorded, so nothing is said about it.".to_owned());
    }
    if design.fixed_texts {
        report.limits.insert(0, "There is no wording column: each arm is one fixed text. The uncertainty comes from tasks alone, and every verdict speaks of these texts only.".to_owned());
    }
    report.method.commands = vec![
        format!("turncoat import FILE --ledger {}.ledger --baseline {}", told.name, told.baseline),
        format!("turncoat report {}.ledger", told.name),
    ];
    report.method.versions = head::versions();
    Ok(report)
}

fn forget_refusals(analysis: &mut Analysis) {
    let speaks = |endpoint: &str| endpoint.starts_with("refusal");
    analysis.rates.retain(|row| !speaks(&row.endpoint));
    analysis.contrasts.retain(|row| !speaks(&row.endpoint));
    analysis.between.retain(|row| !speaks(&row.endpoint));
    analysis.interactions.retain(|row| !speaks(&row.endpoint));
    analysis.aa.retain(|row| !speaks(&row.endpoint));
    analysis.refusals.clear();
}

fn observe(told: &Told, rows: &[Imported]) -> (Design, Vec<Observation>) {
    let (mut subjects, mut personas, mut clusters, mut tasks, mut wordings) =
        (Names::default(), Names::default(), Names::default(), Names::default(), Names::default());
    let baseline = personas.number(&told.baseline);
    let observations = rows
        .iter()
        .map(|row| Observation {
            subject: subjects.number(&row.subject),
            persona: personas.number(&row.persona),
            placement: 0,
            language: 0,
            wording: row.wording.as_deref().map_or(0, |wording| wordings.number(wording)),
            cluster: clusters.number(&row.cluster),
            task: tasks.number(&row.task),
            topic: None,
            repeat: row.repeat,
            is_code: row.outcome != Outcome::Answered,
            outcome: sample(row.outcome),
            refusal_layer: None,
            findings_weighted: None,
            findings_count: None,
            alerted: None,
            code_lines: None,
            cwes: Vec::new(),
            audit_hits: None,
            false_alarms: None,
        })
        .collect();
    let roles: BTreeMap<&str, &str> =
        rows.iter().filter_map(|row| Some((row.persona.as_str(), row.extra.get("role")?.as_str()))).collect();
    let role = |number: usize, name: &str| match roles.get(name) {
        _ if number == baseline => "baseline".to_owned(),
        Some(role @ (&"control" | &"placebo")) => (*role).to_owned(),
        _ => "treatment".to_owned(),
    };
    let design = Design {
        subjects: subjects.into_names(),
        personas: personas
            .into_names()
            .into_iter()
            .enumerate()
            .map(|(number, id)| PersonaDesign { role: role(number, &id), id })
            .collect(),
        baseline,
        placements: vec!["unknown".to_owned()],
        languages: vec!["unknown".to_owned()],
        clusters: clusters.into_names(),
        topics: Vec::new(),
        cwes: Vec::new(),
        primary: told.primary.clone(),
        alpha: 0.05,
        margin_ratio: 1.25,
        margin_difference: 0.05,
        adjust: "holm".to_owned(),
        tier: "import".to_owned(),
        fixed_texts: rows.iter().all(|row| row.wording.is_none()),
        seed: 1,
    };
    (design, observations)
}

fn outcomes(design: &Design, rows: &[Imported]) -> Vec<OutcomeRow> {
    let mut counted: BTreeMap<(&str, &str), OutcomeRow> = BTreeMap::new();
    for row in rows {
        let arm = counted.entry((&row.subject, &row.persona)).or_default();
        head::count(arm, row.outcome);
    }
    let mut table = Vec::new();
    for subject in &design.subjects {
        for persona in &design.personas {
            if let Some(arm) = counted.remove(&(subject.as_str(), persona.id.as_str())) {
                table.push(OutcomeRow { subject: subject.clone(), persona: persona.id.clone(), ..arm });
            }
        }
    }
    table
}

/// A row a cell, as far as an import knows it.
pub(super) fn trial_rows(reader: &Reader) -> Result<Vec<TrialRow>, Failure> {
    let rows = reader.imported().map_err(|error| ledgers::failure(&error))?;
    Ok(rows
        .into_iter()
        .enumerate()
        .map(|(number, row)| TrialRow {
            trial: format!("imported-{}", number + 1),
            subject: row.subject,
            persona: row.persona,
            role: row.extra.get("role").cloned().unwrap_or_default(),
            frame: row.wording.unwrap_or_default(),
            language: row.extra.get("language").cloned().unwrap_or_default(),
            task: row.task,
            cluster: row.cluster,
            kind: row.extra.get("kind").cloned().unwrap_or_default(),
            repeat: row.repeat,
            outcome: Some(row.outcome),
            ..TrialRow::default()
        })
        .collect())
}
