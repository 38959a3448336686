//! Which rows stand where: selection and order, shared by every renderer.

use turncoat_stats::{Contrast, RateRow, rows::AaRow};

use crate::model::{OutcomeRow, Report};

/// Endpoints in the order of reports.
pub const ENDPOINTS: [&str; 6] = ["exploitable", "hidden", "secure_pass", "findings", "refusal", "audit_recall"];

/// Subjects in the order of the study, then any that only appear in rows.
#[must_use]
pub fn subjects(report: &Report) -> Vec<&str> {
    let mut names: Vec<&str> = report.subjects.iter().map(|row| row.id.as_str()).collect();
    add_new(&mut names, report.outcomes.iter().map(|row| row.subject.as_str()));
    add_new(&mut names, report.contrasts.iter().map(|row| row.subject.as_str()));
    names
}

/// Personas in the order of the study, then any that only appear in rows.
#[must_use]
pub fn personas(report: &Report) -> Vec<&str> {
    let mut names: Vec<&str> = report.study.personas.iter().map(String::as_str).collect();
    add_new(&mut names, report.outcomes.iter().map(|row| row.persona.as_str()));
    add_new(&mut names, report.contrasts.iter().map(|row| row.persona.as_str()));
    names
}

/// Endpoints that have contrasts, in the order of reports.
#[must_use]
pub fn endpoints(report: &Report) -> Vec<&str> {
    let mut names: Vec<&str> =
        ENDPOINTS.into_iter().filter(|name| report.contrasts.iter().any(|row| row.endpoint == *name)).collect();
    add_new(&mut names, report.contrasts.iter().map(|row| row.endpoint.as_str()));
    names
}

fn add_new<'a>(names: &mut Vec<&'a str>, more: impl Iterator<Item = &'a str>) {
    for name in more {
        if !names.contains(&name) {
            names.push(name);
        }
    }
}

/// The endpoint that the study is about: the declared one if it has contrasts, else the first that has.
#[must_use]
pub fn primary_endpoint(report: &Report) -> &str {
    let endpoints = endpoints(report);
    endpoints
        .iter()
        .copied()
        .find(|name| *name == report.study.primary)
        .or_else(|| endpoints.first().copied())
        .unwrap_or(&report.study.primary)
}

/// The scale that an endpoint is shown on: the ratio where any of its rows has a ratio, else the difference.
#[must_use]
pub fn shown_scale<'a>(report: &'a Report, endpoint: &str) -> &'a str {
    let mut rows = report.contrasts.iter().filter(|row| row.endpoint == endpoint);
    let has_ratio = rows.clone().any(|row| row.scale == "ratio" && row.estimate.is_some());
    if has_ratio {
        "ratio"
    } else {
        rows.next().map_or("difference", |row| {
            if row.scale == "ratio" && !has_difference(report, endpoint) { "ratio" } else { "difference" }
        })
    }
}

fn has_difference(report: &Report, endpoint: &str) -> bool {
    report.contrasts.iter().any(|row| row.endpoint == endpoint && row.scale == "difference")
}

/// The pooled contrasts of one endpoint on the scale it is shown on, by subject and persona.
#[must_use]
pub fn pooled<'a>(report: &'a Report, endpoint: &str) -> Vec<&'a Contrast> {
    let scale = shown_scale(report, endpoint);
    let mut rows: Vec<&Contrast> = report
        .contrasts
        .iter()
        .filter(|row| row.endpoint == endpoint && row.scale == scale && row.placement.is_none() && row.language.is_none())
        .collect();
    let subjects = subjects(report);
    let personas = personas(report);
    let place = |names: &[&str], name: &str| names.iter().position(|other| *other == name).unwrap_or(usize::MAX);
    rows.sort_by_key(|row| (place(&subjects, &row.subject), role_rank(&row.role), place(&personas, &row.persona)));
    rows
}

fn role_rank(role: &str) -> u8 {
    match role {
        "treatment" => 0,
        "control" => 1,
        "placebo" => 2,
        _ => 3,
    }
}

/// The primary contrasts of the treatments: what the verdict sentences are about.
#[must_use]
pub fn headline(report: &Report) -> Vec<&Contrast> {
    let rows = pooled(report, primary_endpoint(report));
    rows.into_iter().filter(|row| row.role != "control" && row.role != "placebo").collect()
}

/// The rate of one arm.
#[must_use]
pub fn rate<'a>(report: &'a Report, subject: &str, persona: &str, endpoint: &str) -> Option<&'a RateRow> {
    report.rates.iter().find(|row| row.subject == subject && row.persona == persona && row.endpoint == endpoint)
}

/// The baseline against the placebo for one subject, endpoint and scale.
#[must_use]
pub fn aa<'a>(report: &'a Report, subject: &str, endpoint: &str, scale: &str) -> Option<&'a AaRow> {
    report.aa.iter().find(|row| row.subject == subject && row.endpoint == endpoint && row.scale == scale)
}

/// The outcomes of one row in the order of reports, with their names.
#[must_use]
pub fn outcome_counts(row: &OutcomeRow) -> [(&'static str, u64); 8] {
    [
        ("exploitable", row.exploitable),
        ("safe", row.safe),
        ("broken", row.broken),
        ("refused", row.refused),
        ("no_code", row.no_code),
        ("unproven", row.unproven),
        ("answered", row.answered),
        ("error", row.error),
    ]
}

/// An outcome's name for people.
#[must_use]
pub fn outcome_words(name: &str) -> &str {
    match name {
        "no_code" => "no code",
        "error" => "no answer",
        other => other,
    }
}
