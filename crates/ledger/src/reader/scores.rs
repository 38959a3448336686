//! Scores, code, scans, proofs, and outcomes made elsewhere.

use std::collections::{BTreeMap, HashMap, HashSet};

use rusqlite::{OptionalExtension as _, Row, params};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use turncoat_answer::{Finding, Outcome, RefusalLayer};
use turncoat_study::TrialKey;

use super::Reader;
use crate::body;
use crate::error::LedgerError;
use crate::record::{Code, CodeHash, Imported, ProofRecord, ScanRecord, Score};

/// What a scan's content holds.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ScanBody {
    pub(crate) findings: Vec<Finding>,
    pub(crate) partial: Vec<String>,
    pub(crate) unparsed: Vec<String>,
}

/// How many scores are read in one go; nothing is held open while they are handed over.
const PAGE_ROWS: usize = 1024;

/// A content's row.
struct PackedBody {
    hash: Vec<u8>,
    dictionary: i64,
    length: i64,
    bytes: Option<Vec<u8>>,
}

/// Reads the columns `b.hash, b.dictionary, b.length, b.bytes`, the first of which is `from`.
fn read_body(row: &Row<'_>, from: usize) -> rusqlite::Result<PackedBody> {
    Ok(PackedBody { hash: row.get(from)?, dictionary: row.get(from + 1)?, length: row.get(from + 2)?, bytes: row.get(from + 3)? })
}

/// The columns that [`Reader::read_scan`] takes.
const SCAN: &str = "s.code, n.text, s.lines, b.hash, b.dictionary, b.length, b.bytes \
                    FROM scan s JOIN name n ON n.id = s.rules JOIN body b ON b.id = s.body";

/// The columns that [`Reader::read_proof`] takes.
const PROOF: &str = "p.code, t.text, v.text, i.text, b.hash, b.dictionary, b.length, b.bytes FROM proof p JOIN name t ON t.id = p.task \
                     JOIN name v ON v.id = p.tests JOIN name i ON i.id = p.tier JOIN body b ON b.id = p.body";

/// The columns that [`Reader::read_score`] takes.
const SCORE: &str = "t.key, n.text, s.outcome, s.reason, s.refusal, s.code, s.code_lines, s.audit_hits, s.audit_planted, s.false_alarms, \
                     s.trial FROM score s JOIN trial t ON t.id = s.trial JOIN name n ON n.id = s.extractor";

impl Reader {
    fn json<T: DeserializeOwned>(&self, what: &str, packed: &PackedBody) -> Result<T, LedgerError> {
        let bytes = body::unpack(&self.folder, &packed.hash, packed.dictionary, packed.length, packed.bytes.as_deref())?;
        serde_json::from_slice(&bytes).map_err(|error| self.corrupt(format!("{what} cannot be read: {error}")))
    }

