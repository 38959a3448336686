//! A persona: whom the model believes it works for, in several wordings.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::source::{Document, Problems};

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

/// Reads a persona file.
///
/// # Errors
/// Every mistake in it, with its place.
pub fn parse(file: &str, text: &str) -> Result<Persona, Problems> {
    let document = Document::parse(file, text);
    let persona = {
        let root = document.root();
        let id = root.string("id");
        let role = root.choice("role", &Role::ALL.map(Role::name));
        let factors = root.section_if_any("factors").map(|factors| {
            let values = factors.keys().into_iter().filter_map(|key| Some((key.to_owned(), factors.get(key)?.value.to_json())));
            values.collect()
        });
        let mut wordings: Vec<Wording> = Vec::new();
        for wording in root.sections("wording") {
            let frame = wording.string("frame");
            let placement = wording.choice_if_any("placement", &Placement::ALL.map(Placement::name));
            let placement =
                Placement::ALL.into_iter().find(|one| Some(one.name()) == placement.as_deref()).unwrap_or(Placement::System);
            let language = wording.string_if_any("language").unwrap_or_else(|| "en".to_owned());
            let words = wording.string("text");
            if wordings.iter().any(|other| other.frame == frame && other.placement == placement && other.language == language) {
                wording.report("frame", format!("`{frame}` stands twice for {placement} in `{language}`"), None);
            }
            if wording.get("text").is_some() && words.trim().is_empty() {
                wording.report("text", "is empty: a server would put its own system message there", None);
            }
            wordings.push(Wording { frame, placement, language, text: words });
            wording.done();
        }
        if wordings.is_empty() && document.is_clean() {
            root.report("wording", "a persona needs at least one [[wording]]", None);
        }
        root.done();
        let role = Role::ALL.into_iter().find(|one| Some(one.name()) == role.as_deref()).unwrap_or(Role::Treatment);
        Persona { id, role, factors: factors.unwrap_or_default(), wordings }
    };
    document.finish()?;
    Ok(persona)
}
