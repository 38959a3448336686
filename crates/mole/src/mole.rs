//! What a mole answers: the task is found by its text, the rule by the request's, the rest is drawn.

use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use serde_json::Value;
use turncoat_study::task::{Reference, Standing};
use turncoat_study::{Kind, Task};

use crate::broken::break_file;
use crate::config::{MoleConfig, Shares};
use crate::draw::Draw;
use crate::voice;

/// How much of a prompt is searched for before the rest is compared, in bytes.
const BEGINNING: usize = 48;

/// A subject of known behaviour.
pub struct Mole {
    config: MoleConfig,
    tasks: Vec<Known>,
    /// Finds the beginning of every task's prompt in one pass over a message.
    beginnings: AhoCorasick,
    fingerprint: String,
}

/// A task and what can be answered to it.
struct Known {
    task: Task,
    secure: Vec<Files>,
    /// Vulnerable and weak references.
    vulnerable: Vec<Files>,
}

type Files = BTreeMap<String, String>;

/// Why a mole cannot be made of these tasks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoleError {
    /// No task at all.
    #[error("a mole needs tasks to answer; the suites it names hold none")]
    NoTasks,
    /// Nothing to answer with.
    #[error("task `{task}` has no {standing} reference under reference/, so a mole cannot answer it")]
    NoReference {
        /// The task.
        task: String,
        /// `secure`, or `vulnerable or weak`.
        standing: &'static str,
    },
    /// Two tasks that no text tells apart.
    #[error("tasks `{first}` and `{second}` have the same prompt, so a mole cannot tell them apart")]
    SamePrompt {
        /// One.
        first: String,
        /// The other.
        second: String,
    },
    /// The prompts are too many or too long for one index.
    #[error("the tasks' prompts cannot be indexed: {0}")]
    Index(String),
}

/// What a mole says to one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Id of the response.
    pub id: String,
    /// The text.
    pub text: String,
    /// Prompt tokens, at four bytes a token.
    pub input_tokens: u64,
    /// Answer tokens, likewise.
    pub output_tokens: u64,
    /// Whether the request asks for a stream.
    pub stream: bool,
}

/// Why a request gets no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// Not the dialect.
    #[error("the request body is no chat completion request: {0}")]
    NoRequest(String),
    /// A task it does not know.
    #[error("no task of this mole's suites has a prompt that stands in the user message, which begins with {0:?}")]
    UnknownPrompt(String),
}

impl Mole {
    /// A mole that knows these tasks, with their reference solutions.
    ///
    /// # Errors
    /// When a task cannot be answered or two cannot be told apart.
    pub fn new(config: MoleConfig, tasks: Vec<Task>) -> Result<Mole, MoleError> {
        if tasks.is_empty() {
            return Err(MoleError::NoTasks);
        }
        let mut seen: BTreeMap<&str, &Task> = BTreeMap::new();
        for task in &tasks {
            if let Some(first) = seen.insert(task.prompt.trim(), task) {
                return Err(MoleError::SamePrompt { first: first.path(), second: task.path() });
            }
        }
        // Short patterns keep the automaton small and quick; the standard kind is the only one that reports every match.
        let beginnings = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::DFA))
            .build(tasks.iter().map(|task| beginning(task.prompt.trim())))
            .map_err(|error| MoleError::Index(error.to_string()))?;
        let fingerprint = format!("mole-{}", Draw::new(config.seed, b"fingerprint").id());
        let tasks = tasks.into_iter().map(Known::new).collect::<Result<_, _>>()?;
        Ok(Mole { config, tasks, beginnings, fingerprint })
    }

    /// The fingerprint that goes with every answer.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Answers the body of a chat completion request.
    ///
    /// # Errors
    /// When it is none, or about no known task.
    pub fn reply(&self, body: &[u8]) -> Result<Reply, Rejected> {
        let request: Value = serde_json::from_slice(body).map_err(|error| Rejected::NoRequest(error.to_string()))?;
        let messages = request
            .get("messages")
            .and_then(Value::as_array)
            .ok_or_else(|| Rejected::NoRequest("it has no `messages`".to_owned()))?;
        let (mut system, mut user) = (String::new(), String::new());
        for message in messages {
            let side = match message.get("role").and_then(Value::as_str) {
                Some("system" | "developer") => &mut system,
                Some("user") => &mut user,
                _ => continue,
            };
            add_content(message.get("content"), side);
        }
        let known = self.find(&user).ok_or_else(|| Rejected::UnknownPrompt(user.chars().take(80).collect()))?;
        let draw = Draw::new(self.config.seed, body);
        let text = known.answer(self.config.shares(&system, &user), &draw);
        let tokens = |bytes: usize| bytes as u64 / 4 + 1;
        Ok(Reply {
            id: format!("mole-{}", draw.id()),
            input_tokens: tokens(system.len() + user.len()),
            output_tokens: tokens(text.len()),
            text,
            stream: request.get("stream").and_then(Value::as_bool).unwrap_or(false),
        })
    }

    /// The task whose prompt stands in the message; the longest, where one prompt holds another.
    fn find(&self, user: &str) -> Option<&Known> {
        self.beginnings
            .find_overlapping_iter(user)
            .filter_map(|found| {
                let known = self.tasks.get(found.pattern().as_usize())?;
                let prompt = known.task.prompt.trim();
                user.get(found.start()..)?.starts_with(prompt).then_some((prompt.len(), known))
            })
            .max_by_key(|(length, _)| *length)
            .map(|(_, known)| known)
    }
}

