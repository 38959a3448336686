//! What the writing thread does inside a transaction.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::body::Packed;
use crate::clock;
use crate::error::LedgerError;
use crate::lock::Holder;
use crate::money;

/// A call that begins.
#[derive(Debug, Clone)]
pub(crate) struct Begin {
    pub(crate) trial: [u8; 32],
    pub(crate) subject: Arc<str>,
    pub(crate) reserved_nano_usd: i64,
}

/// A call that ended, its body packed.
#[derive(Debug, Clone)]
pub(crate) struct Finish {
    pub(crate) attempt: i64,
    /// 0 for an answer, else the kind of error.
    pub(crate) result: i64,
    pub(crate) message: Option<String>,
    pub(crate) http_status: Option<u16>,
    pub(crate) cost_nano_usd: i64,
    pub(crate) latency_ms: i64,
    pub(crate) tokens_in: Option<i64>,
    pub(crate) tokens_out: Option<i64>,
    pub(crate) cut: bool,
    pub(crate) served_model: Option<String>,
    pub(crate) fingerprint: Option<String>,
    pub(crate) body: Option<Packed>,
}

/// The writing connection and what it remembers between transactions.
pub(crate) struct Session {
    folder: PathBuf,
    connection: Connection,
    run: i64,
    /// Numbers of names on record; emptied when a transaction is lost, since some may have gone with it.
    names: HashMap<String, i64>,
}

impl Session {
    /// Opens a run: calls that an earlier run left without an end become unknown.
    pub(crate) fn begin(folder: &Path, connection: Connection, holder: &Holder) -> Result<Session, LedgerError> {
        let mut session = Session { folder: folder.to_path_buf(), connection, run: 0, names: HashMap::new() };
        session.open_transaction()?;
        session.run = session.sql("opening a run", |connection| {
            connection.execute("UPDATE attempt SET result = ?1 WHERE result IS NULL", [money::UNKNOWN])?;
            connection.execute(
                "INSERT INTO run (pid, host, program, opened_ms) VALUES (?1, ?2, ?3, ?4)",
                params![holder.pid, holder.host, holder.program, holder.since_ms],
            )?;
            Ok(connection.last_insert_rowid())
        })?;
        session.commit()?;
        Ok(session)
    }

    /// Closes the run and folds the log into the database.
    pub(crate) fn end(&mut self) {
        // A run that cannot be closed is one that ended badly, which is what its row then says.
        let _ends_badly =
            self.connection.execute("UPDATE run SET closed_ms = ?1 WHERE id = ?2", params![clock::now_ms(), self.run]);
    }

