//! Adjustment of p-values over a declared family.

/// Holm's step-down adjustment (1979): the family-wise error stays at the level whatever the dependence.
///
/// A hypothesis without a p-value counts in the size of the family (it was declared) and stays without.
#[must_use]
pub fn holm(p_values: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut order: Vec<(usize, f64)> =
        p_values.iter().enumerate().filter_map(|(place, p)| p.map(|value| (place, value))).collect();
    order.sort_by(|left, right| left.1.total_cmp(&right.1).then(left.0.cmp(&right.0)));
    let mut adjusted = vec![None; p_values.len()];
    let mut floor = 0.0_f64;
    for (rank, (place, p)) in order.into_iter().enumerate() {
        // Fewer than 2^53 hypotheses: the count is exact as a float.
        let remaining = (p_values.len() - rank) as f64;
        floor = floor.max((p * remaining).min(1.0));
        if let Some(slot) = adjusted.get_mut(place) {
            *slot = Some(floor);
        }
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::holm;

    // statsmodels 0.15: multipletests([0.01, 0.04, 0.03, 0.005, 0.2, 0.03], method="holm").
    #[test]
    fn equals_statsmodels() {
        let p = [0.01, 0.04, 0.03, 0.005, 0.2, 0.03].map(Some);
        let expected = [0.05, 0.12, 0.12, 0.03, 0.2, 0.12];
        for (found, expected) in holm(&p).into_iter().zip(expected) {
            assert!((found.unwrap() - expected).abs() < 1e-12, "{found:?} {expected}");
        }
    }

    #[test]
    fn an_untested_hypothesis_still_counts() {
        assert_eq!(holm(&[Some(0.02), None, Some(0.5)]), vec![Some(0.06), None, Some(1.0)]);
        assert!(holm(&[]).is_empty());
    }
}
