//! Reading beside the writer.

use std::collections::HashMap;
use std::path::Path;

use rusqlite::Connection;
use turncoat_study::{Plan, PlanHash, Trial, TrialKey};

use crate::error::LedgerError;
use crate::record::{
    AnswerSummary, Code, CodeHash, Deviation, Gap, Imported, LedgerKind, Note, ProofRecord, Remaining, ScanRecord, Score, Spend,
    StoredAnswer, SubjectTotals, TrialRecord, UnknownAttempt, Wanted,
};

/// A ledger open for reading; never blocks the writer, and sees each commit whole or not at all.
pub struct Reader {
    folder: std::path::PathBuf,
    connection: Connection,
}

impl Reader {
    /// Opens a ledger for reading, also one on a read-only disk.
    ///
    /// # Errors
    /// When there is none, or it is foreign, damaged or newer.
    pub fn open(folder: &Path) -> Result<Reader, LedgerError> {
        todo!()
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        todo!()
    }

    /// The study's or import's name.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn name(&self) -> Result<String, LedgerError> {
        todo!()
    }

    /// What the ledger holds.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn kind(&self) -> Result<LedgerKind, LedgerError> {
        todo!()
    }

    /// The plan as it stands, amendments included. The tasks' files (references, tests) are not part of it: the caller
    /// finds them again through [`Plan::suites`].
    ///
    /// # Errors
    /// [`LedgerError::WrongKind`] for imported outcomes.
    pub fn plan(&self) -> Result<Plan, LedgerError> {
        todo!()
    }

    /// The plan hash as it stands.
    ///
    /// # Errors
    /// [`LedgerError::WrongKind`] for imported outcomes.
    pub fn plan_hash(&self) -> Result<PlanHash, LedgerError> {
        todo!()
    }

    /// Every amendment, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn deviations(&self) -> Result<Vec<Deviation>, LedgerError> {
        todo!()
    }

    /// What of `trials` is still to be asked. A trial without an answer is open again, except after an error that is the
    /// request's own (`bad_request`, `prompt_cut`, `too_large`, `engine`): that one is held back unless `retry_errors`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn remaining(&self, trials: &[Trial], retry_errors: bool) -> Result<Remaining, LedgerError> {
        todo!()
    }

    /// Money over the ledger's life.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn spend(&self) -> Result<Spend, LedgerError> {
        todo!()
    }

    /// Calls whose end nobody knows.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn unknown_attempts(&self) -> Result<Vec<UnknownAttempt>, LedgerError> {
        todo!()
    }

    /// Sums by subject, in order of first attempt.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn totals(&self) -> Result<Vec<SubjectTotals>, LedgerError> {
        todo!()
    }

    /// The trials without an answer, in the order handed in.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn gaps(&self, trials: &[Trial]) -> Result<Vec<Gap>, LedgerError> {
        todo!()
    }

    /// The fixed-width part of every answer, in order of arrival of their calls.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn summaries(&self, each: impl FnMut(AnswerSummary)) -> Result<(), LedgerError> {
        todo!()
    }

    /// Hands over answers one by one, whole, with the memory of one; stops at the first error of `each`.
    ///
    /// # Errors
    /// Those of `each`, and when the database or a body cannot be read.
    pub fn answers<E: From<LedgerError>>(
        &self,
        wanted: Wanted<'_>,
        each: impl FnMut(StoredAnswer) -> Result<(), E>,
    ) -> Result<(), E> {
        todo!()
    }

    /// One trial's answer, if there is one.
    ///
    /// # Errors
    /// When the database or the body cannot be read.
    pub fn answer(&self, trial: TrialKey) -> Result<Option<StoredAnswer>, LedgerError> {
        todo!()
    }

    /// Everything about the trial whose key begins with `prefix` (hexadecimal).
    ///
    /// # Errors
    /// [`LedgerError::NoSuchTrial`] and [`LedgerError::Ambiguous`].
    pub fn trial(&self, prefix: &str) -> Result<TrialRecord, LedgerError> {
        todo!()
    }

    /// The newest score of every trial, by trial.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn scores(&self) -> Result<HashMap<TrialKey, Score>, LedgerError> {
        todo!()
    }

    /// Extracted code.
    ///
    /// # Errors
    /// When the database or the body cannot be read.
    pub fn code(&self, hash: CodeHash) -> Result<Option<Code>, LedgerError> {
        todo!()
    }

    /// The scan of a piece of code under one version of the rules.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn scan(&self, code: CodeHash, rules: &str) -> Result<Option<ScanRecord>, LedgerError> {
        todo!()
    }

    /// Every scan under one version of the rules, by code; `None` takes the newest of each.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn scans(&self, rules: Option<&str>) -> Result<HashMap<CodeHash, ScanRecord>, LedgerError> {
        todo!()
    }

    /// The proof of a piece of code under one version of a task's tests and one tier.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn proof(&self, code: CodeHash, task: &str, tests: &str, tier: &str) -> Result<Option<ProofRecord>, LedgerError> {
        todo!()
    }

    /// The newest proof of a piece of code under a task, of whatever version and tier.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn newest_proof(&self, code: CodeHash, task: &str) -> Result<Option<ProofRecord>, LedgerError> {
        todo!()
    }

    /// Imported outcomes, in the order they were taken in.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn imported(&self) -> Result<Vec<Imported>, LedgerError> {
        todo!()
    }

    /// Remarks on a topic, oldest first; every remark without one.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn notes(&self, topic: Option<&str>) -> Result<Vec<Note>, LedgerError> {
        todo!()
    }
}