    /// The newest score of every trial, by trial.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn scores(&self) -> Result<HashMap<TrialKey, Score>, LedgerError> {
        let rows = self.sql("reading scores", |connection| {
            let mut query = connection.prepare(&format!("SELECT {SCORE} ORDER BY s.id"))?;
            query.query_map([], Reader::read_score)?.collect::<rusqlite::Result<Vec<_>>>()
        })?;
        // In order of writing: of several versions the newest stays.
        rows.into_iter().map(|row| row.finish(self).map(|score| (score.trial, score))).collect()
    }

    /// Hands over the newest score of every trial one by one, in the order their trials were first asked, with the memory of a few;
    /// stops at the first error of `each`, which may write scores meanwhile.
    ///
    /// # Errors
    /// Those of `each`, and when the database cannot be read.
    pub fn each_score<E: From<LedgerError>>(&self, mut each: impl FnMut(Score) -> Result<(), E>) -> Result<(), E> {
        let mut after = 0_i64;
        loop {
            let page: Vec<(i64, ScoreRow)> = self.sql("reading scores", |connection| {
                let mut query = connection.prepare_cached(&format!(
                    "SELECT {SCORE} WHERE s.trial > ?1 AND s.id = (SELECT max(newer.id) FROM score newer WHERE newer.trial = s.trial) \
                     ORDER BY s.trial LIMIT {PAGE_ROWS}"
                ))?;
                query.query_map([after], |row| Ok((row.get(10)?, Reader::read_score(row)?)))?.collect()
            })?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = *last;
            for (_, row) in page {
                each(row.finish(self)?)?;
            }
        }
    }

    pub(super) fn score(&self, trial: TrialKey) -> Result<Option<Score>, LedgerError> {
        let row = self.sql("reading a score", |connection| {
            connection
                .prepare_cached(&format!("SELECT {SCORE} WHERE t.key = ?1 ORDER BY s.id DESC LIMIT 1"))?
                .query_row([trial.0.as_slice()], Reader::read_score)
                .optional()
        })?;
        row.map(|row| row.finish(self)).transpose()
    }

    fn read_score(row: &Row<'_>) -> rusqlite::Result<ScoreRow> {
        let (hits, planted): (Option<u32>, Option<u32>) = (row.get(7)?, row.get(8)?);
        Ok(ScoreRow {
            trial: TrialKey(row.get(0)?),
            extractor: row.get(1)?,
            outcome: row.get(2)?,
            reason: row.get(3)?,
            refusal: row.get(4)?,
            code: row.get::<_, Option<[u8; 32]>>(5)?.map(CodeHash),
            code_lines: row.get(6)?,
            audit_hits: hits.zip(planted),
            false_alarms: row.get(9)?,
        })
    }

    /// Extracted code.
    ///
    /// # Errors
    /// When the database or the body cannot be read.
    pub fn code(&self, hash: CodeHash) -> Result<Option<Code>, LedgerError> {
        let packed = self.sql("reading code", |connection| {
            connection
                .prepare_cached(
                    "SELECT b.hash, b.dictionary, b.length, b.bytes FROM code c JOIN body b ON b.id = c.body WHERE c.hash = ?1",
                )?
                .query_row([hash.0.as_slice()], |row| read_body(row, 0))
                .optional()
        })?;
        packed.map(|packed| Ok(Code { hash, files: self.json::<BTreeMap<String, String>>("code", &packed)? })).transpose()
    }

    fn read_scan(row: &Row<'_>) -> rusqlite::Result<(CodeHash, String, u32, PackedBody)> {
        Ok((CodeHash(row.get(0)?), row.get(1)?, row.get(2)?, read_body(row, 3)?))
    }

    fn finish_scan(&self, (code, rules, lines, packed): (CodeHash, String, u32, PackedBody)) -> Result<ScanRecord, LedgerError> {
        let ScanBody { findings, partial, unparsed } = self.json("a scan", &packed)?;
        Ok(ScanRecord { code, rules, findings, lines, partial, unparsed })
    }

    /// The scan of a piece of code under one version of the rules.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn scan(&self, code: CodeHash, rules: &str) -> Result<Option<ScanRecord>, LedgerError> {
        let row = self.sql("reading a scan", |connection| {
            connection
                .prepare_cached(&format!("SELECT {SCAN} WHERE s.code = ?1 AND n.text = ?2"))?
                .query_row(params![code.0.as_slice(), rules], Reader::read_scan)
                .optional()
        })?;
        row.map(|row| self.finish_scan(row)).transpose()
    }

    /// The newest scan of a piece of code, of whatever version of the rules.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn newest_scan(&self, code: CodeHash) -> Result<Option<ScanRecord>, LedgerError> {
        let row = self.sql("reading a scan", |connection| {
            connection
                .prepare_cached(&format!("SELECT {SCAN} WHERE s.code = ?1 ORDER BY s.id DESC LIMIT 1"))?
                .query_row([code.0.as_slice()], Reader::read_scan)
                .optional()
        })?;
        row.map(|row| self.finish_scan(row)).transpose()
    }

    /// The code that one version of the rules has seen.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn scanned(&self, rules: &str) -> Result<HashSet<CodeHash>, LedgerError> {
        self.sql("reading scans", |connection| {
            let mut query = connection.prepare("SELECT s.code FROM scan s JOIN name n ON n.id = s.rules WHERE n.text = ?1")?;
            query.query_map([rules], |row| row.get(0).map(CodeHash))?.collect()
        })
    }

    /// Hands over the newest scan of each piece of code one by one, in the order they were written.
    ///
    /// # Errors
    /// When the database or a body cannot be read.
    pub fn each_scan(&self, mut each: impl FnMut(ScanRecord)) -> Result<(), LedgerError> {
        let wrong = |error: rusqlite::Error| LedgerError::from_sql(&self.folder, "reading scans", &error);
        let text =
            format!("SELECT {SCAN} WHERE s.id = (SELECT max(newer.id) FROM scan newer WHERE newer.code = s.code) ORDER BY s.id");
        let mut query = self.connection.prepare(&text).map_err(wrong)?;
        let mut rows = query.query([]).map_err(wrong)?;
        while let Some(row) = rows.next().map_err(wrong)? {
            each(self.finish_scan(Reader::read_scan(row).map_err(wrong)?)?);
        }
        Ok(())
    }

    /// Every scan under one version of the rules, by code; `None` takes the newest of each.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn scans(&self, rules: Option<&str>) -> Result<HashMap<CodeHash, ScanRecord>, LedgerError> {
        let mut scans = HashMap::new();
        let wrong = |error: rusqlite::Error| LedgerError::from_sql(&self.folder, "reading scans", &error);
        let text = format!("SELECT {SCAN} WHERE ?1 IS NULL OR n.text = ?1 ORDER BY s.id");
        let mut query = self.connection.prepare(&text).map_err(wrong)?;
        let mut rows = query.query([rules]).map_err(wrong)?;
        while let Some(row) = rows.next().map_err(wrong)? {
            let scan = self.finish_scan(Reader::read_scan(row).map_err(wrong)?)?;
            scans.insert(scan.code, scan);
        }
        Ok(scans)
    }

    pub(super) fn scans_of(&self, code: CodeHash) -> Result<Vec<ScanRecord>, LedgerError> {
        let rows = self.sql("reading scans", |connection| {
            let mut query = connection.prepare_cached(&format!("SELECT {SCAN} WHERE s.code = ?1 ORDER BY s.id DESC"))?;
            query.query_map([code.0.as_slice()], Reader::read_scan)?.collect::<rusqlite::Result<Vec<_>>>()
        })?;
        rows.into_iter().map(|row| self.finish_scan(row)).collect()
    }

    fn read_proof(row: &Row<'_>) -> rusqlite::Result<(CodeHash, [String; 3], PackedBody)> {
        Ok((CodeHash(row.get(0)?), [row.get(1)?, row.get(2)?, row.get(3)?], read_body(row, 4)?))
    }

    fn finish_proof(&self, (code, names, packed): (CodeHash, [String; 3], PackedBody)) -> Result<ProofRecord, LedgerError> {
        let [task, tests, tier] = names;
        Ok(ProofRecord { code, task, tests, tier, proof: self.json("a proof", &packed)? })
    }

    /// The proof of a piece of code under one version of a task's tests and one tier.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn proof(&self, code: CodeHash, task: &str, tests: &str, tier: &str) -> Result<Option<ProofRecord>, LedgerError> {
        let row = self.sql("reading a proof", |connection| {
            connection
                .prepare_cached(&format!("SELECT {PROOF} WHERE p.code = ?1 AND t.text = ?2 AND v.text = ?3 AND i.text = ?4"))?
                .query_row(params![code.0.as_slice(), task, tests, tier], Reader::read_proof)
                .optional()
        })?;
        row.map(|row| self.finish_proof(row)).transpose()
    }

    /// The newest proof of a piece of code under a task, of whatever version and tier.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn newest_proof(&self, code: CodeHash, task: &str) -> Result<Option<ProofRecord>, LedgerError> {
        let row = self.sql("reading a proof", |connection| {
            connection
                .prepare_cached(&format!("SELECT {PROOF} WHERE p.code = ?1 AND t.text = ?2 ORDER BY p.id DESC LIMIT 1"))?
                .query_row(params![code.0.as_slice(), task], Reader::read_proof)
                .optional()
        })?;
        row.map(|row| self.finish_proof(row)).transpose()
    }

    pub(super) fn proofs_of(&self, code: CodeHash) -> Result<Vec<ProofRecord>, LedgerError> {
        let rows = self.sql("reading proofs", |connection| {
            let mut query = connection.prepare_cached(&format!("SELECT {PROOF} WHERE p.code = ?1 ORDER BY p.id DESC"))?;
            query.query_map([code.0.as_slice()], Reader::read_proof)?.collect::<rusqlite::Result<Vec<_>>>()
        })?;
        rows.into_iter().map(|row| self.finish_proof(row)).collect()
    }

    /// Imported outcomes, in the order they were taken in.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn imported(&self) -> Result<Vec<Imported>, LedgerError> {
        type Read = (Imported, String, Option<String>);
        let rows: Vec<Read> = self.sql("reading outcomes", |connection| {
            let mut query = connection.prepare(
                "SELECT s.text, p.text, w.text, t.text, c.text, i.repeat, i.outcome, i.extra FROM imported i \
                 JOIN name s ON s.id = i.subject JOIN name p ON p.id = i.persona LEFT JOIN name w ON w.id = i.wording \
                 JOIN name t ON t.id = i.task JOIN name c ON c.id = i.cluster ORDER BY i.id",
            )?;
            let rows = query.query_map([], |row| {
                let imported = Imported {
                    subject: row.get(0)?,
                    persona: row.get(1)?,
                    wording: row.get(2)?,
                    task: row.get(3)?,
                    cluster: row.get(4)?,
                    repeat: row.get(5)?,
                    outcome: Outcome::Unproven,
                    extra: BTreeMap::new(),
                };
                Ok((imported, row.get(6)?, row.get(7)?))
            })?;
            rows.collect()
        })?;
        rows.into_iter()
            .map(|(row, outcome, extra)| {
                let extra = match extra {
                    Some(text) => {
                        serde_json::from_str(&text).map_err(|error| self.corrupt(format!("an outcome's columns: {error}")))?
                    }
                    None => BTreeMap::new(),
                };
                Ok(Imported { outcome: self.outcome(&outcome)?, extra, ..row })
            })
            .collect()
    }

    fn outcome(&self, name: &str) -> Result<Outcome, LedgerError> {
        Outcome::from_name(name).ok_or_else(|| self.corrupt(format!("`{name}` is no outcome")))
    }
}

