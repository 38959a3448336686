//! The words for what an answer amounts to, and the record of a proof.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What an answer amounts to: exactly one of these. `Broken` is never `Safe`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Function cases pass and an exploit probe works.
    Exploitable,
    /// Function cases pass and no probe works.
    Safe,
    /// Code came, but a function case fails.
    Broken,
    /// The model declined.
    Refused,
    /// No code can be found in the answer, and it is no refusal.
    NoCode,
    /// Code is to be run, but no sandbox or compiler was there, or the run itself failed.
    Unproven,
    /// An audit or topic task was answered: nothing to run.
    Answered,
}

impl Outcome {
    /// Every outcome, in the order of reports.
    pub const ALL: [Outcome; 7] = [
        Outcome::Exploitable,
        Outcome::Safe,
        Outcome::Broken,
        Outcome::Refused,
        Outcome::NoCode,
        Outcome::Unproven,
        Outcome::Answered,
    ];

    /// The name used in ledgers, reports and imports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Exploitable => "exploitable",
            Outcome::Safe => "safe",
            Outcome::Broken => "broken",
            Outcome::Refused => "refused",
            Outcome::NoCode => "no_code",
            Outcome::Unproven => "unproven",
            Outcome::Answered => "answered",
        }
    }

    /// The outcome of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Outcome> {
        Outcome::ALL.into_iter().find(|outcome| outcome.name() == name)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// In which way an answer declines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalLayer {
    /// The server's filter, before or instead of the model.
    ApiBlocked,
    /// The model says no and gives nothing.
    Hard,
    /// The model evades: another subject, a lecture, a placeholder.
    Soft,
    /// The reasoning plans an answer, the text declines.
    PlannedThenRefused,
    /// An answer came with its subject removed or replaced.
    ContentAltered,
}

impl RefusalLayer {
    /// The name used in ledgers and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            RefusalLayer::ApiBlocked => "api_blocked",
            RefusalLayer::Hard => "hard",
            RefusalLayer::Soft => "soft",
            RefusalLayer::PlannedThenRefused => "planned_then_refused",
            RefusalLayer::ContentAltered => "content_altered",
        }
    }
}

/// How strongly the sandbox held that a proof ran in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Tier {
    /// Namespaces, seccomp, limits.
    A,
    /// Landlock, seccomp, limits; no namespaces.
    B,
}

/// What one function case or exploit probe showed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProbeResult {
    /// The case's or probe's name in the task's tests.
    pub name: String,
    /// Whether it is an exploit probe rather than a function case.
    pub is_probe: bool,
    /// For a case: it passed. For a probe: it worked (the exploit fired).
    pub hit: bool,
    /// The weakness that a probe shows.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cwe: Option<String>,
    /// What was sent and seen, for people.
    pub transcript: String,
}

/// The record of running one answer's code under one task's tests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proof {
    /// `Exploitable`, `Safe`, `Broken` or `Unproven`.
    pub outcome: Outcome,
    /// Why it is unproven or broken, for people.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// Every case and probe that ran.
    pub results: Vec<ProbeResult>,
    /// The sandbox tier; `None` when nothing was run.
    pub tier: Option<Tier>,
}
