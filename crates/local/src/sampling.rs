//! From numbers to the next token: repetition penalty, temperature, top-k, top-p, and a seeded draw.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// How an answer is drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Sampling {
    /// Softmax temperature; 0 takes the likeliest token each time, `None` means 1.
    pub temperature: Option<f64>,
    /// The smallest set of likeliest tokens that has this share of the probability is kept; `None` or 1 keeps all.
    pub top_p: Option<f64>,
    /// This many likeliest tokens are kept; `None` or 0 keeps all.
    pub top_k: Option<u32>,
    /// Logits of tokens that were in the prompt or the answer are divided (above 0) or multiplied (below 0) by this; `None` or 1 changes nothing.
    pub repetition_penalty: Option<f64>,
    /// Longest answer, in tokens.
    pub max_tokens: u32,
    /// The answer ends before the first of these.
    pub stop: Vec<String>,
}

/// Draws the tokens of one answer.
pub(crate) struct Sampler {
    temperature: f64,
    top_p: f64,
    top_k: usize,
    penalty: f64,
    seen: Vec<bool>,
    random: ChaCha8Rng,
}

/// A token that may come next.
struct Candidate {
    token: u32,
    logit: f64,
}

impl Sampler {
    /// A sampler for a vocabulary of this size; `prompt` counts as said.
    pub(crate) fn new(sampling: &Sampling, seed: u64, vocabulary: usize, prompt: &[u32]) -> Self {
        let mut sampler = Self {
            temperature: sampling.temperature.unwrap_or(1.0),
            top_p: sampling.top_p.unwrap_or(1.0),
            top_k: sampling.top_k.map_or(0, |count| usize::try_from(count).unwrap_or(usize::MAX)),
            penalty: sampling.repetition_penalty.unwrap_or(1.0),
            seen: vec![false; vocabulary],
            random: ChaCha8Rng::seed_from_u64(seed),
        };
        for &token in prompt {
            sampler.note(token);
        }
        sampler
    }

    /// Draws the next token; `None` when the numbers are no numbers.
    pub(crate) fn draw(&mut self, logits: &[f32]) -> Option<u32> {
        let mut candidates = self.candidates(logits);
        if candidates.is_empty() || candidates.iter().any(|candidate| candidate.logit.is_nan()) {
            return None;
        }
        let largest = candidates.iter().map(|candidate| candidate.logit).fold(f64::NEG_INFINITY, f64::max);
        if !largest.is_finite() {
            return None;
        }
        let token = if self.temperature > 0.0 {
            self.keep_top_k(&mut candidates);
            let mut weights: Vec<(u32, f64)> = candidates
                .iter()
                .map(|candidate| (candidate.token, ((candidate.logit - largest) / self.temperature).exp()))
                .collect();
            self.keep_top_p(&mut weights);
            self.pick(&weights)
        } else {
            // The first of equals, so that the choice does not depend on a sorting order.
            candidates.iter().find(|candidate| candidate.logit >= largest).map(|candidate| candidate.token)
        };
        if let Some(token) = token {
            self.note(token);
        }
        token
    }

    fn note(&mut self, token: u32) {
        if let Some(seen) = self.seen.get_mut(token as usize) {
            *seen = true;
        }
    }

    fn candidates(&self, logits: &[f32]) -> Vec<Candidate> {
        let with_token = logits.iter().zip(&self.seen).zip(0_u32..);
        with_token
            .map(|((&logit, &seen), token)| {
                let logit = f64::from(logit);
                let penalised = match (seen, logit > 0.0) {
                    (false, _) => logit,
                    (true, true) => logit / self.penalty,
                    (true, false) => logit * self.penalty,
                };
                Candidate { token, logit: penalised }
            })
            .collect()
    }

    fn keep_top_k(&self, candidates: &mut Vec<Candidate>) {
        if self.top_k > 0 && self.top_k < candidates.len() {
            candidates.select_nth_unstable_by(self.top_k - 1, |a, b| b.logit.total_cmp(&a.logit).then(a.token.cmp(&b.token)));
            candidates.truncate(self.top_k);
            candidates.sort_unstable_by_key(|candidate| candidate.token);
        }
    }

    fn keep_top_p(&self, weights: &mut Vec<(u32, f64)>) {
        if self.top_p >= 1.0 {
            return;
        }
        let total: f64 = weights.iter().map(|(_, weight)| weight).sum();
        weights.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let mut covered = 0.0;
        let kept = weights
            .iter()
            .take_while(|(_, weight)| {
                // The likeliest token is always kept, and the one that crosses the line too.
                let open = covered == 0.0 || covered < self.top_p * total;
                covered += weight;
                open
            })
            .count();
        weights.truncate(kept);
    }

