//! Each persona against the baseline, for each subject, endpoint and scale.
//!
//! Families: the primary endpoint's pooled rows over treatments and subjects are the declared one. Every other endpoint,
//! and every breakdown by placement or language, is a family of its own over the same treatments and subjects. Controls
//! and placebos belong to none and are judged by their own p.

use std::collections::BTreeMap;

use crate::effect::{Gap, Setting, Term, measure};
use crate::endpoint::{Endpoint, Scale};
use crate::input::Design;
use crate::rows::{AaRow, Contrast, Verdict};
use crate::selection;
use crate::table::{Arms, Part, Table};
use crate::verdict::{Hypothesis, Shown, adjust, detectable, joined, shown};

/// Endpoint, by placement, by language.
type Family = (&'static str, bool, bool);

struct Draft<'a> {
    arms: &'a Arms,
    subject: usize,
    persona: usize,
    hypothesis: Hypothesis,
    gaps: Vec<(Scale, Gap)>,
}

/// All contrasts, by subject, persona, endpoint, part and scale.
pub(crate) fn contrasts(design: &Design, all: &[Arms]) -> Vec<Contrast> {
    let mut drafts = Vec::new();
    for subject in 0..design.subjects.len() {
        for persona in (0..design.personas.len()).filter(|persona| *persona != design.baseline) {
            drafts.extend(all.iter().filter_map(|arms| Draft::of(design, arms, subject, persona)));
        }
    }
    adjust(design, drafts.iter_mut().map(|draft| (draft.family(design), &mut draft.hypothesis)));
    let mut sizes: BTreeMap<Family, usize> = BTreeMap::new();
    for family in drafts.iter().filter_map(|draft| draft.family(design)) {
        *sizes.entry(family).or_default() += 1;
    }
    let mut rows = Vec::new();
    for draft in &drafts {
        let members = match draft.family(design) {
            Some(family) if design.adjust != "none" => sizes.get(&family).copied().unwrap_or(1),
            _ => 1,
        };
        let level = design.alpha / members as f64;
        rows.extend(draft.arms.endpoint.scales.iter().map(|scale| draft.row(design, *scale, level)));
    }
    flag_flips(&mut rows);
    rows
}

/// The rows of placebo personas: how large a difference shows where there is none.
pub(crate) fn placebos(contrasts: &[Contrast]) -> Vec<AaRow> {
    let whole = |row: &&Contrast| row.role == "placebo" && row.placement.is_none() && row.language.is_none();
    let row = |row: &Contrast| AaRow {
        subject: row.subject.clone(),
        persona: row.persona.clone(),
        endpoint: row.endpoint.clone(),
        scale: row.scale.clone(),
        estimate: row.estimate,
        ci_low: row.ci_low,
        ci_high: row.ci_high,
        reason: if row.estimate.is_some() && row.ci_low.is_some() && row.ci_high.is_some() { None } else { row.reason.clone() },
    };
    contrasts.iter().filter(whole).map(row).collect()
}

