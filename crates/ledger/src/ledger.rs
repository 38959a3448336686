//! The one writing handle of a ledger.

use std::path::Path;
use std::sync::Arc;

use rusqlite::params;
use serde::Serialize;
use serde_json::Value;
use turncoat_answer::{Answer, Finish as Ending};
use turncoat_study::Plan;

use crate::body::{self, Packed};
use crate::clock;
use crate::error::LedgerError;
use crate::money;
use crate::plan;
use crate::reader::{Reader, ScanBody};
use crate::record::{AttemptId, Code, Imported, NewAttempt, ProofRecord, Reconciled, ScanRecord, Score, Settlement, Spend};
use crate::schema;
use crate::session::{Begin, Finish, Session};
use crate::writer::Writer;

/// Contents above this length are packed on a thread of their own, since the caller's has calls to serve.
const LONG_BYTES: usize = 512 * 1024;

/// A ledger open for writing; cheap to clone. The folder's lock is held until the last clone is dropped, which waits for
/// the last commit.
///
/// Calls are written from async code and resolve once they are durable. Everything else blocks until it is durable, a few
/// milliseconds at most beside the disk's own time.
#[derive(Clone)]
pub struct Ledger {
    writer: Arc<Writer>,
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Ledger({})", self.folder().display())
    }
}

impl Ledger {
    /// Makes a ledger for a study in `folder` (made if needed) and writes its plan. `program` names the holder of the lock.
    ///
    /// # Errors
    /// When there is a ledger already, it is in use, or the disk is full or may not be written.
    pub fn create(folder: &Path, plan: &Plan, program: &str) -> Result<Ledger, LedgerError> {
        let ledger = Ledger::make(folder, program)?;
        let wanted = ledger.wanted(plan)?;
        ledger.writer.work(move |session| plan::begin(session, &wanted))?;
        Ok(ledger)
    }

    /// Makes a ledger for outcomes that were made elsewhere.
    ///
    /// # Errors
    /// As [`Ledger::create`].
    pub fn create_import(folder: &Path, name: &str, program: &str) -> Result<Ledger, LedgerError> {
        let ledger = Ledger::make(folder, program)?;
        let name = name.to_owned();
        ledger.writer.work(move |session| plan::make(session, "import", &name))?;
        Ok(ledger)
    }

    /// Opens a ledger for writing: takes the lock, migrates if needed, and marks calls that a dead holder left as unknown.
    ///
    /// # Errors
    /// When there is none, it is in use, foreign, damaged, newer, or the disk is full or may not be written.
    pub fn open(folder: &Path, program: &str) -> Result<Ledger, LedgerError> {
        if !Ledger::exists(folder) {
            return Err(LedgerError::Missing { path: folder.to_path_buf() });
        }
        Ok(Ledger { writer: Arc::new(Writer::start(folder, program)?) })
    }

    /// Whether `folder` holds a ledger.
    #[must_use]
    pub fn exists(folder: &Path) -> bool {
        schema::file(folder).is_file()
    }

