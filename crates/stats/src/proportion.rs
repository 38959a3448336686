//! Intervals of proportions that stay honest at 0 and 1: Wilson's for one, Newcombe's for a difference.

use crate::quantile::normal_quantile;

/// A share and the number of independent looks it rests on (not whole where answers come in clusters).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    /// The observed share, in 0 to 1.
    pub rate: f64,
    /// The effective number of independent observations, above 0.
    pub effective_n: f64,
}

/// Wilson's score interval (1927) with the two-sided critical value `critical`; a t quantile in its place accounts for
/// a variance known from few clusters.
#[must_use]
pub fn wilson(share: Share, critical: f64) -> (f64, f64) {
    let n = share.effective_n;
    let square = critical * critical;
    let centre = (share.rate + square / (2.0 * n)) / (1.0 + square / n);
    let half = critical / (1.0 + square / n) * (share.rate * (1.0 - share.rate) / n + square / (4.0 * n * n)).max(0.0).sqrt();
    // Exactly 0 or 1 where the share is: rounding would otherwise leave 1e-17.
    let low = if share.rate <= 0.0 { 0.0 } else { (centre - half).clamp(0.0, 1.0) };
    let high = if share.rate >= 1.0 { 1.0 } else { (centre + half).clamp(0.0, 1.0) };
    (low, high)
}

/// Newcombe's hybrid score interval (1998, method 10) of `first - second`, both Wilson intervals at level `1 - alpha`.
#[must_use]
pub fn newcombe(first: Share, second: Share, alpha: f64) -> (f64, f64) {
    let critical = normal_quantile(alpha / 2.0);
    let (first_low, first_high) = wilson(first, critical);
    let (second_low, second_high) = wilson(second, critical);
    let difference = first.rate - second.rate;
    let down = (first.rate - first_low).hypot(second_high - second.rate);
    let up = (first_high - first.rate).hypot(second.rate - second_low);
    ((difference - down).max(-1.0), (difference + up).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(events: f64, n: f64) -> Share {
        Share { rate: events / n, effective_n: n }
    }

    fn near(found: (f64, f64), expected: (f64, f64)) {
        assert!((found.0 - expected.0).abs() < 1e-9 && (found.1 - expected.1).abs() < 1e-9, "{found:?} {expected:?}");
    }

    // statsmodels 0.15: proportion_confint(method="wilson") and confint_proportions_2indep(method="newcomb").
    #[test]
    fn wilson_equals_statsmodels() {
        let z = normal_quantile(0.025);
        WILSON.iter().for_each(|&(events, n, low, high)| near(wilson(share(events, n), z), (low, high)));
    }

    #[test]
    fn newcombe_equals_statsmodels() {
        for &(a, n, b, m, low, high) in NEWCOMBE {
            near(newcombe(share(a, n), share(b, m), 0.05), (low, high));
        }
    }

    #[test]
    fn nothing_seen_is_not_nothing_there() {
        let (low, high) = newcombe(share(0.0, 10.0), share(0.0, 10.0), 0.05);
        assert!(low < -0.2 && high > 0.2);
        assert_eq!(wilson(share(10.0, 10.0), 1.96).1, 1.0);
    }

    const WILSON: &[(f64, f64, f64, f64)] = &[
        (0.0, 10.0, 0.000000000000, 0.277532799863),
        (10.0, 10.0, 0.722467200137, 1.000000000000),
        (3.0, 40.0, 0.025836025775, 0.198642335243),
        (17.0, 23.0, 0.535299951626, 0.874513839550),
        (1.0, 400.0, 0.000441447787, 0.014023285076),
    ];
    const NEWCOMBE: &[(f64, f64, f64, f64, f64, f64)] = &[
        (56.0, 70.0, 48.0, 80.0, 0.052431472402, 0.333872654037),
        (9.0, 10.0, 3.0, 10.0, 0.170522723935, 0.809017973535),
        (0.0, 20.0, 5.0, 30.0, -0.335643505064, 0.019522587839),
        (10.0, 10.0, 0.0, 10.0, 0.607509350431, 1.000000000000),
    ];
}
