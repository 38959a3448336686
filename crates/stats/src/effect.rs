//! The estimator: arms against arms, with uncertainty from task clusters and from wordings.
//!
//! An arm's rate is the mean of its clusters' rates, each cluster weighing the same, over the clusters that all arms
//! share: tasks are the unit, so a task whose answers often work must not count for more. Effects are differences of
//! these rates or of their logarithms.
//!
//! The variance has a task part (between clusters; on the log scale by the delete-one-cluster jackknife), a wording part
//! (a wording's summed residual over all clusters, since its quirk moves them together) and their intersection (the
//! residual of single cells), which the first two both hold: task + wording - intersection (Cameron, Gelbach and Miller
//! 2011), and at least each part alone. Texts of two personas are different texts even in a shared frame, so their
//! wording parts add; the same persona's texts under two subjects are the same and are paired.
//!
//! Degrees of freedom are Satterthwaite's, with the wording part's mean square damped where it barely exceeds the
//! intersection; the exponent was set by simulation (`examples/calibrate.rs`).

use std::collections::BTreeMap;

use crate::endpoint::Scale;
use crate::proportion::{Share, newcombe};
use crate::quantile::{t_quantile, t_two_sided};
use crate::table::Table;

/// Damping of the wording part in the degrees of freedom.
const DAMPING: f64 = 0.25;
/// Variances and differences below this are rounding.
const ROUNDING: f64 = 1.0e-18;
const SAME: f64 = 1.0e-9;
/// From so many differing clusters on, their signs set no bound to p.
const MANY: usize = 10;
/// The power for which the minimum detectable effect is given.
const POWER: f64 = 0.8;

/// One arm's part in an effect.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Term<'a> {
    pub(crate) table: &'a Table,
    /// +1 or -1.
    pub(crate) sign: f64,
    /// Arms of one block were asked with the same texts.
    pub(crate) texts: usize,
}

/// How effects of one endpoint are judged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting {
    pub(crate) scale: Scale,
    /// Whether rates are shares.
    pub(crate) proportion: bool,
    /// Whether each arm is one fixed text.
    pub(crate) fixed_texts: bool,
    /// Two-sided level.
    pub(crate) alpha: f64,
}

/// Why an effect cannot be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gap {
    /// No cluster has counted answers in every arm.
    NothingShared,
    /// An arm without events: its logarithm does not exist.
    NoEvents,
}

impl Gap {
    /// The reason as a row tells it.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Gap::NothingShared => "no task cluster has countable answers in every arm",
            Gap::NoEvents => "an arm without a single event has no ratio",
        }
    }
}

/// An effect on its working scale (difference, or logarithm of the ratio).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Effect {
    pub(crate) estimate: f64,
    /// `None` with a single cluster.
    pub(crate) spread: Option<Spread>,
    pub(crate) clusters: usize,
    /// Distinct wordings, of the arm with the fewest.
    pub(crate) wordings: usize,
    /// Smallest p that the clusters which differ at all could give to a sign-flip test.
    least_p: f64,
    /// Newcombe's shares, where too little differs to trust the observed spread.
    bound: Option<(Share, Share)>,
}

/// How far the estimate may be off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    pub(crate) standard_error: f64,
    pub(crate) degrees: f64,
}

impl Effect {
    /// The two-sided interval at level `1 - alpha`, on the working scale.
    pub(crate) fn interval(&self, alpha: f64) -> Option<(f64, f64)> {
        let spread = self.spread?;
        let half = t_quantile(alpha / 2.0, spread.degrees) * spread.standard_error;
        let (low, high) = (self.estimate - half, self.estimate + half);
        Some(match self.bound {
            Some((first, second)) => {
                let (bound_low, bound_high) = newcombe(first, second, alpha);
                (low.min(bound_low), high.max(bound_high))
            }
            None => (low, high),
        })
    }

    /// The two-sided p-value of no effect.
    pub(crate) fn p(&self) -> Option<f64> {
        let spread = self.spread?;
        Some(t_two_sided(self.estimate / spread.standard_error, spread.degrees).max(self.least_p))
    }

    /// The smallest effect, on the working scale, that a study of this spread shows in 8 of 10 cases at level `alpha`.
    pub(crate) fn detectable(&self, alpha: f64) -> Option<f64> {
        let spread = self.spread?;
        let reach = t_quantile(alpha / 2.0, spread.degrees) + t_quantile(1.0 - POWER, spread.degrees);
        Some(reach * spread.standard_error)
    }
}

