//! How long to wait before a call is made again.

use std::time::Duration;

use rand::Rng;

/// Exponential backoff with full jitter: before the n-th retry, a wait drawn evenly between nothing and
/// `first * 2^(n - 1)`, at most `longest`. Drawing over the whole range spreads calls that failed together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// Upper end of the first wait.
    pub first: Duration,
    /// Upper end of every wait.
    pub longest: Duration,
}

impl Default for Backoff {
    fn default() -> Backoff {
        Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(60) }
    }
}

impl Backoff {
    /// The wait before the next attempt after `failures` failures (from 1).
    pub(crate) fn wait(&self, failures: u32, random: &mut impl Rng) -> Duration {
        let doublings = failures.saturating_sub(1).min(20);
        let upper = self.first.saturating_mul(1 << doublings).min(self.longest);
        upper.mul_f64(random.random::<f64>())
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn waits_fill_a_range_that_doubles_up_to_its_end() {
        let backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(60) };
        let mut random = ChaCha8Rng::seed_from_u64(1);
        for (failures, upper) in [(1, 1.0), (2, 2.0), (3, 4.0), (6, 32.0), (7, 60.0), (40, 60.0), (u32::MAX, 60.0)] {
            let waits: Vec<f64> = (0..2_000).map(|_| backoff.wait(failures, &mut random).as_secs_f64()).collect();
            let (low, high) = (waits.iter().copied().fold(f64::MAX, f64::min), waits.iter().copied().fold(0.0, f64::max));
            assert!(low < 0.02 * upper && high > 0.98 * upper && high <= upper, "{failures}: {low} to {high}");
            let mean = waits.iter().sum::<f64>() / 2_000.0;
            assert!((mean / upper - 0.5).abs() < 0.03, "{failures}: mean {mean}");
        }
    }
}
