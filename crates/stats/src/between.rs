//! Subjects against each other: their rates under one persona, and their persona effects.
//!
//! The same texts went to both, so wordings are paired as well as task clusters. Families: an endpoint over personas (or
//! treatments) and pairs of subjects.

use crate::contrast::{persona_id, setting};
use crate::effect::{Gap, Term, measure};
use crate::endpoint::Scale;
use crate::input::Design;
use crate::rows::{BetweenRow, InteractionRow, Verdict};
use crate::table::Arms;
use crate::verdict::{Hypothesis, Shown, adjust, joined, shown};

struct Pair<'a> {
    arms: &'a Arms,
    persona: usize,
    subject: usize,
    against: usize,
    scale: Scale,
    outcome: Result<Hypothesis, Gap>,
}

/// Subject against subject under each persona.
pub(crate) fn between(design: &Design, all: &[Arms]) -> Vec<BetweenRow> {
    let mut pairs = Vec::new();
    each_pair(design, all, |arms, subject, against| {
        for persona in 0..design.personas.len() {
            let scale = preferred(arms, Scale::Difference);
            let term = |subject, sign| arms.table(subject, persona).map(|table| Term { table, sign, texts: persona });
            let (Some(first), Some(second)) = (term(subject, 1.0), term(against, -1.0)) else { continue };
            let effect = measure(&[first, second], setting(design, arms.endpoint, scale));
            let outcome = effect.map(|effect| Hypothesis::of(vec![(scale, effect)]));
            pairs.push(Pair { arms, persona, subject, against, scale, outcome });
        }
    });
    adjust_pairs(design, &mut pairs);
    pairs.iter().map(|pair| pair.between_row(design)).collect()
}

/// Each treatment's effect on one subject against its effect on another.
pub(crate) fn interactions(design: &Design, all: &[Arms]) -> Vec<InteractionRow> {
    let mut pairs = Vec::new();
    let treatments: Vec<usize> = design
        .personas
        .iter()
        .enumerate()
        .filter(|(place, persona)| persona.role == "treatment" && *place != design.baseline)
        .map(|(place, _)| place)
        .collect();
    each_pair(design, all, |arms, subject, against| {
        for persona in &treatments {
            let parts = [
                (subject, *persona, 1.0),
                (subject, design.baseline, -1.0),
                (against, *persona, -1.0),
                (against, design.baseline, 1.0),
            ];
            let terms: Vec<Term<'_>> = parts
                .into_iter()
                .filter_map(|(subject, texts, sign)| arms.table(subject, texts).map(|table| Term { table, sign, texts }))
                .collect();
            let try_on = |scale| measure(&terms, setting(design, arms.endpoint, scale));
            let wanted = preferred(arms, Scale::Ratio);
            let (scale, effect) = match try_on(wanted) {
                // An arm without events has no ratio, but its difference stands.
                Err(Gap::NoEvents) if arms.endpoint.scales.contains(&Scale::Difference) => {
                    (Scale::Difference, try_on(Scale::Difference))
                }
                other => (wanted, other),
            };
            let outcome = effect.map(|effect| Hypothesis::of(vec![(scale, effect)]));
            pairs.push(Pair { arms, persona: *persona, subject, against, scale, outcome });
        }
    });
    adjust_pairs(design, &mut pairs);
    pairs.iter().map(|pair| pair.interaction_row(design)).collect()
}

fn each_pair<'a>(design: &Design, all: &'a [Arms], mut visit: impl FnMut(&'a Arms, usize, usize)) {
    for arms in all.iter().filter(|arms| arms.endpoint.compared && arms.part.is_whole()) {
        for subject in 0..design.subjects.len() {
            for against in subject + 1..design.subjects.len() {
                visit(arms, subject, against);
            }
        }
    }
}

/// The wished scale, or the only one the endpoint has.
fn preferred(arms: &Arms, wished: Scale) -> Scale {
    if arms.endpoint.scales.contains(&wished) {
        return wished;
    }
    arms.endpoint.scales.first().copied().unwrap_or(wished)
}

fn adjust_pairs(design: &Design, pairs: &mut [Pair<'_>]) {
    let members = pairs.iter_mut().filter_map(|pair| {
        let family = Some(pair.arms.endpoint.name);
        pair.outcome.as_mut().ok().map(|hypothesis| (family, hypothesis))
    });
    adjust(design, members);
}

impl Pair<'_> {
    fn shown(&self, design: &Design, reach: f64) -> Shown {
        let Ok(hypothesis) = &self.outcome else { return Shown::default() };
        let effect = hypothesis.effect(self.scale);
        effect.map_or_else(Shown::default, |effect| shown(effect, self.scale, hypothesis.p, reach, design.alpha))
    }

    fn reason(&self) -> Option<String> {
        match &self.outcome {
            Err(gap) => Some(gap.reason().to_owned()),
            Ok(hypothesis) => hypothesis.p.is_none().then(|| "a single task cluster gives no interval".to_owned()),
        }
    }

    fn p(&self) -> (Option<f64>, Option<f64>) {
        self.outcome.as_ref().map_or((None, None), |hypothesis| (hypothesis.p, hypothesis.p_adjusted))
    }

    fn between_row(&self, design: &Design) -> BetweenRow {
        let numbers = self.shown(design, self.arms.endpoint.reach());
        let (p, p_adjusted) = self.p();
        let (verdict, judged) = match &self.outcome {
            Ok(hypothesis) => hypothesis.verdict(design, self.arms.endpoint),
            Err(_) => (Verdict::Inconclusive, None),
        };
        BetweenRow {
            persona: persona_id(design, self.persona),
            subject: design.subjects.get(self.subject).cloned().unwrap_or_default(),
            against: design.subjects.get(self.against).cloned().unwrap_or_default(),
            endpoint: self.arms.endpoint.name.to_owned(),
            scale: self.scale.name().to_owned(),
            estimate: numbers.estimate,
            ci_low: numbers.low,
            ci_high: numbers.high,
            p,
            p_adjusted,
            verdict,
            reason: joined([self.reason(), judged]),
        }
    }

    fn interaction_row(&self, design: &Design) -> InteractionRow {
        let numbers = self.shown(design, 2.0 * self.arms.endpoint.reach());
        let (p, p_adjusted) = self.p();
        InteractionRow {
            persona: persona_id(design, self.persona),
            subject: design.subjects.get(self.subject).cloned().unwrap_or_default(),
            against: design.subjects.get(self.against).cloned().unwrap_or_default(),
            endpoint: self.arms.endpoint.name.to_owned(),
            scale: self.scale.name().to_owned(),
            estimate: numbers.estimate,
            ci_low: numbers.low,
            ci_high: numbers.high,
            p,
            p_adjusted,
            reason: self.reason(),
        }
    }
}

#[cfg(test)]
mod tests;
