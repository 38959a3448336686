//! What a run came to, for people and exit codes.

use std::collections::BTreeMap;
use std::fmt;

use turncoat_answer::ErrorKind;
use turncoat_ledger::LedgerError;

/// Why a run ended.
#[derive(Debug, Clone, PartialEq)]
pub enum StopReason {
    /// Nothing was left to do in this run.
    Done,
    /// The next call could have passed the budget.
    Budget,
    /// It was told to stop.
    Interrupted,
    /// The ledger could no longer be written.
    Ledger(LedgerError),
    /// These subjects could not be asked on.
    SubjectsDown(Vec<String>),
    /// As many trials as were allowed have been asked.
    Limit,
}

/// Why a cell has no answer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Its last call failed in this way, in this run or an earlier one.
    Failed(ErrorKind),
    /// Its call was given up, or its end is not known.
    Unknown,
    /// The budget did not reach.
    Budget,
    /// The run was told to stop.
    Interrupted,
    /// Its subject could not be asked on.
    SubjectDown,
    /// `--limit` kept it out.
    Limit,
    /// `--only` kept it out.
    NotChosen,
    /// The ledger could no longer be written.
    Ledger,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Failed(kind) => write!(f, "failed: {kind}"),
            Reason::Unknown => f.write_str("unknown: the call was given up in flight"),
            Reason::Budget => f.write_str("not asked: the budget did not reach"),
            Reason::Interrupted => f.write_str("not asked: the run was stopped"),
            Reason::SubjectDown => f.write_str("not asked: the subject is down"),
            Reason::Limit => f.write_str("not asked: beyond the limit of this run"),
            Reason::NotChosen => f.write_str("not asked: another subject was chosen"),
            Reason::Ledger => f.write_str("not asked: the ledger could not be written"),
        }
    }
}

/// Cells of one subject without an answer, for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incomplete {
    /// The subject.
    pub subject: String,
    /// Why.
    pub reason: Reason,
    /// How many.
    pub cells: u64,
    /// What the last of them said, where there is something to say.
    pub example: Option<String>,
}

/// What a run came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// Why it ended.
    pub reason: StopReason,
    /// Trials of the plan.
    pub planned: u64,
    /// Trials that had a durable answer before.
    pub answered_before: u64,
    /// Trials answered in this run.
    pub answered_now: u64,
    /// Calls made in this run, of whatever end.
    pub calls: u64,
    /// Failed calls of this run by kind, those followed by an answer included.
    pub failed_calls: BTreeMap<ErrorKind, u64>,
    /// Cells without an answer, by subject in the plan's order and reason.
    pub incomplete: Vec<Incomplete>,
    /// Spent and reserved over the ledger's life, in USD.
    pub spent_usd: f64,
    /// Calls over the ledger's life whose end nobody knows.
    pub unknown: u64,
    /// How long it took, in seconds.
    pub elapsed_s: f64,
}

impl Summary {
    /// Whether every trial of the plan has an answer.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.incomplete.is_empty()
    }
}
