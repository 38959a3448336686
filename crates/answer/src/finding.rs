//! A finding: one weakness in one place of some code.

use serde::{Deserialize, Serialize};

/// How bad it would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// A small harm.
    Low,
    /// A real harm under conditions.
    Medium,
    /// A real harm.
    High,
    /// Full control or full disclosure.
    Critical,
}

impl Severity {
    /// The weight in the severity-weighted endpoint: 0, 1, 2, 4, 8.
    #[must_use]
    pub fn weight(self) -> f64 {
        match self {
            Severity::Info => 0.0,
            Severity::Low => 1.0,
            Severity::Medium => 2.0,
            Severity::High => 4.0,
            Severity::Critical => 8.0,
        }
    }
}

/// How sure the rule is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// A hint.
    Low,
    /// More likely than not.
    Medium,
    /// Hardly ever wrong on labelled code.
    High,
}

/// One step of how data reaches the weak place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The file.
    pub path: String,
    /// The line, from 1.
    pub line: u32,
    /// What happens there.
    pub note: String,
}

/// One weakness in one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The file, as named in the answer or on disk.
    pub path: String,
    /// First line, from 1.
    pub line: u32,
    /// Last line, inclusive.
    pub end_line: u32,
    /// The weakness, such as `CWE-89`.
    pub cwe: String,
    /// The rule's id, such as `sql-concat`.
    pub rule: String,
    /// How bad it would be.
    pub severity: Severity,
    /// How sure the rule is.
    pub confidence: Confidence,
    /// Whether the weakness hides behind a trigger condition.
    pub trigger: bool,
    /// What is wrong, one sentence.
    pub message: String,
    /// How data gets there, where the rule knows.
    pub trace: Vec<Step>,
}
