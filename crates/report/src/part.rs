//! What a page needs beyond the report: every answer whole, published claims, and the frame of a study on it.

use std::sync::Arc;

use turncoat_answer::{Finding, ProbeResult};

use crate::model::{Report, TrialRow};

/// One answer, whole, for the drill-down. Texts are shared, since many answers have the same prompt or even the same code.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Drill {
    /// The trial and what became of it.
    pub row: TrialRow,
    /// The persona's text as it reached the subject.
    pub wording: Option<Arc<str>>,
    /// The system message.
    pub system: Option<Arc<str>>,
    /// The user message.
    pub user: Option<Arc<str>>,
    /// The visible answer as it came.
    pub text: Option<Arc<str>>,
    /// The model's reasoning as it came.
    pub reasoning: Option<Arc<str>>,
    /// Code files found in the answer: name and content.
    pub files: Vec<(String, Arc<str>)>,
    /// Static findings in these files.
    pub findings: Vec<Finding>,
    /// Function cases and exploit probes with what was sent and seen.
    pub proof: Vec<ProbeResult>,
}

/// A published claim beside what a study of this size can show of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Claim {
    /// The claim, in a few words.
    pub claim: String,
    /// Who published it, and where.
    pub source: String,
    /// Whether the source is weak, so that the figure must not be leaned on.
    pub weak_source: bool,
    /// The published size, as printed there.
    pub published: String,
    /// Chance that a study of this size shows an effect of that size, 0 to 1.
    pub power: Option<f64>,
    /// The smallest effect that a study of this size shows with 80 % chance, as text with its scale.
    pub mde: Option<String>,
    /// Answers an arm that it would take for an 80 % chance.
    pub answers_needed: Option<u64>,
    /// What this study showed, in words.
    pub shown: String,
}

/// One study on a page.
#[derive(Debug, Clone)]
pub struct Part<'a> {
    /// The heading.
    pub title: String,
    /// The part's anchor in the page: letters, digits and `-`; other characters are replaced.
    pub anchor: String,
    /// Paragraphs below the heading.
    pub intro: Vec<String>,
    /// A line across the whole part, such as why all of it is `SIMULATED`.
    pub banner: Option<String>,
    /// The report.
    pub report: &'a Report,
    /// The answers, in the order they are to be listed.
    pub drill: Vec<Drill>,
    /// How many answers there are beside those, since they are too many for one page: `drill` then holds the [`crate::telling`] ones.
    pub beyond: usize,
    /// Published claims, where the part tests some.
    pub claims: Vec<Claim>,
}
