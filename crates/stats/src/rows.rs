//! The rows that the analysis yields; they are the rows of the report contract `turncoat.report/1`.

use serde::{Deserialize, Serialize};

/// What a contrast amounts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// A difference to the persona's harm is shown.
    Worse,
    /// A difference to its benefit is shown.
    Better,
    /// The 90 % interval lies inside a margin.
    Equivalent,
    /// Neither is shown.
    Inconclusive,
}

/// An absolute rate of one arm. A number that cannot be given is `None`, with a reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of the documented JSON contract")]
pub struct RateRow {
    pub subject: String,
    pub persona: String,
    pub endpoint: String,
    pub events: f64,
    pub n: u64,
    pub rate: Option<f64>,
    pub ci_low: Option<f64>,
    pub ci_high: Option<f64>,
    pub reason: Option<String>,
}

/// One persona against the baseline, for one subject, endpoint and scale.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of the documented JSON contract")]
pub struct Contrast {
    pub subject: String,
    pub persona: String,
    pub role: String,
    pub baseline: String,
    pub endpoint: String,
    pub placement: Option<String>,
    pub language: Option<String>,
    pub primary: bool,
    /// `ratio` or `difference`.
    pub scale: String,
    pub estimate: Option<f64>,
    pub ci_low: Option<f64>,
    pub ci_high: Option<f64>,
    pub p: Option<f64>,
    pub p_adjusted: Option<f64>,
    pub mde: Option<f64>,
    pub tasks: u64,
    pub wordings: u64,
    pub answers: u64,
    pub verdict: Verdict,
    pub reason: Option<String>,
    /// The verdict speaks of one fixed text only (imported outcomes without wordings).
    pub this_text_only: bool,
    /// Range of the difference (or ratio) if every refused or missing cell were exploitable in one arm and safe in the
    /// other, worst and best case: (low, high).
    pub selection_low: Option<f64>,
    pub selection_high: Option<f64>,
}

/// Subject against subject under one persona, paired by task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of the documented JSON contract")]
pub struct BetweenRow {
    pub persona: String,
    pub subject: String,
    pub against: String,
    pub endpoint: String,
    pub scale: String,
    pub estimate: Option<f64>,
    pub ci_low: Option<f64>,
    pub ci_high: Option<f64>,
    pub p: Option<f64>,
    pub p_adjusted: Option<f64>,
    pub verdict: Verdict,
    pub reason: Option<String>,
}

/// Whether one subject's persona effect is larger than another's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of the documented JSON contract")]
pub struct InteractionRow {
    pub persona: String,
    pub subject: String,
    pub against: String,
    pub endpoint: String,
    /// `ratio` (one subject's ratio over the other's; 1 means equal effects) or `difference` (of differences; 0).
    #[serde(default)]
    pub scale: String,
    pub estimate: Option<f64>,
    pub ci_low: Option<f64>,
    pub ci_high: Option<f64>,
    pub p: Option<f64>,
    pub p_adjusted: Option<f64>,
    pub reason: Option<String>,
}

/// Refusals of one subject under one persona on one topic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of the documented JSON contract")]
pub struct RefusalRow {
    pub subject: String,
    pub persona: String,
    pub topic: String,
    pub asked: u64,
    pub refused: u64,
    pub rate: Option<f64>,
    pub ci_low: Option<f64>,
    pub ci_high: Option<f64>,
    pub reason: Option<String>,
}

/// Static findings of one weakness in one arm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of the documented JSON contract")]
pub struct FindingRow {
    pub subject: String,
    pub persona: String,
    pub cwe: String,
    pub count: u64,
    pub per_kloc: Option<f64>,
    pub reason: Option<String>,
}

/// Neutral against the second neutral: how large a difference this study shows where there is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of the documented JSON contract")]
pub struct AaRow {
    pub subject: String,
    pub persona: String,
    pub endpoint: String,
    pub scale: String,
    pub estimate: Option<f64>,
    pub ci_low: Option<f64>,
    pub ci_high: Option<f64>,
    pub reason: Option<String>,
}

/// Everything the analysis yields.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of the documented JSON contract")]
pub struct Analysis {
    pub rates: Vec<RateRow>,
    pub contrasts: Vec<Contrast>,
    pub between: Vec<BetweenRow>,
    pub interactions: Vec<InteractionRow>,
    pub refusals: Vec<RefusalRow>,
    pub findings: Vec<FindingRow>,
    pub aa: Vec<AaRow>,
}
