//! Everything the analysis of one ledger is made from, in memory.

use std::collections::HashMap;

use turncoat_ledger::{AnswerSummary, CodeHash, Reader, ScanRecord, Score};
use turncoat_study::{Plan, Trial, TrialKey};

use crate::failure::Failure;
use crate::ledgers;

/// The plan, its trials, and what is known of each.
pub(crate) struct Material {
    pub(crate) plan: Plan,
    /// In the plan's own order.
    pub(crate) trials: Vec<Trial>,
    pub(crate) summaries: HashMap<TrialKey, AnswerSummary>,
    pub(crate) scores: HashMap<TrialKey, Score>,
    pub(crate) scans: HashMap<CodeHash, ScanRecord>,
}

impl Material {
    /// Reads it.
    pub(crate) fn gather(reader: &Reader) -> Result<Material, Failure> {
        let failed = |error: turncoat_ledger::LedgerError| ledgers::failure(&error);
        let plan = reader.plan().map_err(failed)?;
        let trials = plan.trials();
        let mut summaries = HashMap::new();
        reader
            .summaries(|summary| {
                summaries.insert(summary.trial, summary);
            })
            .map_err(failed)?;
        Ok(Material {
            plan,
            trials,
            summaries,
            scores: reader.scores().map_err(failed)?,
            scans: reader.scans(None).map_err(failed)?,
        })
    }

    /// The scan of a scored answer's code.
    pub(crate) fn scan(&self, score: &Score) -> Option<&ScanRecord> {
        self.scans.get(score.code.as_ref()?)
    }
}
