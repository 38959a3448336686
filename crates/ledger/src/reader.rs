//! Reading beside the writer: the study, what remains, money and sums.

mod answers;
mod notes;
mod scores;
mod trial;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension as _, Row};
use turncoat_answer::ErrorKind;
use turncoat_study::{Plan, PlanHash, Trial, TrialKey, canonical};

pub(crate) use scores::ScanBody;

use crate::error::LedgerError;
use crate::lock;
use crate::money;
use crate::record::{AttemptId, Deviation, Failure, Gap, LedgerKind, Remaining, Spend, SubjectTotals, UnknownAttempt};
use crate::schema;

/// A ledger open for reading; never blocks the writer, and sees each commit whole or not at all.
#[derive(Debug)]
pub struct Reader {
    folder: PathBuf,
    connection: Connection,
}

/// The last error of a trial without an answer.
struct LastError {
    kind: ErrorKind,
    message: String,
    attempts: u32,
}

impl Reader {
    /// Opens a ledger for reading, also one on a read-only disk.
    ///
    /// # Errors
    /// When there is none, or it is foreign, damaged or newer.
    pub fn open(folder: &Path) -> Result<Reader, LedgerError> {
        let connection = schema::open_reader(folder, schema::MIGRATIONS)?;
        Ok(Reader { folder: folder.to_path_buf(), connection })
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Runs SQL and gives its failure a meaning.
    fn sql<T>(&self, what: &'static str, run: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, LedgerError> {
        run(&self.connection).map_err(|error| LedgerError::from_sql(&self.folder, what, &error))
    }

    fn corrupt(&self, detail: impl Into<String>) -> LedgerError {
        LedgerError::Corrupt { path: self.folder.clone(), detail: detail.into() }
    }

    /// The study's or import's name.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn name(&self) -> Result<String, LedgerError> {
        self.study().map(|(_, name)| name)
    }

