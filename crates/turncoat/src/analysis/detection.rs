//! What simulated subjects were set to, beside what the study saw of it.

use turncoat_mole::MoleConfig;
use turncoat_report::{CurvePoint, Detection, Report, SetShare};
use turncoat_stats::Verdict;
use turncoat_stats::calibration::Truth;
use turncoat_stats::planning::Assumptions;
use turncoat_study::{Persona, SubjectSpec};

use super::Material;
use crate::power as planned;

/// The table for the moles of a study; `None` without any.
pub(super) fn detection(material: &Material, report: &Report) -> Option<Detection> {
    let moles = material.plan.subjects.iter().filter(|subject| subject.endpoint.provider.is_simulated());
    let mut shares = Vec::new();
    for subject in moles {
        let Ok(config) = turncoat_mole::parse(&subject.id, subject.endpoint.config.as_deref().unwrap_or_default()) else {
            continue;
        };
        let baseline = material.plan.personas.first().and_then(|persona| set_share(material, &config, persona));
        for persona in &material.plan.personas {
            shares.push(share(material, report, subject, persona, &config, baseline)?);
        }
    }
    (!shares.is_empty()).then(|| Detection { curve: curve(material, &shares), shares })
}

/// True ratios of the detection curve; at 1 it shows false alarms.
const RATIOS: [f64; 7] = [1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0];
/// Simulated studies a point.
const STUDIES: u64 = 100;

/// How often a study of this very design calls a persona different: simulated studies, analysed by the same method. Subjects are taken to be as
/// uneven from task to task and from wording to wording as planning assumes, which moles are not: the curve is that of real models.
fn curve(material: &Material, shares: &[SetShare]) -> Vec<CurvePoint> {
    let (size, comparisons) = planned::size(&material.plan);
    let (least_clusters, least_wordings) = planned::LEAST;
    if material.plan.tier == "smoke" || size.clusters < least_clusters || size.wordings < least_wordings {
        return Vec::new();
    }
    let assumed = Assumptions::default();
    let baselines: Vec<f64> =
        shares.iter().filter(|share| share.persona == material.plan.baseline).map(|share| share.set).collect();
    #[expect(clippy::cast_precision_loss, reason = "a handful of subjects")]
    let rate = baselines.iter().sum::<f64>() / baselines.len().max(1) as f64;
    if !(0.01..=0.9).contains(&rate) {
        return Vec::new();
    }
    let subjects = material.plan.subjects.len();
    let treatments = usize::try_from(comparisons).unwrap_or(1).checked_div(subjects).unwrap_or(1).max(1);
    let point = |ratio: f64| {
        let truth = Truth {
            subjects,
            treatments,
            clusters: size.clusters as usize,
            wordings: size.wordings as usize,
            repeats: size.repeats,
            rate,
            ratio,
            task_likeness: assumed.task_likeness,
            task_effect_sd: assumed.task_effect_sd,
            wording_sd: assumed.wording_sd,
            overdispersion: assumed.repeat_likeness,
            ..Truth::default()
        };
        let shown = (0..STUDIES)
            .filter(|seed| {
                let (design, observations) = truth.simulate(material.plan.seed.wrapping_add(*seed));
                let rows = turncoat_stats::analyse(&design, &observations).contrasts;
                let first = rows.iter().find(|row| row.endpoint == "exploitable");
                first.is_some_and(|row| matches!(row.verdict, Verdict::Worse | Verdict::Better))
            })
            .count();
        #[expect(clippy::cast_precision_loss, reason = "a hundred studies")]
        let shown = shown as f64 / STUDIES as f64;
        CurvePoint { ratio, baseline_share: rate, shown, studies: STUDIES }
    };
    RATIOS.into_iter().filter(|ratio| rate * ratio <= 0.9).map(point).collect()
}

/// The share of exploitable answers among working ones that a persona's wordings lead to, averaged over wordings and tasks.
fn set_share(material: &Material, config: &MoleConfig, persona: &Persona) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0.0);
    for task in material.plan.tasks.iter().filter(|task| task.kind.is_run()) {
        for wording in &persona.wordings {
            let prompt = material.plan.compose(wording, task);
            let shares = config.shares(&prompt.system, &prompt.user);
            let working = 1.0 - shares.broken - shares.refused;
            if working > 0.0 {
                sum += (shares.vulnerable / working).min(1.0);
                count += 1.0;
            }
        }
    }
    (count > 0.0).then(|| sum / count)
}

fn share(
    material: &Material,
    report: &Report,
    subject: &SubjectSpec,
    persona: &Persona,
    config: &MoleConfig,
    baseline: Option<f64>,
) -> Option<SetShare> {
    let set = set_share(material, config, persona)?;
    let rate =
        report.rates.iter().find(|row| row.subject == subject.id && row.persona == persona.id && row.endpoint == "exploitable");
    let contrast = report.contrasts.iter().find(|row| {
        row.subject == subject.id
            && row.persona == persona.id
            && row.endpoint == "exploitable"
            && row.placement.is_none()
            && row.language.is_none()
    });
    let is_baseline = persona.id == material.plan.baseline;
    Some(SetShare {
        subject: subject.id.clone(),
        persona: persona.id.clone(),
        endpoint: "exploitable".to_owned(),
        set,
        observed: rate.and_then(|row| row.rate),
        ci_low: rate.and_then(|row| row.ci_low),
        ci_high: rate.and_then(|row| row.ci_high),
        set_ratio: baseline.filter(|base| *base > 0.0 && !is_baseline).map(|base| set / base),
        verdict: contrast.map(|row| row.verdict),
        reason: rate.and_then(|row| row.reason.clone()),
    })
}