/// The first bytes of a prompt, to the end of a character.
fn beginning(prompt: &str) -> &str {
    let end = prompt.char_indices().map(|(at, _)| at).find(|at| *at >= BEGINNING).unwrap_or(prompt.len());
    prompt.get(..end).unwrap_or(prompt)
}

/// Adds a message's content: a string, or a list of text parts.
fn add_content(content: Option<&Value>, side: &mut String) {
    match content {
        Some(Value::String(text)) => side.push_str(text),
        Some(Value::Array(parts)) => {
            parts.iter().filter_map(|part| part.get("text").and_then(Value::as_str)).for_each(|text| side.push_str(text));
        }
        _ => {}
    }
    side.push('\n');
}

impl Known {
    fn new(task: Task) -> Result<Known, MoleError> {
        let references = task.references();
        let standing = |wanted: &[Standing]| -> Vec<Files> {
            let fits = |reference: &&Reference| reference.standing().is_some_and(|standing| wanted.contains(&standing));
            references.iter().filter(fits).map(|reference| reference.files.clone()).collect()
        };
        let secure = standing(&[Standing::Secure]);
        let vulnerable = standing(&[Standing::Vulnerable, Standing::Weak]);
        if task.kind.is_run() {
            let missing = |standing: &'static str| MoleError::NoReference { task: task.path(), standing };
            if secure.is_empty() {
                return Err(missing("secure"));
            }
            if vulnerable.is_empty() {
                return Err(missing("vulnerable or weak"));
            }
        }
        Ok(Known { task, secure, vulnerable })
    }

    fn answer(&self, shares: Shares, draw: &Draw) -> String {
        let place = draw.outcome();
        match self.task.kind {
            Kind::Write | Kind::Modify => {
                // The unit interval is laid out as refused, broken, vulnerable, secure.
                let until_broken = shares.refused + shares.broken;
                if place < shares.refused {
                    voice::refuse(draw)
                } else if place < until_broken {
                    let whole = draw.reference(&self.secure).cloned().unwrap_or_default();
                    let files = whole.into_iter().map(|(name, text)| {
                        let broken = break_file(&text, self.task.language, draw);
                        (name, broken)
                    });
                    voice::give(&files.collect(), &self.task, draw)
                } else {
                    let side = if place < until_broken + shares.vulnerable { &self.vulnerable } else { &self.secure };
                    draw.reference(side).map(|files| voice::give(files, &self.task, draw)).unwrap_or_default()
                }
            }
            Kind::Audit => {
                if place < shares.refused {
                    voice::refuse(draw)
                } else if place < shares.refused + shares.broken {
                    voice::report_cut_off()
                } else {
                    let seen = |number: u64| draw.part(number) >= shares.vulnerable;
                    let found: Vec<_> = self
                        .task
                        .planted
                        .iter()
                        .zip(0..)
                        .filter(|(_, number)| seen(*number))
                        .map(|(planted, _)| planted)
                        .collect();
                    voice::report(&found, draw)
                }
            }
            Kind::Topic => {
                let sensitive = self.task.topic.as_ref().is_some_and(|topic| topic.side == "sensitive");
                let refused = shares.refused_topics.filter(|_| sensitive).unwrap_or(shares.refused);
                if place < refused { voice::refuse(draw) } else { voice::program(&self.task, draw) }
            }
        }
    }
}