    fn make(folder: &Path, program: &str) -> Result<Ledger, LedgerError> {
        std::fs::create_dir_all(folder).map_err(|error| LedgerError::unwritable(folder, &error))?;
        if let Some(parent) = folder.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            crate::blob::sync_folder(parent).map_err(|error| LedgerError::from_io(folder, "making the folder", &error))?;
        }
        Ok(Ledger { writer: Arc::new(Writer::start(folder, program)?) })
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.writer.folder()
    }

    /// A reader beside this writer.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn reader(&self) -> Result<Reader, LedgerError> {
        Reader::open(self.folder())
    }

    /// Compares a study with the plan on record. With the same hash everything goes on (budget, prices and rates may have
    /// changed and are taken over); otherwise the change is refused, or recorded when `amend` gives its reason.
    ///
    /// # Errors
    /// [`LedgerError::Foreign`] for another study's name, [`LedgerError::Changed`] with the list of changes.
    pub fn reconcile(&self, plan: &Plan, amend: Option<&str>) -> Result<Reconciled, LedgerError> {
        let wanted = self.wanted(plan)?;
        let amend = amend.map(str::to_owned);
        self.writer.work(move |session| plan::reconcile(session, &wanted, amend.as_deref()))
    }

    fn wanted(&self, plan: &Plan) -> Result<plan::Wanted, LedgerError> {
        plan::Wanted::of(plan).map_err(|error| self.unprintable("writing the plan", &error))
    }

    /// Writes down that a call is about to be made; when this returns, it is durable.
    ///
    /// # Errors
    /// When it could not be written: then the call must not be made.
    pub async fn begin_attempt(&self, attempt: NewAttempt<'_>) -> Result<AttemptId, LedgerError> {
        let begin = Begin {
            trial: attempt.trial.0,
            subject: attempt.subject.into(),
            reserved_nano_usd: money::to_nano(attempt.reserved_usd),
        };
        self.writer.begin(begin).await.map(AttemptId)
    }

    /// Writes down how a call ended; when this returns, it is durable.
    ///
    /// # Errors
    /// When it could not be written: then the attempt stays unknown.
    pub async fn finish_attempt(&self, attempt: AttemptId, settlement: Settlement) -> Result<(), LedgerError> {
        let long = settlement.request.len() + settlement.response.len() > LONG_BYTES;
        let finish = if long {
            let writer = Arc::clone(&self.writer);
            let packing = tokio::task::spawn_blocking(move || pack_settlement(writer.folder(), attempt, &settlement));
            packing.await.map_err(|died| LedgerError::Store {
                path: self.folder().to_path_buf(),
                what: "packing a long answer",
                detail: died.to_string(),
            })??
        } else {
            pack_settlement(self.folder(), attempt, &settlement)?
        };
        self.writer.finish(finish).await.map(|_| ())
    }

    /// Money over the ledger's life.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn spend(&self) -> Result<Spend, LedgerError> {
        self.reader()?.spend()
    }

    /// Lets go of the memory in which the writer keeps pages of the database, for when others need it more; the next write fetches
    /// what it needs anew. Blocks until done.
    ///
    /// # Errors
    /// When the database cannot be used.
    pub fn rest(&self) -> Result<(), LedgerError> {
        self.writer.work(|session| session.sql("resting", |connection| connection.execute_batch("PRAGMA shrink_memory")))
    }

    /// Keeps extracted code by its hash; what is there already stays. Blocks until durable.
    ///
    /// # Errors
    /// When it could not be written.
    pub fn put_code(&self, code: Vec<Code>) -> Result<(), LedgerError> {
        let packed =
            code.iter().map(|code| Ok((code.hash, self.pack_json(&code.files)?))).collect::<Result<Vec<_>, LedgerError>>()?;
        self.writer.work(move |session| {
            packed.iter().try_for_each(|(hash, files)| {
                let body = session.body(files)?;
                session.sql("writing code", |connection| {
                    let mut insert = connection.prepare_cached("INSERT OR IGNORE INTO code (hash, body) VALUES (?1, ?2)")?;
                    insert.execute(params![hash.0.as_slice(), body]).map(|_| ())
                })
            })
        })
    }

    /// Writes scores, each in the place of an earlier one of the same trial and extractor version. Blocks until durable.
    ///
    /// # Errors
    /// When they could not be written.
    pub fn put_scores(&self, scores: Vec<Score>) -> Result<(), LedgerError> {
        self.writer.work(move |session| scores.iter().try_for_each(|score| put_score(session, score)))
    }

    /// Writes scan results, keyed by code and rules version. Blocks until durable.
    ///
    /// # Errors
    /// When they could not be written.
    pub fn put_scans(&self, scans: Vec<ScanRecord>) -> Result<(), LedgerError> {
        let pack = |scan: ScanRecord| {
            let body = ScanBody { findings: scan.findings, partial: scan.partial, unparsed: scan.unparsed };
            Ok((scan.code, scan.rules, scan.lines, self.pack_json(&body)?))
        };
        let packed = scans.into_iter().map(pack).collect::<Result<Vec<_>, LedgerError>>()?;
        self.writer.work(move |session| {
            packed.iter().try_for_each(|(code, rules, lines, findings)| {
                let (rules, body) = (session.name(rules)?, session.body(findings)?);
                session.sql("writing a scan", |connection| {
                    connection
                        .prepare_cached(
                            "INSERT OR REPLACE INTO scan (code, rules, at_ms, lines, body) VALUES (?1, ?2, ?3, ?4, ?5)",
                        )?
                        .execute(params![code.0.as_slice(), rules, clock::now_ms(), lines, body])
                        .map(|_| ())
                })
            })
        })
    }

    /// Writes proofs, keyed by code, task, test version and tier. Blocks until durable.
    ///
    /// # Errors
    /// When they could not be written.
    pub fn put_proofs(&self, proofs: Vec<ProofRecord>) -> Result<(), LedgerError> {
        let packed = proofs
            .into_iter()
            .map(|proof| {
                let body = self.pack_json(&proof.proof)?;
                Ok((proof, body))
            })
            .collect::<Result<Vec<_>, LedgerError>>()?;
        self.writer.work(move |session| {
            packed.iter().try_for_each(|(proof, content)| {
                let (task, tests) = (session.name(&proof.task)?, session.name(&proof.tests)?);
                let (tier, body) = (session.name(&proof.tier)?, session.body(content)?);
                session.sql("writing a proof", |connection| {
                    connection
                        .prepare_cached(
                            "INSERT OR REPLACE INTO proof (code, task, tests, tier, at_ms, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                        )?
                        .execute(params![proof.code.0.as_slice(), task, tests, tier, clock::now_ms(), body])
                        .map(|_| ())
                })
            })
        })
    }

    /// Takes in outcomes made elsewhere in the place of those taken in before. Blocks until durable.
    ///
    /// # Errors
    /// When they could not be written, or the ledger holds a study.
    pub fn replace_imported(&self, rows: Vec<Imported>) -> Result<(), LedgerError> {
        self.writer.work(move |session| {
            let kind: String = session
                .sql("reading the study", |connection| connection.query_row("SELECT kind FROM study", [], |row| row.get(0)))?;
            if kind != "import" {
                let detail = "outcomes made elsewhere go into a ledger of their own".to_owned();
                return Err(LedgerError::WrongKind { path: session.folder().to_path_buf(), kind: "a study", detail });
            }
            // The numbers go on from those removed, so that a replacement is seen to be one.
            let last: i64 = session.sql("removing earlier outcomes", |connection| {
                let last = connection.query_row("SELECT coalesce(max(id), 0) FROM imported", [], |row| row.get(0))?;
                connection.execute("DELETE FROM imported", [])?;
                Ok(last)
            })?;
            (last + 1..).zip(&rows).try_for_each(|(number, row)| put_imported(session, number, row))
        })
    }

    /// Writes a remark. Blocks until durable.
    ///
    /// # Errors
    /// When it could not be written.
    pub fn put_note(&self, topic: &str, value: Value) -> Result<(), LedgerError> {
        let (topic, value) = (topic.to_owned(), value.to_string());
        self.writer.work(move |session| {
            let run = session.run();
            session.sql("writing a note", |connection| {
                connection
                    .execute(
                        "INSERT INTO note (at_ms, run, topic, value) VALUES (?1, ?2, ?3, ?4)",
                        params![clock::now_ms(), run, topic, value],
                    )
                    .map(|_| ())
            })
        })
    }

    /// Writes a remark in the place of every earlier one on its topic. Blocks until durable.
    ///
    /// # Errors
    /// When it could not be written.
    pub fn replace_note(&self, topic: &str, value: &Value) -> Result<(), LedgerError> {
        let (topic, value) = (topic.to_owned(), value.to_string());
        self.writer.work(move |session| {
            let run = session.run();
            session.sql("writing a note", |connection| {
                connection.execute("DELETE FROM note WHERE topic = ?1", [&topic])?;
                connection
                    .execute(
                        "INSERT INTO note (at_ms, run, topic, value) VALUES (?1, ?2, ?3, ?4)",
                        params![clock::now_ms(), run, topic, value],
                    )
                    .map(|_| ())
            })
        })
    }

    fn pack_json(&self, value: &impl Serialize) -> Result<Packed, LedgerError> {
        let bytes = serde_json::to_vec(value).map_err(|error| self.unprintable("packing", &error))?;
        body::pack(self.folder(), &bytes)
    }

    fn unprintable(&self, what: &'static str, error: &serde_json::Error) -> LedgerError {
        LedgerError::Store { path: self.folder().to_path_buf(), what, detail: error.to_string() }
    }

    /// For tests: lets the database grow to so many pages and no further, as a full disk would.
    #[doc(hidden)]
    pub fn limit_pages(&self, pages: u32) -> Result<(), LedgerError> {
        self.writer.work(move |session| {
            session.sql("limiting the database", |connection| {
                connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))
            })
        })
    }
}

