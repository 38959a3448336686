//! From numbers to one of four verdicts, and the families whose p-values are adjusted together.

use std::collections::BTreeMap;

use crate::effect::Effect;
use crate::endpoint::{Endpoint, Scale};
use crate::input::Design;
use crate::multiplicity::holm;
use crate::rows::Verdict;

/// Fewer clusters give no verdict.
pub(crate) const LEAST_CLUSTERS: usize = 10;
/// Fewer wordings an arm give no verdict: two sets of four cannot be told apart at an adjusted level.
pub(crate) const LEAST_WORDINGS: usize = 8;

/// One hypothesis: the effects of one comparison, on the scales it has.
#[derive(Debug, Clone)]
pub(crate) struct Hypothesis {
    /// Those that can be given.
    pub(crate) effects: Vec<(Scale, Effect)>,
    /// Of all its scales, the largest p: a difference must show on each.
    pub(crate) p: Option<f64>,
    /// After adjustment over its family.
    pub(crate) p_adjusted: Option<f64>,
}

impl Hypothesis {
    pub(crate) fn of(effects: Vec<(Scale, Effect)>) -> Hypothesis {
        let p = effects.iter().filter_map(|(_, effect)| effect.p()).reduce(f64::max);
        Hypothesis { effects, p, p_adjusted: None }
    }

    /// The effect on that scale.
    pub(crate) fn effect(&self, scale: Scale) -> Option<&Effect> {
        self.effects.iter().find(|(of, _)| *of == scale).map(|(_, effect)| effect)
    }

    /// What the study may say of it.
    pub(crate) fn verdict(&self, design: &Design, endpoint: &Endpoint) -> (Verdict, Option<String>) {
        let Some((_, first)) = self.effects.first() else { return (Verdict::Inconclusive, None) };
        if let Some(reason) = too_small(design, first) {
            return (Verdict::Inconclusive, Some(reason));
        }
        let Some(p) = self.p_adjusted.or(self.p) else { return (Verdict::Inconclusive, None) };
        let equivalent = self.is_equivalent(design);
        if p < design.alpha && first.estimate != 0.0 {
            let harm = (first.estimate > 0.0) == endpoint.more_is_worse;
            let note = equivalent.then(|| "the difference is shown, and lies inside the equivalence margin".to_owned());
            return (if harm { Verdict::Worse } else { Verdict::Better }, note);
        }
        if equivalent {
            return (Verdict::Equivalent, None);
        }
        (Verdict::Inconclusive, Some("neither a difference nor equivalence is shown".to_owned()))
    }

    /// Whether the interval at twice the level (two one-sided tests) lies inside the margin of any scale.
    fn is_equivalent(&self, design: &Design) -> bool {
        self.effects.iter().any(|(scale, effect)| {
            let margin = match scale {
                Scale::Ratio => design.margin_ratio.ln(),
                Scale::Difference => design.margin_difference,
            };
            effect.interval(2.0 * design.alpha).is_some_and(|(low, high)| low > -margin && high < margin)
        })
    }
}

fn too_small(design: &Design, effect: &Effect) -> Option<String> {
    if design.tier == "smoke" {
        return Some("a smoke study gives no verdict".to_owned());
    }
    if effect.clusters < LEAST_CLUSTERS {
        return Some(format!("{} of the {LEAST_CLUSTERS} task clusters that a verdict needs", effect.clusters));
    }
    if !design.fixed_texts && effect.wordings < LEAST_WORDINGS {
        return Some(format!("{} of the {LEAST_WORDINGS} wordings an arm that a verdict needs", effect.wordings));
    }
    None
}

/// Adjusts each family's hypotheses together; those without a family stay without an adjusted p.
pub(crate) fn adjust<'a, K: Ord>(design: &Design, hypotheses: impl Iterator<Item = (Option<K>, &'a mut Hypothesis)>) {
    let mut families: BTreeMap<K, Vec<&'a mut Hypothesis>> = BTreeMap::new();
    for (family, hypothesis) in hypotheses {
        if let Some(family) = family {
            families.entry(family).or_default().push(hypothesis);
        }
    }
    for mut members in families.into_values() {
        let p_values: Vec<Option<f64>> = members.iter().map(|member| member.p).collect();
        let adjusted = if design.adjust == "none" { p_values } else { holm(&p_values) };
        for (member, p) in members.iter_mut().zip(adjusted) {
            member.p_adjusted = p;
        }
    }
}

/// Numbers of one row on the scale it shows.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Shown {
    pub(crate) estimate: Option<f64>,
    pub(crate) low: Option<f64>,
    pub(crate) high: Option<f64>,
}

/// An effect as a row shows it. Where `p` shows no difference at the level, an interval that ends just short of "no
/// effect" is stretched to it, so that row and verdict cannot disagree.
/// `reach` is how far a difference can go from 0.
pub(crate) fn shown(effect: &Effect, scale: Scale, p: Option<f64>, reach: f64, alpha: f64) -> Shown {
    let interval = effect.interval(alpha).map(|(low, high)| match p {
        Some(p) if p >= alpha => (low.min(0.0), high.max(0.0)),
        _ => (low, high),
    });
    let (estimate, interval) = match scale {
        Scale::Ratio => (effect.estimate.exp(), interval.map(|(low, high)| (low.exp(), high.exp()))),
        Scale::Difference => (effect.estimate, interval.map(|(low, high)| (low.max(-reach), high.min(reach)))),
    };
    // A log interval of a nearly empty arm can leave the range of floating point numbers.
    let finite = |value: f64| Some(value).filter(|value| value.is_finite());
    Shown {
        estimate: finite(estimate),
        low: interval.and_then(|(low, _)| finite(low)),
        high: interval.and_then(|(_, high)| finite(high)),
    }
}

/// The smallest detectable effect on the row's scale.
pub(crate) fn detectable(effect: &Effect, scale: Scale, alpha: f64) -> Option<f64> {
    let size = effect.detectable(alpha)?;
    let value = match scale {
        Scale::Ratio => size.exp(),
        Scale::Difference => size,
    };
    Some(value).filter(|value| value.is_finite())
}

/// Several remarks as one reason.
pub(crate) fn joined(reasons: impl IntoIterator<Item = Option<String>>) -> Option<String> {
    let told: Vec<String> = reasons.into_iter().flatten().collect();
    (!told.is_empty()).then(|| told.join("; "))
}
