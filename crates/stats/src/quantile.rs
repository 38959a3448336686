//! Tails and quantiles of the normal and Student's t distribution, total over their arguments.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

/// Beyond this many degrees of freedom the t distribution is taken for the normal one (they differ by less than 1e-7).
const AS_GOOD_AS_NORMAL: f64 = 1.0e7;

/// The value that a standard normal variable exceeds with probability `upper_tail` (in (0, 1), else clamped into it).
#[must_use]
pub fn normal_quantile(upper_tail: f64) -> f64 {
    let tail = clamp_tail(upper_tail);
    // The lower quantile is negated because small tails lose no digits on that side.
    -Normal::standard().inverse_cdf(tail)
}

/// The value that a t variable with `degrees` of freedom exceeds with probability `upper_tail`.
///
/// Degrees need not be whole (Satterthwaite's are not); below 1 they count as 1.
#[must_use]
pub fn t_quantile(upper_tail: f64, degrees: f64) -> f64 {
    let tail = clamp_tail(upper_tail);
    match student(degrees) {
        Some(distribution) => -distribution.inverse_cdf(tail),
        None => normal_quantile(tail),
    }
}

/// Two-sided p-value of a t statistic.
#[must_use]
pub fn t_two_sided(statistic: f64, degrees: f64) -> f64 {
    let size = statistic.abs();
    if size.is_nan() {
        return 1.0;
    }
    let tail = match student(degrees) {
        Some(distribution) => distribution.sf(size),
        None => Normal::standard().sf(size),
    };
    (2.0 * tail).clamp(0.0, 1.0)
}

fn student(degrees: f64) -> Option<StudentsT> {
    if degrees > AS_GOOD_AS_NORMAL {
        return None;
    }
    StudentsT::new(0.0, 1.0, if degrees >= 1.0 { degrees } else { 1.0 }).ok()
}

fn clamp_tail(tail: f64) -> f64 {
    if tail.is_nan() { 0.5 } else { tail.clamp(1.0e-300, 1.0 - 1.0e-15) }
}

#[cfg(test)]
mod tests;
