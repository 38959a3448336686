//! What a plan can show, before anything is asked.

use std::collections::BTreeSet;

use turncoat_stats::planning::{Assumptions, Size, detectable_ratio};
use turncoat_study::{Kind, Plan, Role};

/// What a study of the plan's size would show with 80 % power.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Detectable {
    /// Assumed share of the baseline's answers with the event.
    pub(crate) baseline: f64,
    /// Comparisons in the adjusted family: treatments x subjects.
    pub(crate) comparisons: u64,
    /// The smallest ratio shown.
    pub(crate) ratio: Option<f64>,
    /// The smallest difference of shares shown.
    pub(crate) difference: Option<f64>,
    /// Why there is none.
    pub(crate) reason: Option<String>,
}

/// Fewest clusters and wordings an arm for a verdict.
pub(crate) const LEAST: (u32, u32) = (10, 8);

/// Works it out at the strictest step of the adjustment.
pub(crate) fn detectable(plan: &Plan) -> Detectable {
    let (size, comparisons) = size(plan);
    let assumed = Assumptions::default();
    let none =
        |reason: String| Detectable { baseline: assumed.rate, comparisons, ratio: None, difference: None, reason: Some(reason) };
    if plan.tier == "smoke" {
        return none("a smoke study never gives one".to_owned());
    }
    if size.clusters < LEAST.0 || size.wordings < LEAST.1 {
        return none(format!(
            "{} clusters and {} wordings bear on `{}`; a verdict needs at least {} and {}",
            size.clusters, size.wordings, plan.analysis.primary, LEAST.0, LEAST.1
        ));
    }
    match detectable_ratio(size, assumed, level(plan, comparisons)) {
        Some(ratio) => Detectable {
            baseline: assumed.rate,
            comparisons,
            ratio: Some(ratio),
            difference: Some(assumed.rate * (ratio - 1.0)),
            reason: None,
        },
        None => none("even the largest possible effect would not be shown".to_owned()),
    }
}

/// The level of the first step of the adjustment.
#[expect(clippy::cast_precision_loss, reason = "a handful of comparisons")]
pub(crate) fn level(plan: &Plan, comparisons: u64) -> f64 {
    if plan.analysis.adjust == "holm" { plan.analysis.alpha / comparisons.max(1) as f64 } else { plan.analysis.alpha }
}

/// The size that bears on the primary endpoint, and the comparisons in the family.
pub(crate) fn size(plan: &Plan) -> (Size, u64) {
    let bears = |kind: Kind| match plan.analysis.primary.as_str() {
        "refusal" => true,
        "audit_recall" => kind == Kind::Audit,
        _ => kind.is_run(),
    };
    let clusters: BTreeSet<&str> = plan.tasks.iter().filter(|task| bears(task.kind)).map(|task| task.cluster.as_str()).collect();
    let wordings = plan.personas.first().map_or(0, |persona| persona.wordings.len());
    let treatments = plan.personas.iter().filter(|persona| persona.role == Role::Treatment).count();
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let size = Size { clusters: count(clusters.len()), wordings: count(wordings), repeats: plan.repeats };
    (size, (treatments * plan.subjects.len()) as u64)
}