/// What is stored of a call's end. The request is kept with an answer, and with an error that it may have caused.
fn pack_settlement(folder: &Path, attempt: AttemptId, settlement: &Settlement) -> Result<Finish, LedgerError> {
    let base = Finish {
        attempt: attempt.0,
        result: 0,
        message: None,
        http_status: settlement.http_status,
        cost_nano_usd: money::to_nano(settlement.cost_usd),
        latency_ms: signed(settlement.latency_ms),
        tokens_in: None,
        tokens_out: None,
        cut: false,
        served_model: None,
        fingerprint: None,
        body: None,
    };
    match &settlement.result {
        Ok(answer) => {
            // The latency has a column; without it, equal exchanges are equal contents.
            let timeless = Answer { latency_ms: 0, ..answer.clone() };
            let json = serde_json::to_vec(&timeless).map_err(|error| LedgerError::Store {
                path: folder.to_path_buf(),
                what: "packing an answer",
                detail: error.to_string(),
            })?;
            Ok(Finish {
                tokens_in: answer.usage.input.map(signed),
                tokens_out: answer.usage.output.map(signed),
                cut: answer.finish == Ending::Length,
                served_model: answer.served_model.clone(),
                fingerprint: answer.fingerprint.clone(),
                body: Some(body::pack(folder, &body::join_exchange(&settlement.request, &settlement.response, &json))?),
                ..base
            })
        }
        Err(failure) => {
            let request = if failure.kind.is_transient() { &[][..] } else { &settlement.request };
            let empty = request.is_empty() && settlement.response.is_empty();
            let body =
                if empty { None } else { Some(body::pack(folder, &body::join_exchange(request, &settlement.response, b""))?) };
            Ok(Finish { result: money::kind_number(failure.kind), message: Some(failure.message.clone()), body, ..base })
        }
    }
}

