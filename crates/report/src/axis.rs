//! The axis of a forest plot, logarithmic for ratios and linear for differences, for pages and terminals alike.

/// Widest ratio drawn; what lies beyond is cut with an arrow and keeps its number.
const WIDEST_RATIO: f64 = 16.0;
const RATIO_TICKS: [f64; 11] = [0.0625, 0.125, 0.25, 0.5, 0.8, 1.0, 1.25, 2.0, 4.0, 8.0, 16.0];
const DIFFERENCE_TICKS: [f64; 13] = [-1.0, -0.75, -0.5, -0.25, -0.1, -0.05, 0.0, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0];

/// A range of values drawn from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Axis {
    logarithmic: bool,
    low: f64,
    high: f64,
}

impl Axis {
    /// The axis that holds every finite value given and the line of no effect with some room on each side.
    #[must_use]
    pub(crate) fn around(scale: &str, values: impl Iterator<Item = f64>) -> Axis {
        let logarithmic = scale == "ratio";
        let (mut low, mut high): (f64, f64) = if logarithmic { (0.8, 1.25) } else { (-0.05, 0.05) };
        for value in values.filter(|value| value.is_finite() && (!logarithmic || *value > 0.0)) {
            low = low.min(value);
            high = high.max(value);
        }
        if logarithmic {
            low = (low / 1.08).max(1.0 / WIDEST_RATIO);
            high = (high * 1.08).min(WIDEST_RATIO);
        } else {
            let room = (high - low) * 0.04;
            low -= room;
            high += room;
        }
        Axis { logarithmic, low, high }
    }

    fn scaled(self, value: f64) -> f64 {
        if self.logarithmic { value.max(f64::MIN_POSITIVE).ln() } else { value }
    }

    /// Where a value lies: 0 at the left end, 1 at the right end, held inside.
    #[must_use]
    pub(crate) fn position(self, value: f64) -> f64 {
        let (low, high) = (self.scaled(self.low), self.scaled(self.high));
        ((self.scaled(value) - low) / (high - low)).clamp(0.0, 1.0)
    }

    /// Whether a value lies outside what is drawn: `Less` left of it, `Greater` right of it.
    #[must_use]
    pub(crate) fn beyond(self, value: f64) -> std::cmp::Ordering {
        if value < self.low {
            std::cmp::Ordering::Less
        } else if value > self.high {
            std::cmp::Ordering::Greater
        } else {
            std::cmp::Ordering::Equal
        }
    }

    /// The value of no effect.
    #[must_use]
    pub(crate) fn neutral(self) -> f64 {
        if self.logarithmic { 1.0 } else { 0.0 }
    }

    /// Labelled values inside the axis, the line of no effect among them, never closer than `apart` of its length.
    #[must_use]
    pub(crate) fn ticks(self, apart: f64) -> Vec<f64> {
        let all: &[f64] = if self.logarithmic { &RATIO_TICKS } else { &DIFFERENCE_TICKS };
        let inside = all.iter().copied().filter(|tick| self.beyond(*tick).is_eq());
        let mut chosen = vec![self.neutral()];
        // Round values first: a tick near one already chosen is left out.
        let mut order: Vec<f64> = inside.collect();
        order.sort_by(|a, b| self.position(*b).total_cmp(&self.position(*a)));
        order.sort_by_key(|tick| if self.logarithmic && [0.5, 2.0, 4.0, 0.25].contains(tick) { 0 } else { 1 });
        for tick in order {
            if chosen.iter().all(|other| (self.position(*other) - self.position(tick)).abs() >= apart) {
                chosen.push(tick);
            }
        }
        chosen.sort_by(f64::total_cmp);
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_and_its_inverse_lie_at_equal_distance_from_one() {
        let axis = Axis::around("ratio", [0.25, 4.0].into_iter());
        let middle = axis.position(1.0);
        assert!((axis.position(2.0) - middle - (middle - axis.position(0.5))).abs() < 1e-12);
    }

    #[test]
    fn infinite_and_missing_values_never_stretch_the_axis() {
        let axis = Axis::around("ratio", [f64::INFINITY, f64::NAN, 0.0, -3.0, 900.0].into_iter());
        assert!(axis.position(16.0) <= 1.0);
        assert!(axis.beyond(900.0).is_gt());
        assert_eq!(axis.position(1e9), 1.0);
    }

    #[test]
    fn ticks_hold_the_line_of_no_effect_and_keep_apart() {
        for scale in ["ratio", "difference"] {
            let axis = Axis::around(scale, [0.3, 0.7].into_iter());
            let ticks = axis.ticks(0.12);
            assert!(ticks.contains(&axis.neutral()));
            for pair in ticks.windows(2) {
                assert!(axis.position(pair[1]) - axis.position(pair[0]) >= 0.12);
            }
        }
    }
}
