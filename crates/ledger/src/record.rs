//! What goes into a ledger and comes out of it. Times are milliseconds since the Unix epoch, money is USD.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use turncoat_answer::{Answer, ErrorKind, Finding, Outcome, Proof, RefusalLayer};
use turncoat_study::{Trial, TrialKey, canonical};

use crate::diff::Change;

/// The number of one attempt at one trial, unique in its ledger and rising with time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttemptId(pub i64);

/// SHA-256 of an answer's normalised code: what scans and proofs are keyed by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CodeHash(pub [u8; 32]);

impl fmt::Display for CodeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&canonical::hex(&self.0))
    }
}

impl fmt::Debug for CodeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CodeHash({self})")
    }
}

/// What a ledger was made by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LedgerKind {
    /// A study of this program: it has a plan.
    Study,
    /// Outcomes made elsewhere: no plan, prompts, answers or code.
    Import,
}

/// What [`crate::Ledger::reconcile`] found.
#[derive(Debug, Clone, PartialEq)]
pub enum Reconciled {
    /// The plan hash is the one on record.
    Same,
    /// The study changed and the change was recorded with its reason.
    Amended(Deviation),
}

/// One amendment of the plan: a deviation from what was pre-registered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Deviation {
    /// The plan's version that it made, from 2.
    pub version: u32,
    /// When.
    pub at_ms: i64,
    /// Why, in the words given to `--amend`.
    pub reason: String,
    /// The plan hash before, in hexadecimal.
    pub before: String,
    /// The plan hash after, in hexadecimal.
    pub after: String,
    /// What changed.
    pub changes: Vec<Change>,
    /// How many answers were on record at that time.
    pub answers: u64,
}

/// A call that is about to be made.
#[derive(Debug, Clone, Copy)]
pub struct NewAttempt<'a> {
    /// The trial it is for.
    pub trial: TrialKey,
    /// The subject's id in the study.
    pub subject: &'a str,
    /// The most it can cost, in USD; counted as spent until it is settled.
    pub reserved_usd: f64,
}

/// Why a call brought no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The kind.
    pub kind: ErrorKind,
    /// What happened, for people.
    pub message: String,
}

/// How a call ended.
#[derive(Debug, Clone)]
pub struct Settlement {
    /// The HTTP status, where one came.
    pub http_status: Option<u16>,
    /// What it cost, in USD (the bound where nobody knows).
    pub cost_usd: f64,
    /// From sending to the last byte, in milliseconds.
    pub latency_ms: u64,
    /// The exact request bytes, without secrets.
    pub request: Vec<u8>,
    /// The exact response bytes, as far as they came.
    pub response: Vec<u8>,
    /// The answer, or why there is none.
    pub result: Result<Answer, Failure>,
}

/// Money over the ledger's life, in USD.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Spend {
    /// Of calls that ended.
    pub settled_usd: f64,
    /// Reserved by calls in flight now.
    pub in_flight_usd: f64,
    /// Reserved by calls whose end nobody knows.
    pub unknown_usd: f64,
    /// Number of calls in flight now.
    pub in_flight: u64,
    /// Number of calls whose end nobody knows.
    pub unknown: u64,
}

impl Spend {
    /// Everything that is or may be spent.
    #[must_use]
    pub fn total_usd(&self) -> f64 {
        self.settled_usd + self.in_flight_usd + self.unknown_usd
    }
}

/// A call that was in flight when its program died.
#[derive(Debug, Clone, PartialEq)]
pub struct UnknownAttempt {
    /// The attempt.
    pub attempt: AttemptId,
    /// Its trial.
    pub trial: TrialKey,
    /// Its subject.
    pub subject: String,
    /// When it was sent.
    pub sent_ms: i64,
    /// What it reserves, in USD.
    pub reserved_usd: f64,
    /// Whether a later attempt brought the trial's answer.
    pub answered_since: bool,
}

/// What is still to be asked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Remaining {
    /// Trials to ask, in the order handed in.
    pub open: Vec<Trial>,
    /// Trials whose last error no further attempt would change; asked again only on demand.
    pub held_back: Vec<(Trial, ErrorKind)>,
    /// How many of the trials have a durable answer.
    pub answered: u64,
}

/// A trial without an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Gap {
    /// The trial.
    pub trial: Trial,
    /// Its last error; `None` if it was never asked or is in flight.
    pub last: Option<Failure>,
    /// Attempts so far.
    pub attempts: u32,
}

/// Sums over one subject.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SubjectTotals {
    /// The subject's id.
    pub subject: String,
    /// Attempts, of whatever end.
    pub attempts: u64,
    /// Trials with a durable answer.
    pub answers: u64,
    /// Failed attempts by kind, those followed by an answer included.
    pub failed_attempts: BTreeMap<ErrorKind, u64>,
    /// Trials without an answer by the kind of their last error.
    pub failed_trials: BTreeMap<ErrorKind, u64>,
    /// Attempts whose end nobody knows.
    pub unknown: u64,
    /// Prompt tokens of answers, as the server counted.
    pub tokens_in: u64,
    /// Answer tokens, as the server counted.
    pub tokens_out: u64,
    /// Settled cost of all attempts plus what unknown ones reserve, in USD.
    pub usd: f64,
    /// The model ids that the server said it served.
    pub served_models: Vec<String>,
    /// The fingerprints that the server gave.
    pub fingerprints: Vec<String>,
}