    /// What the ledger holds.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn kind(&self) -> Result<LedgerKind, LedgerError> {
        self.study().map(|(kind, _)| kind)
    }

    fn study(&self) -> Result<(LedgerKind, String), LedgerError> {
        let found = self.sql("reading the study", |connection| {
            let read = |row: &Row<'_>| Ok((row.get::<_, String>(0)?, row.get(1)?));
            connection.query_row("SELECT kind, name FROM study", [], read).optional()
        })?;
        match found {
            Some((kind, name)) if kind == "import" => Ok((LedgerKind::Import, name)),
            Some((_, name)) => Ok((LedgerKind::Study, name)),
            // The program that made it died before it wrote the plan; the next `run` does.
            None => Err(LedgerError::NotALedger {
                path: self.folder.clone(),
                detail: "no study has been written into it yet".to_owned(),
            }),
        }
    }

    /// The plan as it stands, amendments included. The tasks' files (references, tests) are not part of it: the caller
    /// finds them again through [`Plan::suites`].
    ///
    /// # Errors
    /// [`LedgerError::WrongKind`] for imported outcomes.
    pub fn plan(&self) -> Result<Plan, LedgerError> {
        let text: String = self.newest_plan("plan")?;
        serde_json::from_str(&text).map_err(|error| self.corrupt(format!("the plan on record cannot be read: {error}")))
    }

    /// The plan hash as it stands.
    ///
    /// # Errors
    /// [`LedgerError::WrongKind`] for imported outcomes.
    pub fn plan_hash(&self) -> Result<PlanHash, LedgerError> {
        let hash: Vec<u8> = self.newest_plan("hash")?;
        hash.try_into().map(PlanHash).map_err(|_| self.corrupt("the plan hash on record is no SHA-256"))
    }

    fn newest_plan<T: rusqlite::types::FromSql>(&self, column: &'static str) -> Result<T, LedgerError> {
        if self.kind()? == LedgerKind::Import {
            let detail = "they have no plan".to_owned();
            return Err(LedgerError::WrongKind { path: self.folder.clone(), kind: "imported outcomes", detail });
        }
        self.sql("reading the plan", |connection| {
            connection.query_row(&format!("SELECT {column} FROM plan ORDER BY version DESC LIMIT 1"), [], |row| row.get(0))
        })
    }

    /// Every amendment, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn deviations(&self) -> Result<Vec<Deviation>, LedgerError> {
        type Version = (u32, i64, Option<String>, Option<String>, i64, Vec<u8>);
        let versions: Vec<Version> = self.sql("reading deviations", |connection| {
            let mut query =
                connection.prepare("SELECT version, at_ms, reason, changes, answers, hash FROM plan ORDER BY version")?;
            let rows =
                query.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?)))?;
            rows.collect()
        })?;
        let mut before = String::new();
        let mut deviations = Vec::new();
        for (version, at_ms, reason, changes, answers, hash) in versions {
            let after = canonical::hex(&hash);
            if let Some(reason) = reason {
                let changes = serde_json::from_str(changes.as_deref().unwrap_or("[]"))
                    .map_err(|error| self.corrupt(format!("the changes of plan version {version} cannot be read: {error}")))?;
                let answers = answers.unsigned_abs();
                deviations.push(Deviation { version, at_ms, reason, before, after: after.clone(), changes, answers });
            }
            before = after;
        }
        Ok(deviations)
    }

    /// What of `trials` is still to be asked. A trial without an answer is open again, except after an error that is the
    /// request's own (`bad_request`, `prompt_cut`, `too_large`, `engine`): that one is held back unless `retry_errors`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn remaining(&self, trials: &[Trial], retry_errors: bool) -> Result<Remaining, LedgerError> {
        let (answered, errors) = self.on_one_state(|| Ok((self.answered()?, self.last_errors()?)))?;
        let mut remaining = Remaining::default();
        for trial in trials {
            if answered.contains(&trial.key) {
                remaining.answered += 1;
                continue;
            }
            match errors.get(&trial.key) {
                Some(last) if !retry_errors && is_the_requests_own(last.kind) => remaining.held_back.push((*trial, last.kind)),
                _ => remaining.open.push(*trial),
            }
        }
        Ok(remaining)
    }

    /// The trials without an answer, in the order handed in.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn gaps(&self, trials: &[Trial]) -> Result<Vec<Gap>, LedgerError> {
        let (answered, mut errors) = self.on_one_state(|| Ok((self.answered()?, self.last_errors()?)))?;
        let missing = trials.iter().filter(|trial| !answered.contains(&trial.key));
        Ok(missing
            .map(|trial| match errors.remove(&trial.key) {
                Some(LastError { kind, message, attempts }) => {
                    Gap { trial: *trial, last: Some(Failure { kind, message }), attempts }
                }
                None => Gap { trial: *trial, last: None, attempts: 0 },
            })
            .collect())
    }

    /// Runs several queries on one state of the database, whatever is written meanwhile.
    fn on_one_state<T>(&self, read: impl FnOnce() -> Result<T, LedgerError>) -> Result<T, LedgerError> {
        let transaction =
            self.connection.unchecked_transaction().map_err(|error| LedgerError::from_sql(&self.folder, "reading", &error))?;
        let value = read()?;
        // Nothing was written: ending it either way is the same.
        drop(transaction);
        Ok(value)
    }

    /// Trials with an answer.
    fn answered(&self) -> Result<HashSet<TrialKey>, LedgerError> {
        self.sql("reading what is answered", |connection| {
            let mut query =
                connection.prepare("SELECT t.key FROM attempt a JOIN trial t ON t.id = a.trial WHERE a.result = 0")?;
            query.query_map([], |row| row.get(0).map(TrialKey))?.collect()
        })
    }

    /// The last error of every trial that had one, answered since or not.
    fn last_errors(&self) -> Result<HashMap<TrialKey, LastError>, LedgerError> {
        self.sql("reading errors", |connection| {
            let mut query = connection.prepare(
                "SELECT t.key, max(a.id), a.result, a.message, count(*) FROM attempt a JOIN trial t ON t.id = a.trial WHERE a.result > 0 GROUP BY a.trial",
            )?;
            let rows = query.query_map([], |row| {
                let message: Option<String> = row.get(3)?;
                let kind = money::kind_of(row.get(2)?);
                let message = message.unwrap_or_else(|| "the program died while the call was in flight".to_owned());
                Ok((TrialKey(row.get(0)?), LastError { kind, message, attempts: row.get(4)? }))
            })?;
            rows.collect()
        })
    }

    /// Money over the ledger's life.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn spend(&self) -> Result<Spend, LedgerError> {
        // Looked at before the rows: a run that starts in between has its rows counted as unknown, which is not too little.
        let held = lock::is_held(&self.folder);
        let mut spend = Spend::default();
        let rows: Vec<(i64, u64, i64)> = self.sql("reading what was spent", |connection| {
            let mut query = connection.prepare(
                "SELECT CASE WHEN result IS NULL THEN 1 WHEN result = 14 THEN 2 ELSE 0 END AS class, count(*), \
                 sum(CASE WHEN result IS NULL OR result = 14 THEN reserved_nano_usd ELSE coalesce(cost_nano_usd, reserved_nano_usd) END) \
                 FROM attempt GROUP BY class",
            )?;
            query.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect()
        })?;
        for (class, count, nano) in rows {
            let usd = money::to_usd(nano);
            match class {
                0 => spend.settled_usd += usd,
                1 if held => {
                    spend.in_flight_usd += usd;
                    spend.in_flight += count;
                }
                _ => {
                    spend.unknown_usd += usd;
                    spend.unknown += count;
                }
            }
        }
        Ok(spend)
    }

    /// Calls whose end nobody knows, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn unknown_attempts(&self) -> Result<Vec<UnknownAttempt>, LedgerError> {
        let held = lock::is_held(&self.folder);
        self.sql("reading unknown calls", |connection| {
            let mut query = connection.prepare(
                "SELECT a.id, t.key, n.text, a.sent_ms, a.reserved_nano_usd, \
                 EXISTS (SELECT 1 FROM attempt b WHERE b.trial = a.trial AND b.result = 0) \
                 FROM attempt a JOIN trial t ON t.id = a.trial JOIN name n ON n.id = a.subject \
                 WHERE a.result = 14 OR (a.result IS NULL AND NOT ?1) ORDER BY a.id",
            )?;
            let rows = query.query_map([held], |row| {
                Ok(UnknownAttempt {
                    attempt: AttemptId(row.get(0)?),
                    trial: TrialKey(row.get(1)?),
                    subject: row.get(2)?,
                    sent_ms: row.get(3)?,
                    reserved_usd: money::to_usd(row.get(4)?),
                    answered_since: row.get(5)?,
                })
            })?;
            rows.collect()
        })
    }

    /// Sums by subject, in order of first attempt.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn totals(&self) -> Result<Vec<SubjectTotals>, LedgerError> {
        self.on_one_state(|| {
            let mut order: Vec<i64> = Vec::new();
            let mut totals: BTreeMap<i64, SubjectTotals> = BTreeMap::new();
            self.sum_attempts(&mut order, &mut totals)?;
            self.sum_failed_trials(&mut totals)?;
            self.collect_names("served_model", |subject, name| {
                totals.entry(subject).or_default().served_models.push(name);
            })?;
            self.collect_names("fingerprint", |subject, name| {
                totals.entry(subject).or_default().fingerprints.push(name);
            })?;
            Ok(order.iter().filter_map(|subject| totals.remove(subject)).collect())
        })
    }

    fn sum_attempts(&self, order: &mut Vec<i64>, totals: &mut BTreeMap<i64, SubjectTotals>) -> Result<(), LedgerError> {
        self.sql("adding attempts up", |connection| {
            let mut query = connection.prepare(
                "SELECT a.subject, n.text, a.result, count(*), \
                 sum(CASE WHEN a.result IS NULL OR a.result = 14 THEN a.reserved_nano_usd ELSE coalesce(a.cost_nano_usd, a.reserved_nano_usd) END), \
                 sum(CASE WHEN a.result = 0 THEN a.tokens_in END), sum(CASE WHEN a.result = 0 THEN a.tokens_out END) \
                 FROM attempt a JOIN name n ON n.id = a.subject GROUP BY a.subject, a.result ORDER BY min(a.id)",
            )?;
            let mut rows = query.query([])?;
            while let Some(row) = rows.next()? {
                let subject: i64 = row.get(0)?;
                if !order.contains(&subject) {
                    order.push(subject);
                }
                let total = totals.entry(subject).or_default();
                total.subject = row.get(1)?;
                let (result, count): (Option<i64>, u64) = (row.get(2)?, row.get(3)?);
                total.attempts += count;
                total.usd += money::to_usd(row.get(4)?);
                total.tokens_in += row.get::<_, Option<u64>>(5)?.unwrap_or(0);
                total.tokens_out += row.get::<_, Option<u64>>(6)?.unwrap_or(0);
                match result {
                    Some(0) => total.answers += count,
                    Some(money::UNKNOWN) | None => total.unknown += count,
                    Some(number) => *total.failed_attempts.entry(money::kind_of(number)).or_default() += count,
                }
            }
            Ok(())
        })
    }

    fn sum_failed_trials(&self, totals: &mut BTreeMap<i64, SubjectTotals>) -> Result<(), LedgerError> {
        self.sql("adding failed trials up", |connection| {
            // With max() alone in a group, SQLite takes the other columns from the row of the maximum: the last attempt.
            let mut query = connection.prepare(
                "SELECT subject, result, count(*) FROM (SELECT a.subject, a.result, max(a.id) FROM attempt a WHERE a.result > 0 \
                 AND NOT EXISTS (SELECT 1 FROM attempt b WHERE b.trial = a.trial AND b.result = 0) GROUP BY a.trial) GROUP BY subject, result",
            )?;
            let mut rows = query.query([])?;
            while let Some(row) = rows.next()? {
                let total = totals.entry(row.get(0)?).or_default();
                total.failed_trials.insert(money::kind_of(row.get(1)?), row.get(2)?);
            }
            Ok(())
        })
    }

    fn collect_names(&self, column: &'static str, mut each: impl FnMut(i64, String)) -> Result<(), LedgerError> {
        self.sql("reading what was served", |connection| {
            let mut query = connection.prepare(&format!(
                "SELECT d.subject, n.text FROM (SELECT DISTINCT subject, {column} AS name FROM attempt WHERE {column} IS NOT NULL) d \
                 JOIN name n ON n.id = d.name ORDER BY d.subject, n.text"
            ))?;
            let mut rows = query.query([])?;
            while let Some(row) = rows.next()? {
                each(row.get(0)?, row.get(1)?);
            }
            Ok(())
        })
    }
}

/// Whether an error would come again however often the same request is sent. A subject that is down as a whole (a wrong
/// key, no money) is another thing: once it is back, its trials are simply open.
fn is_the_requests_own(kind: ErrorKind) -> bool {
    !kind.is_transient() && !kind.is_final_for_subject()
}