    fn pick(&mut self, weights: &[(u32, f64)]) -> Option<u32> {
        let total: f64 = weights.iter().map(|(_, weight)| weight).sum();
        // 53 random bits: a number from 0 up to, but not, 1.
        let mut left = (self.random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64 * total;
        for (token, weight) in weights {
            if left < *weight {
                return Some(*token);
            }
            left -= weight;
        }
        weights.last().map(|(token, _)| *token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Sampling =
        Sampling { temperature: None, top_p: None, top_k: None, repetition_penalty: None, max_tokens: 1, stop: Vec::new() };

    fn shares(sampling: &Sampling, prompt: &[u32], logits: &[f32]) -> Vec<f64> {
        let mut counts = vec![0.0; logits.len()];
        for seed in 0..20_000 {
            let token = Sampler::new(sampling, seed, logits.len(), prompt).draw(logits).unwrap();
            counts[token as usize] += 1.0 / 20_000.0;
        }
        counts
    }

    fn assert_close(got: &[f64], want: &[f64]) {
        for (got, want) in got.iter().zip(want) {
            assert!((got - want).abs() < 0.015, "{got:?} {want:?}");
            assert!(*want > 0.0 || *got == 0.0, "a token that was cut off was drawn");
        }
    }

    /// Logits of the shares 0.5, 0.3, 0.2.
    fn logits() -> [f32; 3] {
        [0.5_f32.ln(), 0.3_f32.ln(), 0.2_f32.ln()]
    }

    #[test]
    fn draws_follow_the_softmax_at_every_temperature() {
        assert_close(&shares(&PLAIN, &[], &logits()), &[0.5, 0.3, 0.2]);
        // At temperature 0.5 shares are squared.
        let cool = Sampling { temperature: Some(0.5), ..PLAIN };
        assert_close(&shares(&cool, &[], &logits()), &[0.25 / 0.38, 0.09 / 0.38, 0.04 / 0.38]);
    }

    #[test]
    fn temperature_zero_takes_the_first_of_the_likeliest() {
        let mut sampler = Sampler::new(&Sampling { temperature: Some(0.0), ..PLAIN }, 1, 4, &[]);
        assert_eq!(sampler.draw(&[0.0, 2.0, 2.0, 1.0]), Some(1));
    }

    #[test]
    fn top_k_and_top_p_cut_the_tail_and_rescale() {
        assert_close(&shares(&Sampling { top_k: Some(2), ..PLAIN }, &[], &logits()), &[0.625, 0.375, 0.0]);
        assert_close(&shares(&Sampling { top_p: Some(0.6), ..PLAIN }, &[], &logits()), &[0.625, 0.375, 0.0]);
        assert_close(&shares(&Sampling { top_p: Some(0.5), ..PLAIN }, &[], &logits()), &[1.0, 0.0, 0.0]);
        assert_close(&shares(&Sampling { top_p: Some(0.0), ..PLAIN }, &[], &logits()), &[1.0, 0.0, 0.0]);
    }

    #[test]
    fn the_penalty_makes_what_was_said_less_likely_on_either_side_of_zero() {
        let greedy = Sampling { temperature: Some(0.0), repetition_penalty: Some(2.0), ..PLAIN };
        assert_eq!(Sampler::new(&greedy, 1, 2, &[0]).draw(&[3.0, 2.0]), Some(1));
        assert_eq!(Sampler::new(&greedy, 1, 2, &[0]).draw(&[-1.0, -1.5]), Some(1));
        // What was drawn counts as said for the next draw.
        let mut sampler = Sampler::new(&greedy, 1, 2, &[]);
        assert_eq!((sampler.draw(&[3.0, 2.0]), sampler.draw(&[3.0, 2.0])), (Some(0), Some(1)));
    }

    #[test]
    fn the_seed_decides_the_draws() {
        let run = |seed| {
            let mut sampler = Sampler::new(&PLAIN, seed, 3, &[]);
            (0..50).map(|_| sampler.draw(&logits()).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
    }

    #[test]
    fn broken_numbers_draw_nothing() {
        for broken in [[f32::NAN, 1.0], [f32::NEG_INFINITY; 2], [f32::INFINITY, 0.0]] {
            assert_eq!(Sampler::new(&PLAIN, 1, 2, &[]).draw(&broken), None);
        }
    }
}
