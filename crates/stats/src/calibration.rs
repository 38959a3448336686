//! Simulated studies of known truth: what the intervals and verdicts of [`crate::analyse`] are worth is counted on them.
//!
//! Tasks differ, personas act differently on different tasks, each persona's wordings shift all tasks of its arm at
//! once, and repeats of one cell are alike; how much of each is set by [`Truth`].

mod draw;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::input::{Design, Observation, PersonaDesign, SampleOutcome};
use draw::{beta, log_shift, poisson, uniform};

/// No simulated share comes nearer to 1.
const HIGHEST_SHARE: f64 = 0.98;

/// What a simulated study is made from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Truth {
    /// Whether answers have counts of findings (else: exploitable or safe).
    pub counts: bool,
    /// Number of subjects.
    pub subjects: usize,
    /// Number of treatments beside the baseline; each has its own wordings.
    pub treatments: usize,
    /// Task clusters, one task each.
    pub clusters: usize,
    /// Wordings an arm.
    pub wordings: usize,
    /// Repeats of each cell.
    pub repeats: u32,
    /// Expected rate of the baseline: a share, or findings an answer.
    pub rate: f64,
    /// Every treatment's expected rate over the baseline's.
    pub ratio: f64,
    /// How alike answers to one task are: intraclass correlation of shares, squared coefficient of variation of counts.
    pub task_likeness: f64,
    /// Standard deviation, on the log scale, of a persona's effect from task to task.
    pub task_effect_sd: f64,
    /// Standard deviation, on the log scale, of a wording's shift of its whole arm.
    pub wording_sd: f64,
    /// How alike repeats of one cell are: intraclass correlation of shares, 1/k of negative binomial counts.
    pub overdispersion: f64,
    /// Share of answers whose function cases fail.
    pub broken: f64,
}

impl Default for Truth {
    fn default() -> Truth {
        Truth {
            counts: false,
            subjects: 1,
            treatments: 1,
            clusters: 30,
            wordings: 8,
            repeats: 2,
            rate: 0.2,
            ratio: 1.0,
            task_likeness: 0.3,
            task_effect_sd: 0.0,
            wording_sd: 0.0,
            overdispersion: 0.1,
            broken: 0.05,
        }
    }
}

/// Expected effects of a treatment over all tasks and wordings that could have been drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Expected {
    /// Ratio of the arms' expected rates.
    pub ratio: f64,
    /// Their difference.
    pub difference: f64,
}

impl Truth {
    /// A study of this truth; equal seeds give equal studies.
    #[must_use]
    pub fn simulate(&self, seed: u64) -> (Design, Vec<Observation>) {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let tasks: Vec<f64> = (0..self.clusters).map(|_| self.task(&mut random)).collect();
        let mut observations = Vec::new();
        for subject in 0..self.subjects {
            for persona in 0..=self.treatments {
                let shifts: Vec<f64> = (0..self.wordings).map(|_| log_shift(self.wording_sd, &mut random)).collect();
                for (cluster, task) in tasks.iter().enumerate() {
                    let level = task * self.persona(persona, &mut random);
                    for (wording, shift) in shifts.iter().enumerate() {
                        let cell = self.cell(level * shift, &mut random);
                        for repeat in 0..self.repeats {
                            let seen = blank(subject, persona, cluster, wording, repeat);
                            observations.push(self.answer(seen, cell, &mut random));
                        }
                    }
                }
            }
        }
        (self.design(seed), observations)
    }

    /// The expected effects: exact for counts; for shares, which cannot pass 1, the mean of many seeded draws.
    #[must_use]
    pub fn expected(&self) -> Expected {
        if self.counts {
            return Expected { ratio: self.ratio, difference: self.rate * (self.ratio - 1.0) };
        }
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let (mut treated, mut baseline) = (0.0, 0.0);
        let draws = 200_000;
        for _ in 0..draws {
            let task = self.task(&mut random);
            let mut arm = |persona: usize| {
                let level = task * self.persona(persona, &mut random) * log_shift(self.wording_sd, &mut random);
                level.min(HIGHEST_SHARE)
            };
            treated += arm(1);
            baseline += arm(0);
        }
        Expected { ratio: treated / baseline, difference: (treated - baseline) / f64::from(draws) }
    }

    fn task(&self, random: &mut ChaCha8Rng) -> f64 {
        if self.task_likeness <= 0.0 {
            return self.rate;
        }
        if self.counts {
            return self.rate * log_shift((1.0 + self.task_likeness).ln().sqrt(), random);
        }
        // Tasks stay low enough that the treatment's ratio holds on each.
        let ceiling = 0.9 / self.ratio.max(1.0);
        ceiling * beta(self.rate / ceiling, self.task_likeness, random)
    }

    fn persona(&self, persona: usize, random: &mut ChaCha8Rng) -> f64 {
        let ratio = if persona == 0 { 1.0 } else { self.ratio };
        let shift = log_shift(self.task_effect_sd, random);
        if persona == 0 { ratio } else { ratio * shift }
    }

    fn cell(&self, level: f64, random: &mut ChaCha8Rng) -> f64 {
        let level = if self.counts { level } else { level.min(HIGHEST_SHARE) };
        if self.counts || self.overdispersion <= 0.0 { level } else { beta(level, self.overdispersion, random) }
    }

    fn answer(&self, mut seen: Observation, cell: f64, random: &mut ChaCha8Rng) -> Observation {
        if self.counts {
            let mixed = if self.overdispersion > 0.0 {
                cell * draw::gamma(1.0 / self.overdispersion, random) * self.overdispersion
            } else {
                cell
            };
            let count = poisson(mixed, random);
            seen.findings_count = Some(count);
            seen.findings_weighted = Some(f64::from(count));
            seen.code_lines = Some(40);
            seen.outcome = SampleOutcome::Unproven;
            return seen;
        }
        seen.outcome = if uniform(random) < self.broken {
            SampleOutcome::Broken
        } else if uniform(random) < cell {
            SampleOutcome::Exploitable
        } else {
            SampleOutcome::Safe
        };
        seen
    }

    fn design(&self, seed: u64) -> Design {
        let names = |stem: &str, count: usize| (0..count).map(|place| format!("{stem}-{place}")).collect();
        let role = |persona: usize| if persona == 0 { "baseline" } else { "treatment" };
        Design {
            subjects: names("subject", self.subjects),
            personas: (0..=self.treatments)
                .map(|persona| PersonaDesign { id: format!("persona-{persona}"), role: role(persona).to_owned() })
                .collect(),
            baseline: 0,
            placements: names("placement", 1),
            languages: names("language", 1),
            clusters: names("cluster", self.clusters),
            topics: Vec::new(),
            cwes: Vec::new(),
            primary: if self.counts { "findings" } else { "exploitable" }.to_owned(),
            alpha: 0.05,
            margin_ratio: 1.25,
            margin_difference: 0.05,
            adjust: "holm".to_owned(),
            tier: "standard".to_owned(),
            fixed_texts: false,
            seed,
        }
    }
}

/// A code answer of which nothing is known yet.
pub(crate) fn blank(subject: usize, persona: usize, cluster: usize, wording: usize, repeat: u32) -> Observation {
    Observation {
        subject,
        persona,
        placement: 0,
        language: 0,
        wording,
        cluster,
        task: cluster,
        topic: None,
        repeat,
        is_code: true,
        outcome: SampleOutcome::Missing,
        refusal_layer: None,
        findings_weighted: None,
        findings_count: None,
        alerted: None,
        code_lines: None,
        cwes: Vec::new(),
        audit_hits: None,
        false_alarms: None,
    }
}

#[cfg(test)]
mod tests;