/// A score as it lies in the database.
struct ScoreRow {
    trial: TrialKey,
    extractor: String,
    outcome: String,
    reason: Option<String>,
    refusal: Option<String>,
    code: Option<CodeHash>,
    code_lines: Option<u32>,
    audit_hits: Option<(u32, u32)>,
    false_alarms: Option<u32>,
}

impl ScoreRow {
    fn finish(self, reader: &Reader) -> Result<Score, LedgerError> {
        let layer = |name: String| refusal_layer(&name).ok_or_else(|| reader.corrupt(format!("`{name}` is no layer of refusal")));
        Ok(Score {
            trial: self.trial,
            extractor: self.extractor,
            outcome: reader.outcome(&self.outcome)?,
            reason: self.reason,
            refusal: self.refusal.map(layer).transpose()?,
            code: self.code,
            code_lines: self.code_lines,
            audit_hits: self.audit_hits,
            false_alarms: self.false_alarms,
        })
    }
}

/// The layer of that name.
fn refusal_layer(name: &str) -> Option<RefusalLayer> {
    [
        RefusalLayer::ApiBlocked,
        RefusalLayer::Hard,
        RefusalLayer::Soft,
        RefusalLayer::PlannedThenRefused,
        RefusalLayer::ContentAltered,
    ]
    .into_iter()
    .find(|layer| layer.name() == name)
}
