//! What a study will take before anything is called: calls, tokens and money.

use crate::plan::Plan;
use crate::subject::SubjectSpec;
use crate::task::Kind;

/// Characters a token, a planning figure for English and code under today's vocabularies.
const CHARACTERS_PER_TOKEN: f64 = 4.0;

/// What one subject will take.
#[derive(Debug, Clone, PartialEq)]
pub struct SubjectPreview {
    /// Its id.
    pub subject: String,
    /// Calls, one a trial.
    pub calls: u64,
    /// Prompt tokens, estimated from the texts' lengths.
    pub input_tokens: u64,
    /// Answer tokens, estimated from what such tasks usually take.
    pub output_tokens: u64,
    /// The estimate in USD; `None` without a price.
    pub usd: Option<f64>,
    /// What it could cost at the very most (every answer at its token limit), in USD.
    pub usd_bound: Option<f64>,
}

/// What a study will take.
#[derive(Debug, Clone, PartialEq)]
pub struct Preview {
    /// A row a subject.
    pub subjects: Vec<SubjectPreview>,
    /// Distinct clusters, by kind of task.
    pub clusters: Vec<(Kind, u64)>,
}

impl SubjectSpec {
    /// What one call can cost at the very most, in USD: a token a byte of the prompt, and the longest answer.
    /// `None` where the price is unknown; zero for subjects that cost nothing by their nature.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "prompt lengths are far below 2^53")]
    pub fn bound_usd(&self, prompt_bytes: usize) -> Option<f64> {
        if self.endpoint.provider.is_free() {
            return Some(0.0);
        }
        let price = self.conduct.price?;
        // Chat templates add a handful of tokens around each message.
        let input = prompt_bytes as f64 + 64.0;
        Some((input * price.input + f64::from(self.endpoint.sampling.max_tokens) * price.output) / 1e6)
    }
}

/// Tokens that an answer to such a task usually takes.
fn usual_answer(kind: Kind) -> f64 {
    match kind {
        Kind::Write => 900.0,
        Kind::Modify => 1_200.0,
        Kind::Audit => 250.0,
        Kind::Topic => 1_000.0,
    }
}

/// Previews a plan.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "estimates far below 2^53, never negative"
)]
pub fn preview(plan: &Plan) -> Preview {
    let mut subjects = Vec::with_capacity(plan.subjects.len());
    for subject in &plan.subjects {
        let limit = f64::from(subject.endpoint.sampling.max_tokens);
        let (mut calls, mut input, mut output, mut bound) = (0_u64, 0.0, 0.0, Some(0.0));
        for task in &plan.tasks {
            for persona in &plan.personas {
                for wording in &persona.wordings {
                    let prompt = plan.compose(wording, task);
                    let bytes = prompt.system.len() + prompt.user.len();
                    calls += u64::from(plan.repeats);
                    input += f64::from(plan.repeats) * (bytes as f64 / CHARACTERS_PER_TOKEN + 8.0);
                    output += f64::from(plan.repeats) * usual_answer(task.kind).min(limit);
                    let one = subject.bound_usd(bytes);
                    bound = bound.zip(one).map(|(sum, one)| sum + one * f64::from(plan.repeats));
                }
            }
        }
        let usd = if subject.endpoint.provider.is_free() {
            Some(0.0)
        } else {
            subject.conduct.price.map(|price| (input * price.input + output * price.output) / 1e6)
        };
        subjects.push(SubjectPreview {
            subject: subject.id.clone(),
            calls,
            input_tokens: input as u64,
            output_tokens: output as u64,
            usd,
            usd_bound: bound,
        });
    }
    let clusters = Kind::ALL
        .into_iter()
        .map(|kind| {
            let mut names: Vec<&str> =
                plan.tasks.iter().filter(|task| task.kind == kind).map(|task| task.cluster.as_str()).collect();
            names.sort_unstable();
            names.dedup();
            (kind, names.len() as u64)
        })
        .filter(|(_, count)| *count > 0)
        .collect();
    Preview { subjects, clusters }
}
