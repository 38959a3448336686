//! Random draws that the simulation needs, from uniform numbers.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// Uniform in (0, 1].
pub(super) fn uniform(random: &mut ChaCha8Rng) -> f64 {
    1.0 - random.random::<f64>()
}

/// Standard normal (Box and Muller 1958).
fn normal(random: &mut ChaCha8Rng) -> f64 {
    let radius = (-2.0 * uniform(random).ln()).sqrt();
    radius * (std::f64::consts::TAU * uniform(random)).cos()
}

/// A log-normal factor of mean 1 whose logarithm has that standard deviation.
pub(super) fn log_shift(sd: f64, random: &mut ChaCha8Rng) -> f64 {
    if sd <= 0.0 { 1.0 } else { (sd * normal(random) - sd * sd / 2.0).exp() }
}

/// Gamma of mean `shape` and scale 1 (Marsaglia and Tsang 2000).
pub(super) fn gamma(shape: f64, random: &mut ChaCha8Rng) -> f64 {
    if shape < 1.0 {
        return gamma(shape + 1.0, random) * uniform(random).powf(1.0 / shape);
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = normal(random);
        let v = (1.0 + c * x).powi(3);
        if v > 0.0 && uniform(random).ln() < 0.5 * x * x + d - d * v + d * v.ln() {
            return d * v;
        }
    }
}

/// Beta of that mean whose draws, as shares of a group, give answers of that intraclass correlation.
pub(super) fn beta(mean: f64, likeness: f64, random: &mut ChaCha8Rng) -> f64 {
    if mean <= 0.0 || mean >= 1.0 {
        return mean.clamp(0.0, 1.0);
    }
    let size = 1.0 / likeness.clamp(1.0e-6, 0.999) - 1.0;
    let yes = gamma(mean * size, random);
    let no = gamma((1.0 - mean) * size, random);
    // Both can underflow to 0 where answers are all but identical.
    if yes + no > 0.0 { yes / (yes + no) } else { mean.round() }
}

/// Poisson, by multiplication in pieces small enough for it.
pub(super) fn poisson(mean: f64, random: &mut ChaCha8Rng) -> u32 {
    let mut count = 0;
    let mut left = mean;
    while left > 0.0 {
        let piece = left.min(20.0);
        left -= piece;
        let floor = (-piece).exp();
        let mut product = uniform(random);
        while product > floor {
            count += 1;
            product *= uniform(random);
        }
    }
    count
}