impl<'a> Draft<'a> {
    fn of(design: &Design, arms: &'a Arms, subject: usize, persona: usize) -> Option<Draft<'a>> {
        let treated = arms.table(subject, persona)?;
        let baseline = arms.table(subject, design.baseline)?;
        let terms = [Term { table: treated, sign: 1.0, texts: 1 }, Term { table: baseline, sign: -1.0, texts: 0 }];
        let (mut effects, mut gaps) = (Vec::new(), Vec::new());
        for scale in arms.endpoint.scales {
            match measure(&terms, setting(design, arms.endpoint, *scale)) {
                Ok(effect) => effects.push((*scale, effect)),
                Err(gap) => gaps.push((*scale, gap)),
            }
        }
        Some(Draft { arms, subject, persona, hypothesis: Hypothesis::of(effects), gaps })
    }

    fn role<'d>(&self, design: &'d Design) -> &'d str {
        design.personas.get(self.persona).map_or("", |persona| persona.role.as_str())
    }

    fn family(&self, design: &Design) -> Option<Family> {
        let Part { placement, language } = self.arms.part;
        (self.role(design) == "treatment").then_some((self.arms.endpoint.name, placement.is_some(), language.is_some()))
    }

    fn tables(&self, design: &Design) -> Option<(&'a Table, &'a Table)> {
        Some((self.arms.table(self.subject, self.persona)?, self.arms.table(self.subject, design.baseline)?))
    }

    fn row(&self, design: &Design, scale: Scale, level: f64) -> Contrast {
        let endpoint = self.arms.endpoint;
        let effect = self.hypothesis.effect(scale);
        let p = effect.and(self.hypothesis.p);
        let numbers = effect.map_or_else(Shown::default, |effect| shown(effect, scale, p, endpoint.reach(), design.alpha));
        let (verdict, judged) =
            if effect.is_some() { self.hypothesis.verdict(design, endpoint) } else { (Verdict::Inconclusive, None) };
        let (low, high) =
            self.tables(design).map_or((None, None), |(treated, baseline)| selection::bounds(treated, baseline, endpoint, scale));
        let part = self.arms.part;
        let name = |names: &[String], place: Option<usize>| place.and_then(|place| names.get(place).cloned());
        Contrast {
            subject: design.subjects.get(self.subject).cloned().unwrap_or_default(),
            persona: persona_id(design, self.persona),
            role: self.role(design).to_owned(),
            baseline: persona_id(design, design.baseline),
            endpoint: endpoint.name.to_owned(),
            placement: name(&design.placements, part.placement),
            language: name(&design.languages, part.language),
            primary: endpoint.name == design.primary && part.is_whole(),
            scale: scale.name().to_owned(),
            estimate: numbers.estimate,
            ci_low: numbers.low,
            ci_high: numbers.high,
            p,
            p_adjusted: effect.and(self.hypothesis.p_adjusted),
            mde: effect.and_then(|effect| detectable(effect, scale, level)),
            tasks: effect.map_or(0, |effect| effect.clusters as u64),
            wordings: effect.map_or(0, |effect| effect.wordings as u64),
            answers: self.tables(design).map_or(0, |(treated, baseline)| treated.answers + baseline.answers),
            verdict,
            reason: joined([self.gap(scale), judged, self.remark(design, scale), self.outside(design, scale)]),
            this_text_only: design.fixed_texts,
            selection_low: low,
            selection_high: high,
        }
    }

    fn gap(&self, scale: Scale) -> Option<String> {
        self.gaps.iter().find(|(of, _)| *of == scale).map(|(_, gap)| gap.reason().to_owned())
    }

    /// Why an interval is missing or narrower in meaning than it looks.
    fn remark(&self, design: &Design, scale: Scale) -> Option<String> {
        let effect = self.hypothesis.effect(scale)?;
        if effect.spread.is_none() {
            return Some("a single task cluster gives no interval".to_owned());
        }
        (!design.fixed_texts && effect.wordings < 2).then(|| "one wording an arm: the interval comes from tasks alone".to_owned())
    }

    fn outside(&self, design: &Design, scale: Scale) -> Option<String> {
        self.hypothesis.effect(scale)?.spread?;
        (self.family(design).is_none()).then(|| "outside the adjusted family: judged by its own p".to_owned())
    }
}

pub(crate) fn setting(design: &Design, endpoint: &Endpoint, scale: Scale) -> Setting {
    Setting { scale, proportion: endpoint.proportion, fixed_texts: design.fixed_texts, alpha: design.alpha }
}

pub(crate) fn persona_id(design: &Design, persona: usize) -> String {
    design.personas.get(persona).map(|persona| persona.id.clone()).unwrap_or_default()
}

/// Weighted findings, their count and their density can point in different directions; then each says so.
fn flag_flips(rows: &mut [Contrast]) {
    type Key = (String, String, Option<String>, Option<String>);
    let key = |row: &Contrast| -> Key { (row.subject.clone(), row.persona.clone(), row.placement.clone(), row.language.clone()) };
    let is_findings = |row: &Contrast| row.endpoint.starts_with("findings");
    let mut directions: BTreeMap<Key, (bool, bool)> = BTreeMap::new();
    for row in rows.iter().filter(|row| is_findings(row)) {
        let seen = directions.entry(key(row)).or_default();
        seen.0 |= row.estimate.is_some_and(|ratio| ratio > 1.0);
        seen.1 |= row.estimate.is_some_and(|ratio| ratio < 1.0);
    }
    for row in rows.iter_mut().filter(|row| is_findings(row)) {
        if directions.get(&key(row)) == Some(&(true, true)) {
            let flip = "weight, count and density of findings point in different directions".to_owned();
            row.reason = joined([row.reason.take(), Some(flip)]);
        }
    }
}

#[cfg(test)]
mod tests;