    /// Runs SQL and gives its failure a meaning.
    pub(crate) fn sql<T>(
        &self,
        what: &'static str,
        run: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, LedgerError> {
        run(&self.connection).map_err(|error| LedgerError::from_sql(&self.folder, what, &error))
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The number of this run.
    pub(crate) fn run(&self) -> i64 {
        self.run
    }

    pub(crate) fn open_transaction(&self) -> Result<(), LedgerError> {
        self.sql("beginning a transaction", |connection| connection.prepare_cached("BEGIN IMMEDIATE")?.execute([]).map(|_| ()))
    }

    pub(crate) fn commit(&self) -> Result<(), LedgerError> {
        self.sql("committing", |connection| connection.prepare_cached("COMMIT")?.execute([]).map(|_| ()))
    }

    pub(crate) fn roll_back(&mut self) {
        self.names.clear();
        if !self.connection.is_autocommit() {
            // If even this fails, closing the connection does it.
            let _closing = self.connection.execute_batch("ROLLBACK");
        }
    }

    /// Whether SQLite itself has rolled the transaction back.
    pub(crate) fn lost_transaction(&self) -> bool {
        self.connection.is_autocommit()
    }

    pub(crate) fn lost_error(&self) -> LedgerError {
        LedgerError::Store { path: self.folder.clone(), what: "writing", detail: "the transaction was rolled back".to_owned() }
    }

    /// Does some work so that nothing of it stays if it fails, while the rest of the transaction does.
    pub(crate) fn apart(
        &mut self,
        work: &mut (dyn FnMut(&mut Session) -> Result<(), LedgerError> + Send),
    ) -> Result<(), LedgerError> {
        self.sql("beginning a part", |connection| connection.execute_batch("SAVEPOINT part"))?;
        let done = work(self);
        if done.is_err() && !self.lost_transaction() {
            self.names.clear();
            self.sql("undoing a part", |connection| connection.execute_batch("ROLLBACK TO part"))?;
        }
        if !self.lost_transaction() {
            self.sql("ending a part", |connection| connection.execute_batch("RELEASE part"))?;
        }
        done
    }

    /// The number of a name, which is put on record if it is new.
    pub(crate) fn name(&mut self, text: &str) -> Result<i64, LedgerError> {
        if let Some(number) = self.names.get(text) {
            return Ok(*number);
        }
        let number = self.sql("writing a name", |connection| {
            connection.prepare_cached("INSERT OR IGNORE INTO name (text) VALUES (?1)")?.execute([text])?;
            connection.prepare_cached("SELECT id FROM name WHERE text = ?1")?.query_row([text], |row| row.get(0))
        })?;
        // A server that makes up a new model id for each answer must not fill the memory.
        if self.names.len() >= 4096 {
            self.names.clear();
        }
        self.names.insert(text.to_owned(), number);
        Ok(number)
    }

    /// The number of a trial, which is put on record if it is new.
    pub(crate) fn trial(&self, key: &[u8; 32]) -> Result<i64, LedgerError> {
        self.sql("finding a trial", |connection| {
            let known = connection
                .prepare_cached("SELECT id FROM trial WHERE key = ?1")?
                .query_row([key.as_slice()], |row| row.get(0))
                .optional()?;
            match known {
                Some(number) => Ok(number),
                None => {
                    connection.prepare_cached("INSERT INTO trial (key) VALUES (?1)")?.execute([key.as_slice()])?;
                    Ok(connection.last_insert_rowid())
                }
            }
        })
    }

    /// The number of a content, which is put on record if it is new.
    pub(crate) fn body(&self, packed: &Packed) -> Result<i64, LedgerError> {
        self.sql("writing a content", |connection| {
            let inserted = connection
                .prepare_cached("INSERT OR IGNORE INTO body (hash, dictionary, length, bytes) VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![packed.hash.as_slice(), packed.dictionary, packed.length, packed.bytes])?;
            if inserted == 1 {
                return Ok(connection.last_insert_rowid());
            }
            connection
                .prepare_cached("SELECT id FROM body WHERE hash = ?1")?
                .query_row([packed.hash.as_slice()], |row| row.get(0))
        })
    }

    /// Puts a call on record before it is sent.
    pub(crate) fn begin_attempt(&mut self, begin: &Begin) -> Result<i64, LedgerError> {
        let (trial, subject) = (self.trial(&begin.trial)?, self.name(&begin.subject)?);
        self.sql("writing an attempt", |connection| {
            connection
                .prepare_cached(
                    "INSERT INTO attempt (trial, subject, run, sent_ms, reserved_nano_usd) VALUES (?1, ?2, ?3, ?4, ?5)",
                )?
                .execute(params![trial, subject, self.run, clock::now_ms(), begin.reserved_nano_usd])?;
            Ok(connection.last_insert_rowid())
        })
    }

    /// Puts the end of a call on record, its content with it.
    pub(crate) fn finish_attempt(&mut self, finish: &Finish) -> Result<i64, LedgerError> {
        let served_model = finish.served_model.as_deref().map(|name| self.name(name)).transpose()?;
        let fingerprint = finish.fingerprint.as_deref().map(|name| self.name(name)).transpose()?;
        let body = finish.body.as_ref().map(|packed| self.body(packed)).transpose()?;
        let changed = self.sql("writing the end of an attempt", |connection| {
            connection
                .prepare_cached(
                    "UPDATE attempt SET result = ?2, ended_ms = ?3, http_status = ?4, cost_nano_usd = ?5, latency_ms = ?6, tokens_in = ?7, \
                     tokens_out = ?8, cut = ?9, served_model = ?10, fingerprint = ?11, body = ?12, message = ?13 \
                     WHERE id = ?1 AND result IS NULL",
                )?
                .execute(params![
                    finish.attempt,
                    finish.result,
                    clock::now_ms(),
                    finish.http_status,
                    finish.cost_nano_usd,
                    finish.latency_ms,
                    finish.tokens_in,
                    finish.tokens_out,
                    finish.cut,
                    served_model,
                    fingerprint,
                    body,
                    finish.message,
                ])
        })?;
        if changed == 1 {
            Ok(finish.attempt)
        } else {
            Err(LedgerError::Store {
                path: self.folder.clone(),
                what: "writing the end of an attempt",
                detail: format!("attempt {} is not in flight", finish.attempt),
            })
        }
    }
}