/// The effect of `terms`.
pub(crate) fn measure(terms: &[Term<'_>], setting: Setting) -> Result<Effect, Gap> {
    let shared = Shared::of(terms)?;
    let means: Vec<f64> = shared.rates.iter().map(|rates| mean(rates)).collect();
    if setting.scale == Scale::Ratio && means.iter().any(|mean| *mean <= 0.0) {
        return Err(Gap::NoEvents);
    }
    let pairs = || terms.iter().zip(&means);
    let (estimate, slopes): (f64, Vec<f64>) = match setting.scale {
        Scale::Difference => (pairs().map(|(term, mean)| term.sign * mean).sum(), terms.iter().map(|term| term.sign).collect()),
        Scale::Ratio => {
            (pairs().map(|(term, mean)| term.sign * mean.ln()).sum(), pairs().map(|(term, mean)| term.sign / mean).collect())
        }
    };
    let clusters = shared.clusters.len();
    let wordings = shared.fewest_wordings(terms);
    let least_p = shared.least_p(terms, &slopes);
    let mut effect = Effect { estimate, spread: None, clusters, wordings, least_p, bound: None };
    if clusters < 2 {
        return Ok(effect);
    }
    let task = match setting.scale {
        Scale::Difference => shared.task_variance(&slopes),
        Scale::Ratio => shared.jackknife(terms).unwrap_or_else(|| shared.task_variance(&slopes)),
    };
    let spread = if setting.fixed_texts { None } else { shared.with_wordings(terms, &slopes, task) };
    let task_degrees = clusters as f64 - 1.0;
    let (variance, degrees) = spread.unwrap_or((task, task_degrees));
    let thin = least_p >= setting.alpha || variance <= ROUNDING;
    effect.spread = Some(if thin {
        let floor = shared.floor(terms, &means, &slopes, setting.proportion);
        Spread { standard_error: variance.max(floor).sqrt(), degrees: degrees.min(task_degrees) }
    } else {
        Spread { standard_error: variance.sqrt(), degrees }
    });
    if let (true, true, Scale::Difference, [first, second]) = (thin, setting.proportion, setting.scale, &means[..]) {
        let share = |rate: f64| Share { rate, effective_n: clusters as f64 };
        effect.bound = Some((share(*first), share(*second)));
    }
    Ok(effect)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The clusters that all arms have, with each arm's rates there.
struct Shared {
    clusters: Vec<usize>,
    /// By term, then cluster.
    rates: Vec<Vec<f64>>,
}

impl Shared {
    fn of(terms: &[Term<'_>]) -> Result<Shared, Gap> {
        let first = terms.first().ok_or(Gap::NothingShared)?;
        let clusters: Vec<usize> = first
            .table
            .clusters
            .iter()
            .map(|sum| sum.cluster)
            .filter(|cluster| terms.iter().all(|term| term.table.exposed(*cluster).is_some()))
            .collect();
        if clusters.is_empty() {
            return Err(Gap::NothingShared);
        }
        let rates = terms
            .iter()
            .map(|term| clusters.iter().filter_map(|cluster| term.table.exposed(*cluster)).map(|sum| sum.rate()))
            .map(Iterator::collect)
            .collect();
        Ok(Shared { clusters, rates })
    }

    fn count(&self) -> f64 {
        self.clusters.len() as f64
    }

    /// Each cluster's share in the effect.
    fn combine(&self, slopes: &[f64]) -> Vec<f64> {
        let mut sums = vec![0.0; self.clusters.len()];
        for (rates, slope) in self.rates.iter().zip(slopes) {
            for (sum, rate) in sums.iter_mut().zip(rates) {
                *sum += slope * rate;
            }
        }
        sums
    }

    /// With k clusters that differ at all, no assignment of signs is rarer than two in 2^k. The t distribution may not
    /// claim more from a handful of clusters; from [`MANY`] on it stands alone.
    fn least_p(&self, terms: &[Term<'_>], slopes: &[f64]) -> f64 {
        let signs: Vec<f64> = terms.iter().map(|term| term.sign).collect();
        let weights = if terms.len() == 2 { &signs[..] } else { slopes };
        let differing = self.combine(weights).iter().filter(|value| value.abs() > SAME).count();
        if differing >= MANY {
            return 0.0;
        }
        (0..differing).fold(2.0_f64, |share, _| share / 2.0).min(1.0)
    }

    fn task_variance(&self, slopes: &[f64]) -> f64 {
        let values = self.combine(slopes);
        let centre = mean(&values);
        let squares: f64 = values.iter().map(|value| (value - centre).powi(2)).sum();
        squares / (self.count() * (self.count() - 1.0))
    }

    /// Delete-one-cluster jackknife of the log ratio; `None` where an arm's events all lie in one cluster.
    fn jackknife(&self, terms: &[Term<'_>]) -> Option<f64> {
        let mut without = vec![0.0; self.clusters.len()];
        for (rates, term) in self.rates.iter().zip(terms) {
            let total: f64 = rates.iter().sum();
            for (value, rate) in without.iter_mut().zip(rates) {
                let rest = total - rate;
                if rest <= SAME * total {
                    return None;
                }
                *value += term.sign * rest.ln();
            }
        }
        let centre = mean(&without);
        let squares: f64 = without.iter().map(|value| (value - centre).powi(2)).sum();
        Some(squares * (self.count() - 1.0) / self.count())
    }

    fn fewest_wordings(&self, terms: &[Term<'_>]) -> usize {
        let distinct = |term: &Term<'_>| {
            let mut seen: Vec<usize> = term
                .table
                .cells
                .iter()
                .filter(|cell| self.clusters.binary_search(&cell.cluster).is_ok())
                .map(|cell| cell.wording)
                .collect();
            seen.sort_unstable();
            seen.dedup();
            seen.len()
        };
        terms.iter().map(distinct).min().unwrap_or(0)
    }

    /// Variance and degrees of freedom with the wording part; `None` where an arm has a single wording.
    fn with_wordings(&self, terms: &[Term<'_>], slopes: &[f64], task: f64) -> Option<(f64, f64)> {
        let clusters = self.count();
        let mut blocks: BTreeMap<usize, BTreeMap<(usize, usize), f64>> = BTreeMap::new();
        for ((term, slope), rates) in terms.iter().zip(slopes).zip(&self.rates) {
            let residuals = blocks.entry(term.texts).or_default();
            for cell in &term.table.cells {
                let Ok(place) = self.clusters.binary_search(&cell.cluster) else { continue };
                let (Some(rate), Some(sum)) = (rates.get(place), term.table.exposed(cell.cluster)) else { continue };
                let residual = slope * (cell.events - rate * cell.exposure) / sum.exposure / clusters;
                *residuals.entry((cell.wording, cell.cluster)).or_default() += residual;
            }
        }
        let (mut wording, mut intersection, mut squares_by_degrees) = (0.0, 0.0, 0.0);
        for residuals in blocks.values() {
            let mut by_wording: BTreeMap<usize, f64> = BTreeMap::new();
            for ((wording, _), residual) in residuals {
                *by_wording.entry(*wording).or_default() += residual;
            }
            let count = by_wording.len() as f64;
            if count < 2.0 {
                return None;
            }
            let sum_of_squares: f64 = by_wording.values().map(|sum| sum * sum).sum();
            let of_cells: f64 = residuals.values().map(|residual| residual * residual).sum();
            let part = sum_of_squares * count / (count - 1.0);
            wording += part;
            // Residuals are centred by cluster already; this centres them by wording too.
            let centred = (of_cells - sum_of_squares / clusters).max(0.0);
            intersection += centred * count / (count - 1.0) * clusters / (clusters - 1.0);
            squares_by_degrees += part * part / (count - 1.0);
        }
        let net = (wording - intersection).max(wording - task).max(0.0);
        let variance = task + net;
        let task_degrees = clusters - 1.0;
        if variance <= ROUNDING || net <= ROUNDING {
            return Some((variance, task_degrees));
        }
        let damped = squares_by_degrees * (net / wording).min(1.0).powf(DAMPING);
        let degrees = variance * variance / (task * task / task_degrees + damped);
        let wording_degrees = wording * wording / squares_by_degrees;
        Some((variance, degrees.max(task_degrees.min(wording_degrees))))
    }

    /// Variance as if each cluster were a single answer, at shares or rates kept half an event off their edge.
    fn floor(&self, terms: &[Term<'_>], means: &[f64], slopes: &[f64], proportion: bool) -> f64 {
        let clusters = self.count();
        let parts = terms.iter().zip(means).zip(slopes).map(|((term, mean), slope)| {
            let single = if proportion {
                let share = (mean * clusters + 0.5) / (clusters + 1.0);
                share * (1.0 - share)
            } else {
                let exposure = term.table.exposure_per_answer();
                mean.max(0.5 / (clusters * exposure)) / exposure
            };
            slope * slope * single / clusters
        });
        parts.sum()
    }
}

#[cfg(test)]
pub(crate) mod tests;
