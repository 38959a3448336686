//! What a study of a given size can show, before anything is asked.
//!
//! The variance of the log ratio of two arms is the sum of what answers, wordings and tasks bring; how much of each is
//! assumed ([`Assumptions`]), since nothing was measured yet. The degrees of freedom are Satterthwaite's (1946).

use crate::quantile::{t_quantile, t_two_sided};

/// The power that "detectable" means.
pub const POWER: f64 = 0.8;

/// The size of a study's arms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Task clusters.
    pub clusters: u32,
    /// Wordings an arm.
    pub wordings: u32,
    /// Repeats of each cell.
    pub repeats: u32,
}

impl Size {
    /// Answers in one arm.
    #[must_use]
    pub fn answers(self) -> u64 {
        u64::from(self.clusters) * u64::from(self.wordings) * u64::from(self.repeats)
    }
}

/// What is assumed of models that were not asked yet; the default is cautious against the published studies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Assumptions {
    /// Share of the baseline's answers with the event.
    pub rate: f64,
    /// How alike answers to one task are (intraclass correlation).
    pub task_likeness: f64,
    /// Standard deviation, on the log scale, of a persona's effect from task to task.
    pub task_effect_sd: f64,
    /// Standard deviation, on the log scale, of a wording's shift of its whole arm.
    pub wording_sd: f64,
    /// How alike repeats of one cell are (intraclass correlation).
    pub repeat_likeness: f64,
}

impl Default for Assumptions {
    fn default() -> Assumptions {
        Assumptions { rate: 0.2, task_likeness: 0.3, task_effect_sd: 0.15, wording_sd: 0.1, repeat_likeness: 0.1 }
    }
}

/// How much wider the method's own intervals are than the sum of the parts: it counts each part at least alone and takes few
/// wordings and clusters with caution. Fitted to simulated studies of 15 to 60 clusters; the test below holds it.
const CAUTION: f64 = 1.5;

/// Standard error of the log ratio and its degrees of freedom, if the treated arm's share is `treated`.
fn spread(size: Size, assumed: Assumptions, treated: f64) -> (f64, f64) {
    let (clusters, wordings, repeats) =
        (f64::from(size.clusters.max(2)), f64::from(size.wordings.max(2)), f64::from(size.repeats.max(1)));
    // The variance of the log of a share, to first order.
    let arm = |share: f64| {
        let share = share.clamp(1e-6, 1.0);
        (1.0 - share) / share * (1.0 - assumed.task_likeness) * (1.0 + (repeats - 1.0) * assumed.repeat_likeness)
            / (clusters * wordings * repeats)
    };
    let by_task = arm(assumed.rate) + arm(treated) + assumed.task_effect_sd.powi(2) / clusters;
    let by_wording = 2.0 * assumed.wording_sd.powi(2) / wordings;
    let variance = by_task + by_wording;
    let degrees = variance.powi(2)
        / (by_task.powi(2) / (clusters - 1.0) + by_wording.powi(2) / (2.0 * (wordings - 1.0))).max(f64::MIN_POSITIVE);
    ((CAUTION * variance).sqrt(), degrees)
}

/// The chance that a standard normal variable exceeds `value`.
fn normal_upper_tail(value: f64) -> f64 {
    let tail = t_two_sided(value, f64::INFINITY) / 2.0;
    if value >= 0.0 { tail } else { 1.0 - tail }
}

/// The chance that a study of this size shows a true `ratio` at the two-sided level `alpha`.
#[must_use]
pub fn power(size: Size, assumed: Assumptions, ratio: f64, alpha: f64) -> f64 {
    let treated = (assumed.rate * ratio).clamp(0.0, 1.0);
    let (error, degrees) = spread(size, assumed, treated);
    let distance = (treated.max(1e-9) / assumed.rate.max(1e-9)).ln().abs() / error;
    normal_upper_tail(t_quantile(alpha / 2.0, degrees) - distance)
}

/// The smallest ratio above 1 that a study of this size shows with a chance of [`POWER`]; `None` where even the largest possible one (every
/// answer) is not shown.
#[must_use]
pub fn detectable_ratio(size: Size, assumed: Assumptions, alpha: f64) -> Option<f64> {
    let (mut low, mut high) = (1.0, 1.0 / assumed.rate.clamp(1e-6, 1.0));
    if power(size, assumed, high, alpha) < POWER {
        return None;
    }
    // Power rises with the ratio.
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if power(size, assumed, middle, alpha) >= POWER { high = middle } else { low = middle }
    }
    Some(high)
}

