//! The plan on record: written before the first call, compared before every run, amended only with a reason.

use rusqlite::{OptionalExtension as _, params};
use serde_json::Value;
use turncoat_study::{Plan, canonical};

use crate::clock;
use crate::diff::{self, Change};
use crate::error::LedgerError;
use crate::record::{Deviation, Reconciled};
use crate::session::Session;

/// The newest version of the plan on record.
struct OnRecord {
    version: u32,
    hash: Vec<u8>,
    questions: String,
}

/// A study's plan ready to be written.
pub(crate) struct Wanted {
    name: String,
    hash: [u8; 32],
    /// The canonical JSON that the hash covers.
    questions: String,
    /// The whole plan as JSON.
    plan: String,
    /// Every trial's key, in the order they are asked.
    keys: Vec<[u8; 32]>,
}

impl Wanted {
    /// Resolves a plan into what is kept of it.
    pub(crate) fn of(plan: &Plan) -> Result<Wanted, serde_json::Error> {
        Ok(Wanted {
            name: plan.name.clone(),
            hash: plan.hash().0,
            questions: canonical::to_string(&plan.questions()),
            plan: serde_json::to_string(plan)?,
            keys: plan.trials().iter().map(|trial| trial.key.0).collect(),
        })
    }
}

/// Marks the ledger as that of a study or import; what is marked already is an error, except a study without a plan, left
/// by a program that died right after it had made the file.
pub(crate) fn make(session: &mut Session, kind: &'static str, name: &str) -> Result<(), LedgerError> {
    let made: Option<String> = session
        .sql("reading the study", |connection| connection.query_row("SELECT name FROM study", [], |row| row.get(0)).optional())?;
    if made.is_some() {
        return Err(LedgerError::Exists { path: session.folder().to_path_buf() });
    }
    session.sql("writing the study", |connection| {
        connection
            .execute("INSERT INTO study (one, kind, name, made_ms) VALUES (1, ?1, ?2, ?3)", params![kind, name, clock::now_ms()])
            .map(|_| ())
    })
}

/// Writes the first version of a plan.
pub(crate) fn begin(session: &mut Session, wanted: &Wanted) -> Result<(), LedgerError> {
    make(session, "study", &wanted.name)?;
    write_version(session, wanted, 1, None)
}

/// Compares a plan with the one on record, as [`crate::Ledger::reconcile`] says.
pub(crate) fn reconcile(session: &mut Session, wanted: &Wanted, amend: Option<&str>) -> Result<Reconciled, LedgerError> {
    let path = session.folder().to_path_buf();
    let study: Option<(String, String)> = session.sql("reading the study", |connection| {
        connection.query_row("SELECT kind, name FROM study", [], |row| Ok((row.get(0)?, row.get(1)?))).optional()
    })?;
    let Some((kind, name)) = study else {
        begin(session, wanted)?;
        return Ok(Reconciled::Same);
    };
    if kind != "study" {
        let detail = "it cannot be run".to_owned();
        return Err(LedgerError::WrongKind { path, kind: "imported outcomes", detail });
    }
    let known = on_record(session)?;
    if name != wanted.name {
        let found_hash = canonical::hex(known.hash.get(..6).unwrap_or_default());
        return Err(LedgerError::Foreign { path, found: name, found_hash, wanted: wanted.name.clone() });
    }
    if known.hash == wanted.hash {
        // Budget, prices, rates and paths are no part of the question: the newest are taken over.
        session.sql("writing the plan", |connection| {
            connection.execute("UPDATE plan SET plan = ?1 WHERE version = ?2", params![wanted.plan, known.version]).map(|_| ())
        })?;
        return Ok(Reconciled::Same);
    }
    let changes = diff::compare(&parse(session, &known.questions)?, &parse(session, &wanted.questions)?);
    let Some(reason) = amend else {
        return Err(LedgerError::Changed { path, changes });
    };
    let answers: i64 = session.sql("counting answers", |connection| {
        connection.query_row("SELECT count(*) FROM attempt WHERE result = 0", [], |row| row.get(0))
    })?;
    let deviation = Deviation {
        version: known.version + 1,
        at_ms: clock::now_ms(),
        reason: reason.to_owned(),
        before: canonical::hex(&known.hash),
        after: canonical::hex(&wanted.hash),
        changes,
        answers: answers.unsigned_abs(),
    };
    write_version(session, wanted, deviation.version, Some(&deviation))?;
    Ok(Reconciled::Amended(deviation))
}

fn on_record(session: &Session) -> Result<OnRecord, LedgerError> {
    session.sql("reading the plan", |connection| {
        connection.query_row("SELECT version, hash, questions FROM plan ORDER BY version DESC LIMIT 1", [], |row| {
            Ok(OnRecord { version: row.get(0)?, hash: row.get(1)?, questions: row.get(2)? })
        })
    })
}

fn parse(session: &Session, questions: &str) -> Result<Value, LedgerError> {
    serde_json::from_str(questions).map_err(|error| LedgerError::Corrupt {
        path: session.folder().to_path_buf(),
        detail: format!("the plan on record is no JSON: {error}"),
    })
}

/// Writes a version of the plan and the keys of its trials.
fn write_version(session: &mut Session, wanted: &Wanted, version: u32, deviation: Option<&Deviation>) -> Result<(), LedgerError> {
    let changes = deviation.map(|deviation| changes_json(&deviation.changes));
    session.sql("writing the plan", |connection| {
        connection.execute(
            "INSERT INTO plan (version, hash, at_ms, reason, changes, answers, questions, plan) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                version,
                wanted.hash.as_slice(),
                deviation.map_or_else(clock::now_ms, |deviation| deviation.at_ms),
                deviation.map(|deviation| deviation.reason.as_str()),
                changes,
                deviation.map_or(0, |deviation| deviation.answers as i64),
                wanted.questions,
                wanted.plan,
            ],
        )?;
        let mut insert = connection.prepare("INSERT OR IGNORE INTO trial (key) VALUES (?1)")?;
        for key in &wanted.keys {
            insert.execute([key.as_slice()])?;
        }
        Ok(())
    })
}

/// Changes as JSON; they hold strings and JSON values alone, so that this cannot fail.
fn changes_json(changes: &[Change]) -> String {
    serde_json::to_string(changes).unwrap_or_else(|_| "[]".to_owned())
}
