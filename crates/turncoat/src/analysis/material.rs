//! Everything the analysis of one ledger is made from, in memory: about 250 bytes a trial, since studies have many.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use turncoat_answer::{Outcome, RefusalLayer, Severity};
use turncoat_ledger::{CodeHash, LedgerError, Reader, ScanRecord, Score};
use turncoat_study::{Plan, Trial, TrialKey};

use crate::failure::Failure;
use crate::ledgers;

/// The plan, its trials, and what is known of each.
pub(crate) struct Material {
    pub(crate) plan: Plan,
    /// In the plan's own order.
    pub(crate) trials: Vec<Trial>,
    /// As many as trials.
    known: Vec<Known>,
    scans: HashMap<CodeHash, Scanned>,
}

/// What is known of one trial.
#[derive(Debug, Clone, Default)]
struct Known {
    answer: Option<Answered>,
    score: Option<Scored>,
}

/// One trial with what is known of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Item<'m> {
    pub(crate) trial: &'m Trial,
    /// `None` without an answer.
    pub(crate) answer: Option<&'m Answered>,
    /// `None` without an answer that was scored.
    pub(crate) score: Option<&'m Scored>,
}

/// The fixed-width part of an answer.
#[derive(Debug, Clone)]
pub(crate) struct Answered {
    pub(crate) sent_ms: i64,
    pub(crate) latency_ms: u64,
    pub(crate) cost_usd: f64,
    pub(crate) tokens_in: Option<u64>,
    pub(crate) tokens_out: Option<u64>,
    pub(crate) cut: bool,
}

/// What an answer amounts to.
#[derive(Debug, Clone)]
pub(crate) struct Scored {
    pub(crate) outcome: Outcome,
    pub(crate) reason: Option<Arc<str>>,
    pub(crate) refusal: Option<RefusalLayer>,
    pub(crate) code: Option<CodeHash>,
    pub(crate) code_lines: Option<u32>,
    pub(crate) audit_hits: Option<(u32, u32)>,
    pub(crate) false_alarms: Option<u32>,
}

/// What the scanner found in a piece of code, without its words.
#[derive(Debug)]
pub(crate) struct Scanned {
    /// Lines of code scanned.
    pub(crate) lines: u32,
    /// Weakness and severity of each finding.
    pub(crate) findings: Box<[(Arc<str>, Severity)]>,
}

/// Texts that many share, each kept once.
#[derive(Debug, Default)]
pub(super) struct Texts(BTreeSet<Arc<str>>);

impl Texts {
    /// The one copy of a text.
    pub(super) fn share(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return Arc::clone(known);
        }
        let text: Arc<str> = Arc::from(text);
        self.0.insert(Arc::clone(&text));
        text
    }
}

impl Material {
    /// Reads it.
    pub(crate) fn gather(reader: &Reader) -> Result<Material, Failure> {
        let failed = |error: LedgerError| ledgers::failure(&error);
        let plan = reader.plan().map_err(failed)?;
        let trials = plan.trials();
        let mut known = vec![Known::default(); trials.len()];
        let mut texts = Texts::default();
        {
            // Answers of trials that an amendment took out stay in the ledger and out of this.
            let places = Places::of(&trials);
            reader
                .summaries(|summary| {
                    if let Some(known) = places.find(&summary.trial).and_then(|place| known.get_mut(place)) {
                        known.answer = Some(Answered {
                            sent_ms: summary.sent_ms,
                            latency_ms: summary.latency_ms,
                            cost_usd: summary.cost_usd,
                            tokens_in: summary.tokens_in,
                            tokens_out: summary.tokens_out,
                            cut: summary.cut,
                        });
                    }
                })
                .map_err(failed)?;
            reader
                .each_score(|score| {
                    if let Some(known) = places.find(&score.trial).and_then(|place| known.get_mut(place)) {
                        known.score = Some(scored(score, &mut texts));
                    }
                    Ok::<(), LedgerError>(())
                })
                .map_err(failed)?;
        }
        let mut scans = HashMap::new();
        reader
            .each_scan(|scan| {
                scans.insert(scan.code, scanned(&scan, &mut texts));
            })
            .map_err(failed)?;
        Ok(Material { plan, trials, known, scans })
    }

    /// Every trial of the plan, in the plan's own order.
    pub(crate) fn items(&self) -> impl Iterator<Item = Item<'_>> + Clone {
        self.trials.iter().zip(&self.known).map(|(trial, known)| item(trial, known))
    }

    /// The trial at this place of [`Material::items`].
    pub(crate) fn item(&self, place: usize) -> Option<Item<'_>> {
        Some(item(self.trials.get(place)?, self.known.get(place)?))
    }

    /// The scan of a scored answer's code.
    pub(crate) fn scan(&self, score: &Scored) -> Option<&Scanned> {
        self.scans.get(score.code.as_ref()?)
    }
}

fn item<'m>(trial: &'m Trial, known: &'m Known) -> Item<'m> {
    Item { trial, answer: known.answer.as_ref(), score: known.score.as_ref() }
}

fn scored(score: Score, texts: &mut Texts) -> Scored {
    Scored {
        outcome: score.outcome,
        reason: score.reason.map(|reason| texts.share(&reason)),
        refusal: score.refusal,
        code: score.code,
        code_lines: score.code_lines,
        audit_hits: score.audit_hits,
        false_alarms: score.false_alarms,
    }
}

fn scanned(scan: &ScanRecord, texts: &mut Texts) -> Scanned {
    let findings = scan.findings.iter().map(|finding| (texts.share(&finding.cwe), finding.severity)).collect();
    Scanned { lines: scan.lines, findings }
}

/// The places of trials in a list, by key.
pub(super) struct Places(HashMap<TrialKey, u32>);

impl Places {
    /// Those of a plan's trials, of which there are fewer than four thousand million.
    pub(super) fn of(trials: &[Trial]) -> Places {
        Places((0_u32..).zip(trials).map(|(place, trial)| (trial.key, place)).collect())
    }

    /// The place of a trial.
    pub(super) fn find(&self, key: &TrialKey) -> Option<usize> {
        self.0.get(key).map(|place| *place as usize)
    }
}