/// The smallest size, in answers an arm, that shows a true `ratio` with a chance of [`POWER`], `repeats` as given; wordings grow where tasks
/// alone cannot do it. `None` where no size up to 20,000 clusters of 64 wordings does.
#[must_use]
pub fn needed(assumed: Assumptions, ratio: f64, alpha: f64, repeats: u32) -> Option<Size> {
    let enough = |clusters: u32, wordings: u32| power(Size { clusters, wordings, repeats }, assumed, ratio, alpha) >= POWER;
    [8, 16, 32, 64]
        .into_iter()
        .filter_map(|wordings| {
            const MOST: u32 = 20_000;
            if !enough(MOST, wordings) {
                return None;
            }
            // Power rises with the number of clusters.
            let (mut low, mut high) = (10, MOST);
            while low < high {
                let middle = u32::midpoint(low, high);
                if enough(middle, wordings) { high = middle } else { low = middle + 1 }
            }
            Some(Size { clusters: low, wordings, repeats })
        })
        .min_by_key(|size| size.answers())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibration::Truth;
    use crate::{Verdict, analyse};

    const SIZE: Size = Size { clusters: 30, wordings: 8, repeats: 2 };

    #[test]
    fn more_of_anything_shows_more() {
        let assumed = Assumptions::default();
        let base = power(SIZE, assumed, 1.5, 0.05);
        for size in [Size { clusters: 60, ..SIZE }, Size { wordings: 16, ..SIZE }, Size { repeats: 4, ..SIZE }] {
            assert!(power(size, assumed, 1.5, 0.05) > base);
        }
        assert!(power(SIZE, assumed, 2.3, 0.05) > base);
        assert!(power(SIZE, assumed, 1.5, 0.01) < base);
    }

    #[test]
    fn the_detectable_ratio_has_the_power_it_says() {
        let assumed = Assumptions::default();
        let ratio = detectable_ratio(SIZE, assumed, 0.05).unwrap();
        let shown = power(SIZE, assumed, ratio, 0.05);
        assert!((shown - POWER).abs() < 0.01, "{shown}");
    }

    #[test]
    fn small_effects_take_many_answers_and_large_ones_few() {
        let assumed = Assumptions::default();
        let large = needed(assumed, 2.3, 0.05, 2).unwrap().answers();
        let middle = needed(assumed, 1.2, 0.05, 2).unwrap().answers();
        assert!(large < 600, "{large}");
        assert!(middle > 5 * large, "{middle}");
    }

    /// The formula against simulated studies analysed by our own method: it must not promise more than the method keeps.
    #[test]
    fn agrees_with_simulated_studies() {
        let assumed = Assumptions::default();
        for (size, ratio) in [(SIZE, 1.4), (Size { clusters: 15, repeats: 1, ..SIZE }, 1.8), (Size { clusters: 60, ..SIZE }, 1.2)]
        {
            let truth = Truth {
                ratio,
                clusters: size.clusters as usize,
                wordings: size.wordings as usize,
                repeats: size.repeats,
                task_effect_sd: assumed.task_effect_sd,
                wording_sd: assumed.wording_sd,
                task_likeness: assumed.task_likeness,
                overdispersion: assumed.repeat_likeness,
                broken: 0.0,
                ..Truth::default()
            };
            let studies = 200;
            let shown = (0..studies)
                .filter(|seed| {
                    let (design, observations) = truth.simulate(1000 + seed);
                    let analysis = analyse(&design, &observations);
                    analysis
                        .contrasts
                        .iter()
                        .any(|row| row.endpoint == "exploitable" && row.scale == "ratio" && row.verdict == Verdict::Worse)
                })
                .count();
            #[expect(clippy::cast_precision_loss, reason = "a small count")]
            let share = shown as f64 / f64::from(u32::try_from(studies).unwrap());
            let promised = power(size, assumed, ratio, 0.05);
            assert!((share - promised).abs() < 0.12, "{size:?}, ratio {ratio}: shown {share}, promised {promised}");
        }
    }
}
