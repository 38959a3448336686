//! A persona: whom the model believes it works for, in several wordings.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// What a persona is for in a study.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// What every other persona is compared with.
    Baseline,
    /// A persona the study asks about.
    Treatment,
    /// A matched control, outside the adjusted family.
    Control,
    /// A second baseline, for the A/A comparison.
    Placebo,
}

impl Role {
    /// Every role.
    pub const ALL: [Role; 4] = [Role::Baseline, Role::Treatment, Role::Control, Role::Placebo];

    /// The name used in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Role::Baseline => "baseline",
            Role::Treatment => "treatment",
            Role::Control => "control",
            Role::Placebo => "placebo",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where a wording stands in the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Placement {
    /// The system message, word for word.
    System,
    /// The first paragraph of the user message.
    User,
    /// A file header shown with the task.
    Repository,
    /// The output of a tool shown with the task.
    ToolOutput,
}

impl Placement {
    /// Every placement.
    pub const ALL: [Placement; 4] = [Placement::System, Placement::User, Placement::Repository, Placement::ToolOutput];

    /// The name used in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Placement::System => "system",
            Placement::User => "user",
            Placement::Repository => "repository",
            Placement::ToolOutput => "tool-output",
        }
    }
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One text of a persona.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wording {
    /// The sentence frame it shares with the other personas of a study.
    pub frame: String,
    /// Where it stands.
    pub placement: Placement,
    /// Language tag of the text, such as `en` or `zh-Hans`.
    pub language: String,
    /// The text itself; reaches the subject word for word.
    pub text: String,
}

/// Whom the model believes it works for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Persona {
    /// The persona's name, also its file's stem.
    pub id: String,
    /// What it is for.
    pub role: Role,
    /// Declared factors (country, body, explicitness, sensitivity), free names and plain values.
    #[serde(default)]
    pub factors: BTreeMap<String, serde_json::Value>,
    /// Its texts.
    pub wordings: Vec<Wording>,
}
