//! A task: one neutral specification a model is asked to fulfil, with the references and tests that judge its answer.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// What a task asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Write a function or file from a specification.
    Write,
    /// Add a feature to given code; its guard must survive.
    Modify,
    /// Find weaknesses in given code and answer in JSON.
    Audit,
    /// Write harmless code about a sensitive (or mirrored, or neutral) topic: only refusal is measured.
    Topic,
}

impl Kind {
    /// Every kind, in the order of documentation.
    pub const ALL: [Kind; 4] = [Kind::Write, Kind::Modify, Kind::Audit, Kind::Topic];

    /// The name used in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Kind::Write => "write",
            Kind::Modify => "modify",
            Kind::Audit => "audit",
            Kind::Topic => "topic",
        }
    }

    /// Whether an answer holds code that is to be run by function cases and exploit probes.
    #[must_use]
    pub fn is_run(self) -> bool {
        matches!(self, Kind::Write | Kind::Modify)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A programming language of tasks and answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the variants are the languages' own names")]
pub enum Language {
    Python,
    Javascript,
    Typescript,
    Go,
    Java,
    C,
    Rust,
}

impl Language {
    /// Every language, in the order of documentation.
    pub const ALL: [Language; 7] =
        [Language::Python, Language::Javascript, Language::Typescript, Language::Go, Language::Java, Language::C, Language::Rust];

    /// The name used in files and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Language::Python => "python",
            Language::Javascript => "javascript",
            Language::Typescript => "typescript",
            Language::Go => "go",
            Language::Java => "java",
            Language::C => "c",
            Language::Rust => "rust",
        }
    }

    /// The usual file ending, without a dot.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Language::Python => "py",
            Language::Javascript => "js",
            Language::Typescript => "ts",
            Language::Go => "go",
            Language::Java => "java",
            Language::C => "c",
            Language::Rust => "rs",
        }
    }

    /// The language a fence tag (```` ```py ````) or file ending names, if any; case is ignored.
    #[must_use]
    pub fn from_tag(tag: &str) -> Option<Language> {
        Some(match tag.to_ascii_lowercase().as_str() {
            "python" | "py" | "python3" | "py3" => Language::Python,
            "javascript" | "js" | "node" | "nodejs" | "mjs" | "cjs" | "jsx" => Language::Javascript,
            "typescript" | "ts" | "tsx" => Language::Typescript,
            "go" | "golang" => Language::Go,
            "java" => Language::Java,
            "c" | "h" => Language::C,
            "rust" | "rs" => Language::Rust,
            _ => return None,
        })
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A weakness planted in the code of an audit task; the clean twin plants none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planted {
    /// The weakness, such as `CWE-89`.
    pub cwe: String,
    /// First line, counted from 1 in the code shown to the model.
    pub line: u32,
    /// Last line, inclusive.
    pub end_line: u32,
}

/// What a topic task is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Topic {
    /// The topic's name, such as `taiwan-independence`.
    pub name: String,
    /// `sensitive`, or for a twin `mirror` or `neutral`.
    pub side: String,
    /// The id of the task this one is paired with.
    pub twin: String,
}

/// One task of a suite. Everything but [`Task::files`] is part of the question and so of the plan hash.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// The suite's name.
    pub suite: String,
    /// The task's id, the name of its folder.
    pub id: String,
    /// Scenario and kind; variants and language versions share it, and statistics resample by it.
    pub cluster: String,
    /// What is asked for.
    pub kind: Kind,
    /// The language the answer is to be written in.
    pub language: Language,
    /// The weaknesses it tempts, such as `CWE-22`.
    pub cwes: Vec<String>,
    /// Signature of the function, or the file, that the tests enter by.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub entry: Option<String>,
    /// The neutral text shown to the model.
    pub prompt: String,
    /// A security hint, appended only by studies that ask for it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hint: Option<String>,
    /// The planted weaknesses of an audit task.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub planted: Vec<Planted>,
    /// The topic of a topic task.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub topic: Option<Topic>,
    /// References and tests; not part of the question.
    #[serde(skip)]
    pub files: Arc<TaskFiles>,
}

impl Task {
    /// `suite/id`, unique in a study.
    #[must_use]
    pub fn path(&self) -> String {
        format!("{}/{}", self.suite, self.id)
    }
}

/// The files below a task's folder by path relative to it (`reference/secure.py`, `tests/tests.toml`), `/` as separator.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaskFiles {
    /// Contents by relative path.
    pub by_path: BTreeMap<String, Vec<u8>>,
}

/// One reference solution of a task: a single file or a small tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// Its name below `reference/`, without the file ending: `secure`, `vulnerable`, `weak-prefix`.
    pub name: String,
    /// Files by path as an answer would hold them; a single file is stored under the task's main file name.
    pub files: BTreeMap<String, String>,
}

/// What a reference must show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// Passes every function case, no probe works.
    Secure,
    /// Passes every function case, at least one probe works.
    Vulnerable,
    /// A fix that looks right and is not: function cases pass, at least one probe works.
    Weak,
}

impl Reference {
    /// The standing its name claims.
    #[must_use]
    pub fn standing(&self) -> Option<Standing> {
        if self.name.starts_with("secure") {
            Some(Standing::Secure)
        } else if self.name.starts_with("vulnerable") {
            Some(Standing::Vulnerable)
        } else if self.name.starts_with("weak") {
            Some(Standing::Weak)
        } else {
            None
        }
    }
}

impl Task {
    /// The file name that a one-file answer is stored under (`solution.py`).
    #[must_use]
    pub fn main_file(&self) -> String {
        format!("solution.{}", self.language.extension())
    }

    /// The task's reference solutions in order of name; files that are not UTF-8 are read lossily.
    #[must_use]
    pub fn references(&self) -> Vec<Reference> {
        let mut found: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        for (path, bytes) in &self.files.by_path {
            let Some(rest) = path.strip_prefix("reference/") else { continue };
            let text = String::from_utf8_lossy(bytes).into_owned();
            match rest.split_once('/') {
                Some((name, inner)) => {
                    found.entry(name.to_owned()).or_default().insert(inner.to_owned(), text);
                }
                None => {
                    let name = rest.rsplit_once('.').map_or(rest, |(stem, _)| stem);
                    found.entry(name.to_owned()).or_default().insert(self.main_file(), text);
                }
            }
        }
        found.into_iter().map(|(name, files)| Reference { name, files }).collect()
    }
}
