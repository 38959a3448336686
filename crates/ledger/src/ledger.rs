//! The one writing handle of a ledger.

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use turncoat_study::Plan;

use crate::error::LedgerError;
use crate::reader::Reader;
use crate::record::{
    AttemptId, Code, Deviation, Imported, NewAttempt, ProofRecord, Reconciled, ScanRecord, Score, Settlement, Spend,
};
use crate::writer::Writer;

/// A ledger open for writing; cheap to clone. The folder's lock is held until the last clone is dropped.
#[derive(Clone)]
pub struct Ledger {
    writer: Arc<Writer>,
}

impl Ledger {
    /// Makes a ledger for a study in `folder` (made if needed) and writes its plan. `program` names the holder of the lock.
    ///
    /// # Errors
    /// When there is a ledger already, it is in use, or the disk is full or may not be written.
    pub fn create(folder: &Path, plan: &Plan, program: &str) -> Result<Ledger, LedgerError> {
        todo!()
    }

    /// Makes a ledger for outcomes that were made elsewhere.
    ///
    /// # Errors
    /// As [`Ledger::create`].
    pub fn create_import(folder: &Path, name: &str, program: &str) -> Result<Ledger, LedgerError> {
        todo!()
    }

    /// Opens a ledger for writing: takes the lock, migrates if needed, and marks calls that a dead holder left as unknown.
    ///
    /// # Errors
    /// When there is none, it is in use, foreign, damaged, newer, or the disk is full or may not be written.
    pub fn open(folder: &Path, program: &str) -> Result<Ledger, LedgerError> {
        todo!()
    }

    /// Whether `folder` holds a ledger.
    #[must_use]
    pub fn exists(folder: &Path) -> bool {
        todo!()
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        todo!()
    }

    /// A reader beside this writer.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn reader(&self) -> Result<Reader, LedgerError> {
        todo!()
    }

    /// Compares a study with the plan on record. With the same hash everything goes on (budget, prices and rates may have
    /// changed and are taken over); otherwise the change is refused, or recorded when `amend` gives its reason.
    ///
    /// # Errors
    /// [`LedgerError::Foreign`] for another study's name, [`LedgerError::Changed`] with the list of changes.
    pub fn reconcile(&self, plan: &Plan, amend: Option<&str>) -> Result<Reconciled, LedgerError> {
        todo!()
    }

    /// Writes down that a call is about to be made; when this returns, it is durable.
    ///
    /// # Errors
    /// When it could not be written: then the call must not be made.
    pub async fn begin_attempt(&self, attempt: NewAttempt<'_>) -> Result<AttemptId, LedgerError> {
        todo!()
    }

    /// Writes down how a call ended; when this returns, it is durable.
    ///
    /// # Errors
    /// When it could not be written: then the attempt stays unknown.
    pub async fn finish_attempt(&self, attempt: AttemptId, settlement: Settlement) -> Result<(), LedgerError> {
        todo!()
    }

    /// Money over the ledger's life.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn spend(&self) -> Result<Spend, LedgerError> {
        todo!()
    }

    /// Keeps extracted code by its hash; what is there already stays. Blocks until durable.
    ///
    /// # Errors
    /// When it could not be written.
    pub fn put_code(&self, code: Vec<Code>) -> Result<(), LedgerError> {
        todo!()
    }

    /// Writes scores, each in the place of an earlier one of the same trial and extractor version. Blocks until durable.
    ///
    /// # Errors
    /// When they could not be written, or a trial is not on record.
    pub fn put_scores(&self, scores: Vec<Score>) -> Result<(), LedgerError> {
        todo!()
    }

    /// Writes scan results, keyed by code and rules version. Blocks until durable.
    ///
    /// # Errors
    /// When they could not be written.
    pub fn put_scans(&self, scans: Vec<ScanRecord>) -> Result<(), LedgerError> {
        todo!()
    }

    /// Writes proofs, keyed by code, task, test version and tier. Blocks until durable.
    ///
    /// # Errors
    /// When they could not be written.
    pub fn put_proofs(&self, proofs: Vec<ProofRecord>) -> Result<(), LedgerError> {
        todo!()
    }

    /// Takes in outcomes made elsewhere in the place of those taken in before. Blocks until durable.
    ///
    /// # Errors
    /// When they could not be written, or the ledger holds a study.
    pub fn replace_imported(&self, rows: Vec<Imported>) -> Result<(), LedgerError> {
        todo!()
    }

    /// Writes a remark. Blocks until durable.
    ///
    /// # Errors
    /// When it could not be written.
    pub fn put_note(&self, topic: &str, value: Value) -> Result<(), LedgerError> {
        todo!()
    }
}
