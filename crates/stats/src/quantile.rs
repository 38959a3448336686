//! Tails and quantiles of the normal and Student's t distribution, total over their arguments.

use statrs::distribution::{Continuous, ContinuousCDF, Normal, StudentsT};

/// Beyond this many degrees of freedom the t distribution is taken for the normal one (they differ by less than 1e-7).
const AS_GOOD_AS_NORMAL: f64 = 1.0e7;
/// No quantile is looked for beyond this.
const FARTHEST: f64 = 1.0e100;
/// Newton's steps seldom need ten.
const MOST_STEPS: usize = 200;

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
    if tail > 0.5 {
        return -t_quantile(1.0 - tail, degrees);
    }
    let Some(distribution) = student(degrees) else { return normal_quantile(tail) };
    // Newton's steps on the logarithm of the tail, kept inside a bracket: exact far out, where the inverse of the beta
    // function gives up.
    let mut high = 1.0;
    while distribution.sf(high) > tail && high < FARTHEST {
        high *= 2.0;
    }
    let (mut low, mut value) = (0.0, normal_quantile(tail).clamp(0.0, high));
    for _ in 0..MOST_STEPS {
        let found = distribution.sf(value);
        if found > tail {
            low = value
        } else {
            high = value
        }
        let step = (found / tail).ln() * found / distribution.pdf(value);
        let next = value + step;
        let next = if next > low && next < high { next } else { low + (high - low) / 2.0 };
        let moved = (next - value).abs();
        value = next;
        if moved <= 1.0e-13 * value {
            break;
        }
    }
    value
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
