//! What simulated subjects were set to, beside what the study saw of it.

use turncoat_mole::MoleConfig;
use turncoat_report::{Detection, Report, SetShare};
use turncoat_study::{Persona, SubjectSpec};

use super::Material;

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
    (!shares.is_empty()).then_some(Detection { shares, curve: Vec::new() })
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