/// The fixed-width part of an answer: lists need no body.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AnswerSummary {
    /// The trial.
    pub trial: TrialKey,
    /// The attempt that brought it.
    pub attempt: AttemptId,
    /// When the call was sent.
    pub sent_ms: i64,
    /// From sending to the last byte, in milliseconds.
    pub latency_ms: u64,
    /// What it cost, in USD.
    pub cost_usd: f64,
    /// Prompt tokens, where the server counted.
    pub tokens_in: Option<u64>,
    /// Answer tokens, where the server counted.
    pub tokens_out: Option<u64>,
    /// Whether the answer met the token limit.
    pub cut: bool,
}

/// One answer, whole.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredAnswer {
    /// The trial.
    pub trial: TrialKey,
    /// The attempt that brought it.
    pub attempt: AttemptId,
    /// The HTTP status, where one came.
    pub http_status: Option<u16>,
    /// The answer.
    pub answer: Answer,
    /// The exact request bytes, without secrets.
    pub request: Vec<u8>,
    /// The exact response bytes.
    pub response: Vec<u8>,
}

/// Which answers are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// All.
    All,
    /// Those without a score of this extractor version.
    WithoutScore(&'a str),
}

/// One attempt, for people.
#[derive(Debug, Clone, PartialEq)]
pub struct AttemptRecord {
    /// The attempt.
    pub attempt: AttemptId,
    /// When it was sent.
    pub sent_ms: i64,
    /// When it ended; `None` in flight or unknown.
    pub ended_ms: Option<i64>,
    /// `None` for the answer itself; [`ErrorKind::Unknown`] for a call whose end nobody knows or that is in flight.
    pub failure: Option<Failure>,
    /// The HTTP status, where one came.
    pub http_status: Option<u16>,
    /// What it cost or, without an end, reserves, in USD.
    pub cost_usd: f64,
    /// The request bytes; kept for answers and for errors that the request may have caused.
    pub request: Vec<u8>,
    /// The response bytes, as far as they came.
    pub response: Vec<u8>,
}

/// Everything about one trial.
#[derive(Debug, Clone, PartialEq)]
pub struct TrialRecord {
    /// The trial.
    pub trial: TrialKey,
    /// The subject's id, once it was asked.
    pub subject: Option<String>,
    /// Its attempts in order.
    pub attempts: Vec<AttemptRecord>,
    /// Its answer.
    pub answer: Option<StoredAnswer>,
    /// Its newest score.
    pub score: Option<Score>,
    /// The code the score speaks of.
    pub code: Option<Code>,
    /// Scans of that code, newest first.
    pub scans: Vec<ScanRecord>,
    /// Proofs of that code, newest first.
    pub proofs: Vec<ProofRecord>,
}

/// The extracted code of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// Its hash, as the scorer defines it.
    pub hash: CodeHash,
    /// Files by path.
    pub files: BTreeMap<String, String>,
}

/// What one answer amounts to, under one version of the extractor; a newer row of the same version replaces it.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// The trial.
    pub trial: TrialKey,
    /// Version of extraction and refusal rules.
    pub extractor: String,
    /// The outcome.
    pub outcome: Outcome,
    /// Why, for people, where the outcome needs a reason (unproven, broken, no code).
    pub reason: Option<String>,
    /// In which way it declined.
    pub refusal: Option<RefusalLayer>,
    /// The code, where there is some.
    pub code: Option<CodeHash>,
    /// Lines of that code.
    pub code_lines: Option<u32>,
    /// Of audit answers: (planted weaknesses named at the right place, planted).
    pub audit_hits: Option<(u32, u32)>,
    /// Of audit answers: findings that match nothing planted.
    pub false_alarms: Option<u32>,
}

/// What one version of the rules finds in one piece of code.
#[derive(Debug, Clone, PartialEq)]
pub struct ScanRecord {
    /// The code.
    pub code: CodeHash,
    /// Version of the rules.
    pub rules: String,
    /// The findings.
    pub findings: Vec<Finding>,
    /// Lines of code scanned.
    pub lines: u32,
    /// Files that were read through an error-tolerant tree only.
    pub partial: Vec<String>,
    /// Files that could not be read at all.
    pub unparsed: Vec<String>,
}

/// What one version of a task's tests showed of one piece of code.
#[derive(Debug, Clone, PartialEq)]
pub struct ProofRecord {
    /// The code.
    pub code: CodeHash,
    /// The task, `suite/id`.
    pub task: String,
    /// Version of the task's tests and of the judge.
    pub tests: String,
    /// Name of the sandbox tier asked for; part of the key.
    pub tier: String,
    /// The proof.
    pub proof: Proof,
}

/// One outcome made elsewhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// The subject's name.
    pub subject: String,
    /// The persona's name.
    pub persona: String,
    /// The wording's name; `None` where an arm is one fixed text.
    pub wording: Option<String>,
    /// The task's name.
    pub task: String,
    /// The cluster's name.
    pub cluster: String,
    /// The repeat.
    pub repeat: u32,
    /// The outcome.
    pub outcome: Outcome,
    /// Further columns, as they came.
    pub extra: BTreeMap<String, String>,
}

/// A remark of a run or scoring: what the sandbox was, whether the positive controls fired.
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    /// When.
    pub at_ms: i64,
    /// What it is about, such as `sandbox` or `positive-control`.
    pub topic: String,
    /// The remark.
    pub value: serde_json::Value,
}