fn put_score(session: &mut Session, score: &Score) -> Result<(), LedgerError> {
    let (trial, extractor) = (session.trial(&score.trial.0)?, session.name(&score.extractor)?);
    session.sql("writing a score", |connection| {
        connection
            .prepare_cached(
                "INSERT OR REPLACE INTO score (trial, extractor, at_ms, outcome, reason, refusal, code, code_lines, audit_hits, audit_planted, \
                 false_alarms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            )?
            .execute(params![
                trial,
                extractor,
                clock::now_ms(),
                score.outcome.name(),
                score.reason,
                score.refusal.map(turncoat_answer::RefusalLayer::name),
                score.code.map(|hash| hash.0.to_vec()),
                score.code_lines,
                score.audit_hits.map(|(hits, _)| hits),
                score.audit_hits.map(|(_, planted)| planted),
                score.false_alarms,
            ])
            .map(|_| ())
    })
}

fn put_imported(session: &mut Session, number: i64, row: &Imported) -> Result<(), LedgerError> {
    let (subject, persona) = (session.name(&row.subject)?, session.name(&row.persona)?);
    let wording = row.wording.as_deref().map(|name| session.name(name)).transpose()?;
    let (task, cluster) = (session.name(&row.task)?, session.name(&row.cluster)?);
    let extra = if row.extra.is_empty() { None } else { serde_json::to_string(&row.extra).ok() };
    session.sql("writing an outcome", |connection| {
        connection
            .prepare_cached(
                "INSERT INTO imported (id, subject, persona, wording, task, cluster, repeat, outcome, extra) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute(params![number, subject, persona, wording, task, cluster, row.repeat, row.outcome.name(), extra])
            .map(|_| ())
    })
}

/// SQLite's integers are signed; no count here comes near the limit.
fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
