//! Worst and best case of an effect, were every unknown answer known: refusals and lost cells thin out the sample of
//! working code, and not at random.

use crate::endpoint::{Endpoint, Scale};
use crate::table::{ClusterSum, Table};

/// The range of the effect of `treated` over `baseline` on its shown scale; `None` where it has no end.
pub(crate) fn bounds(treated: &Table, baseline: &Table, endpoint: &Endpoint, scale: Scale) -> (Option<f64>, Option<f64>) {
    if !endpoint.bounded {
        return (None, None);
    }
    let mut sums = [0.0; 4];
    let mut clusters = 0.0;
    for treated in &treated.clusters {
        let Ok(place) = baseline.clusters.binary_search_by_key(&treated.cluster, |sum| sum.cluster) else { continue };
        let Some(baseline) = baseline.clusters.get(place) else { continue };
        clusters += 1.0;
        let rates = [extreme(treated, 0.0), extreme(treated, 1.0), extreme(baseline, 0.0), extreme(baseline, 1.0)];
        for (sum, rate) in sums.iter_mut().zip(rates) {
            *sum += rate;
        }
    }
    if clusters == 0.0 {
        return (None, None);
    }
    let [treated_low, treated_high, baseline_low, baseline_high] = sums.map(|sum| sum / clusters);
    match scale {
        Scale::Difference => (Some(treated_low - baseline_high), Some(treated_high - baseline_low)),
        Scale::Ratio => (over(treated_low, baseline_high), over(treated_high, baseline_low)),
    }
}

/// The cluster's rate if the given share of its unknown answers were events.
fn extreme(sum: &ClusterSum, share: f64) -> f64 {
    (sum.events + share * sum.unknown) / (sum.exposure + sum.unknown)
}

fn over(numerator: f64, denominator: f64) -> Option<f64> {
    (denominator > 0.0).then(|| numerator / denominator)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(events: f64, exposure: f64, unknown: f64) -> Table {
        let sum = |cluster| ClusterSum { cluster, events, exposure, unknown };
        Table { clusters: vec![sum(0), sum(1)], ..Table::default() }
    }

    fn exploitable() -> &'static Endpoint {
        crate::endpoint::ENDPOINTS.first().unwrap()
    }

    #[test]
    fn unknown_answers_widen_the_range_from_both_ends() {
        // 4 of 8 known and 2 unknown: 0.4 to 0.6; 2 of 10 known: 0.2.
        let (low, high) = bounds(&table(4.0, 8.0, 2.0), &table(2.0, 10.0, 0.0), exploitable(), Scale::Difference);
        assert!((low.unwrap() - 0.2).abs() < 1e-12 && (high.unwrap() - 0.4).abs() < 1e-12);
        let (low, high) = bounds(&table(4.0, 8.0, 2.0), &table(2.0, 10.0, 0.0), exploitable(), Scale::Ratio);
        assert!((low.unwrap() - 2.0).abs() < 1e-12 && (high.unwrap() - 3.0).abs() < 1e-12);
    }

    #[test]
    fn a_ratio_over_nothing_has_no_upper_end() {
        let (low, high) = bounds(&table(1.0, 4.0, 0.0), &table(0.0, 4.0, 4.0), exploitable(), Scale::Ratio);
        assert_eq!(low, Some(0.5));
        assert_eq!(high, None);
    }
}
