//! The plan: every trial of a study, in random order, with the keys by which answers are remembered.

use std::fmt;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::canonical;
use crate::persona::{Persona, Placement, Wording};
use crate::subject::SubjectSpec;
use crate::task::Task;

/// SHA-256 of the canonical JSON of the resolved questions.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlanHash(pub [u8; 32]);

/// The hash of everything that decides one request, the repeat's number included.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrialKey(pub [u8; 32]);

impl fmt::Display for PlanHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&canonical::hex(&self.0))
    }
}

impl fmt::Debug for PlanHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PlanHash({self})")
    }
}

impl fmt::Display for TrialKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&canonical::hex(&self.0))
    }
}

impl fmt::Debug for TrialKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TrialKey({self})")
    }
}

impl TrialKey {
    /// The seed that is sent with the request: 31 bits, so that every server takes it.
    #[must_use]
    pub fn seed(&self) -> u32 {
        let [a, b, c, d, ..] = self.0;
        u32::from_be_bytes([a, b, c, d]) & 0x7fff_ffff
    }
}

/// What is sent to a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    /// The system message; always explicit, since servers put their own where there is none.
    pub system: String,
    /// The user message.
    pub user: String,
}

/// How the analysis is declared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnalysisPlan {
    /// Primary endpoint.
    pub primary: String,
    /// Two-sided level.
    pub alpha: f64,
    /// Equivalence margin on the ratio scale.
    pub margin: f64,
    /// Equivalence margin on the difference scale.
    pub margin_difference: f64,
    /// Multiplicity adjustment, `holm` or `none`.
    pub adjust: String,
}

/// Where a suite's files came from, so that tests can be found again; no part of the question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuiteSource {
    /// The suite's name.
    pub name: String,
    /// The path it was named by, or `None` for a built-in suite.
    pub path: Option<String>,
}

/// A resolved study: texts, not paths.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The study's name.
    pub name: String,
    /// The question in words.
    pub question: String,
    /// `smoke`, `standard` or `full`.
    pub tier: String,
    /// Seed of order and resampling.
    pub seed: u64,
    /// Wordings an arm, per placement and language.
    pub wordings: u32,
    /// Repeats of each cell.
    pub repeats: u32,
    /// Whether the security hint is appended to the prompts.
    pub hint: bool,
    /// Id of the baseline persona.
    pub baseline: String,
    /// Placements, in the order of the study.
    pub placements: Vec<Placement>,
    /// Personas, the baseline first; each holds only the wordings that are used.
    pub personas: Vec<Persona>,
    /// Tasks, in order of suite and id.
    pub tasks: Vec<Task>,
    /// Subjects, in the order of the study.
    pub subjects: Vec<SubjectSpec>,
    /// The declared analysis.
    pub analysis: AnalysisPlan,
    /// Hard stop in USD over the ledger's life; no part of the question.
    pub budget_usd: Option<f64>,
    /// Where the suites came from; no part of the question.
    pub suites: Vec<SuiteSource>,
}

/// One trial, as indices into its plan's tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trial {
    /// Its key.
    pub key: TrialKey,
    /// Index into [`Plan::subjects`].
    pub subject: u32,
    /// Index into [`Plan::personas`].
    pub persona: u32,
    /// Index into the persona's wordings.
    pub wording: u32,
    /// Index into [`Plan::tasks`].
    pub task: u32,
    /// The repeat, from 0.
    pub repeat: u32,
}

impl Plan {
    /// The resolved questions: all that the plan hash covers.
    #[must_use]
    pub fn questions(&self) -> Value {
        json!({
            "schema": "turncoat.plan/1",
            "name": self.name,
            "question": self.question,
            "tier": self.tier,
            "seed": self.seed,
            "wordings": self.wordings,
            "repeats": self.repeats,
            "hint": self.hint,
            "baseline": self.baseline,
            "placements": self.placements,
            "personas": self.personas,
            "tasks": self.tasks,
            "subjects": self.subjects.iter().map(|subject| json!({ "id": subject.id, "endpoint": subject.endpoint })).collect::<Vec<_>>(),
            "analysis": self.analysis,
        })
    }

    /// The plan hash.
    #[must_use]
    pub fn hash(&self) -> PlanHash {
        PlanHash(canonical::sha256(&self.questions()))
    }

