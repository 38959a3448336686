//! Against scipy 1.17: `norm.isf`, `t.isf`, `2 * t.sf`.

use super::*;

const NORMAL: &[(f64, f64)] = &[
    (0.5, 0.00000000000000),
    (0.25, 0.67448975019608),
    (0.05, 1.64485362695147),
    (0.025, 1.95996398454005),
    (0.001, 3.09023230616781),
    (1e-06, 4.75342430882290),
    (1e-12, 7.03448382530113),
];
const T_QUANTILES: &[(f64, f64, f64)] = &[
    (0.025, 7.0, 2.364624251593),
    (0.025, 9.4, 2.247568091257),
    (0.05, 29.0, 1.699127026533),
    (0.2, 14.0, 0.868054781557),
    (0.0005, 7.0, 5.407882520862),
    (0.00055, 97.0, 3.364351326508),
    (0.025, 1.0, 12.706204736175),
    (1e-05, 13.7, 6.346573035568),
    (0.025, 5000.0, 1.960438551707),
];
const T_P_VALUES: &[(f64, f64, f64)] = &[
    (2.0, 7.0, 8.561932856297605e-02),
    (-3.5, 14.2, 3.468070003172467e-03),
    (0.1, 97.0, 9.205507147787798e-01),
    (8.0, 29.0, 8.012575649631688e-09),
    (0.0, 5.0, 1.0),
    (25.0, 12.0, 1.016479761546631e-11),
];

fn relative(found: f64, expected: f64) -> f64 {
    (found - expected).abs() / expected.abs().max(1.0e-6)
}

#[test]
fn normal_quantiles_equal_scipy() {
    for &(tail, expected) in NORMAL {
        assert!(relative(normal_quantile(tail), expected) < 1e-9, "{tail}: {} {expected}", normal_quantile(tail));
    }
}

#[test]
fn t_quantiles_equal_scipy() {
    for &(tail, degrees, expected) in T_QUANTILES {
        let found = t_quantile(tail, degrees);
        assert!(relative(found, expected) < 1e-8, "{tail} {degrees}: {found} {expected}");
    }
}

#[test]
fn t_p_values_equal_scipy() {
    for &(statistic, degrees, expected) in T_P_VALUES {
        let found = t_two_sided(statistic, degrees);
        assert!((found - expected).abs() <= 1e-9 * expected, "{statistic} {degrees}: {found} {expected}");
    }
}

#[test]
fn quantiles_and_tails_are_inverse() {
    for degrees in [1.0, 1.7, 4.0, 14.3, 119.0, 9_999.5] {
        for tail in [1e-12, 1e-6, 0.0001, 0.025, 0.2, 0.49] {
            let back = t_two_sided(t_quantile(tail, degrees), degrees) / 2.0;
            assert!(relative(back, tail) < 1e-6, "{degrees} {tail} {back}");
            assert!(relative(-t_quantile(1.0 - tail, degrees), t_quantile(tail, degrees)) < 1e-3);
        }
    }
}

#[test]
fn every_argument_has_an_answer() {
    assert_eq!(t_two_sided(f64::NAN, 3.0), 1.0);
    assert_eq!(t_two_sided(f64::INFINITY, 3.0), 0.0);
    assert!(t_quantile(0.0, 0.0).is_finite());
    assert!(normal_quantile(1.0).is_finite());
    assert!((t_quantile(0.025, 1e9) - normal_quantile(0.025)).abs() < 1e-7);
}