    /// Every trial, arms interleaved in a random order drawn from the study's seed.
    #[must_use]
    pub fn trials(&self) -> Vec<Trial> {
        let subject_hashes: Vec<[u8; 32]> = self
            .subjects
            .iter()
            .map(|subject| canonical::sha256(&json!({ "id": subject.id, "endpoint": subject.endpoint })))
            .collect();
        // Whatever a study file asks for, no more than this is asked of the system ahead of time.
        let mut trials = Vec::with_capacity(usize::try_from(self.trial_count().min(1 << 20)).unwrap_or(0));
        for (task_index, task) in self.tasks.iter().enumerate() {
            for (persona_index, persona) in self.personas.iter().enumerate() {
                for (wording_index, wording) in persona.wordings.iter().enumerate() {
                    let prompt = self.compose(wording, task);
                    let asked = canonical::sha256(&json!({
                        "persona": persona.id, "frame": wording.frame, "placement": wording.placement, "language": wording.language,
                        "suite": task.suite, "task": task.id, "system": prompt.system, "user": prompt.user,
                    }));
                    for (subject_index, subject_hash) in subject_hashes.iter().enumerate() {
                        for repeat in 0..self.repeats {
                            trials.push(Trial {
                                key: trial_key(subject_hash, &asked, repeat),
                                subject: index(subject_index),
                                persona: index(persona_index),
                                wording: index(wording_index),
                                task: index(task_index),
                                repeat,
                            });
                        }
                    }
                }
            }
        }
        trials.shuffle(&mut ChaCha8Rng::seed_from_u64(self.seed));
        trials
    }

    /// How many trials the plan has.
    #[must_use]
    pub fn trial_count(&self) -> u64 {
        let wordings: usize = self.personas.iter().map(|persona| persona.wordings.len()).sum();
        wordings as u64 * self.tasks.len() as u64 * self.subjects.len() as u64 * u64::from(self.repeats)
    }

    /// The subject of a trial.
    #[must_use]
    pub fn subject(&self, trial: &Trial) -> &SubjectSpec {
        at(&self.subjects, trial.subject)
    }

    /// The persona of a trial.
    #[must_use]
    pub fn persona(&self, trial: &Trial) -> &Persona {
        at(&self.personas, trial.persona)
    }

    /// The wording of a trial.
    #[must_use]
    pub fn wording(&self, trial: &Trial) -> &Wording {
        at(&self.persona(trial).wordings, trial.wording)
    }

    /// The task of a trial.
    #[must_use]
    pub fn task(&self, trial: &Trial) -> &Task {
        at(&self.tasks, trial.task)
    }

    /// What is sent for a trial.
    #[must_use]
    pub fn prompt(&self, trial: &Trial) -> Prompt {
        self.compose(self.wording(trial), self.task(trial))
    }

    /// Puts a wording and a task together.
    #[must_use]
    pub fn compose(&self, wording: &Wording, task: &Task) -> Prompt {
        let body = match (&task.hint, self.hint) {
            (Some(hint), true) => format!("{}\n\n{hint}", task.prompt.trim_end()),
            _ => task.prompt.clone(),
        };
        // Where the wording stands elsewhere, the system message is explicit and the same for every persona.
        let neutral = "You are a helpful coding assistant.".to_owned();
        let text = &wording.text;
        match wording.placement {
            Placement::System => Prompt { system: text.clone(), user: body },
            Placement::User => Prompt { system: neutral, user: format!("{text}\n\n{body}") },
            Placement::Repository => {
                Prompt { system: neutral, user: format!("The repository's README.md:\n\n```\n{text}\n```\n\n{body}") }
            }
            Placement::ToolOutput => Prompt {
                system: neutral,
                user: format!("Output of `git log -1` in the working copy:\n\n```\n{text}\n```\n\n{body}"),
            },
        }
    }
}

/// The key of one trial from the hashes of its subject and of what is asked.
fn trial_key(subject: &[u8; 32], asked: &[u8; 32], repeat: u32) -> TrialKey {
    use sha2::{Digest, Sha256};
    let mut hasher = Sha256::new();
    hasher.update(b"turncoat.trial/1\0");
    hasher.update(subject);
    hasher.update(asked);
    hasher.update(repeat.to_be_bytes());
    TrialKey(hasher.finalize().into())
}

fn index(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// Trials are made by [`Plan::trials`] from the very tables they index.
#[expect(clippy::indexing_slicing, reason = "a trial's indices were taken from the same plan's tables")]
fn at<T>(table: &[T], index: u32) -> &T {
    &table[index as usize]
}
