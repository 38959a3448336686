//! Remarks, and what tells whether anything changed since one was made.

use rusqlite::OptionalExtension as _;
use turncoat_study::TrialKey;

use super::Reader;
use crate::error::LedgerError;
use crate::record::Note;

impl Reader {
    /// Remarks on a topic, oldest first; every remark without one.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn notes(&self, topic: Option<&str>) -> Result<Vec<Note>, LedgerError> {
        let rows: Vec<(i64, String, String)> = self.sql("reading notes", |connection| {
            let mut query =
                connection.prepare("SELECT at_ms, topic, value FROM note WHERE ?1 IS NULL OR topic = ?1 ORDER BY id")?;
            query.query_map([topic], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect()
        })?;
        rows.into_iter().map(|row| self.note(row)).collect()
    }

    /// The newest remark on a topic.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn newest_note(&self, topic: &str) -> Result<Option<Note>, LedgerError> {
        self.newest_row(topic)?.map(|row| self.note(row)).transpose()
    }

    /// The newest remark on a topic as the JSON text that was written, for what is too large to be read twice.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn newest_note_text(&self, topic: &str) -> Result<Option<String>, LedgerError> {
        Ok(self.newest_row(topic)?.map(|(_, _, text)| text))
    }

    fn newest_row(&self, topic: &str) -> Result<Option<(i64, String, String)>, LedgerError> {
        self.sql("reading a note", |connection| {
            connection
                .query_row("SELECT at_ms, topic, value FROM note WHERE topic = ?1 ORDER BY id DESC LIMIT 1", [topic], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
                })
                .optional()
        })
    }

    fn note(&self, (at_ms, topic, text): (i64, String, String)) -> Result<Note, LedgerError> {
        let value = serde_json::from_str(&text).map_err(|error| self.corrupt(format!("a note is no JSON: {error}")))?;
        Ok(Note { at_ms, topic, value })
    }

    /// A text that changes whenever plan, answers, failures, scores, scans, proofs or imported outcomes do, and with nothing else; cheap
    /// to have. What is derived from a ledger can be kept beside this text and used as long as it stays.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn revision(&self) -> Result<String, LedgerError> {
        self.sql("reading the revision", |connection| {
            connection.query_row(
                "SELECT printf('%d.%d.%d.%d.%d.%d.%d',
                    (SELECT max(version) FROM plan), (SELECT count(*) FROM attempt WHERE result = 0), (SELECT count(*) FROM attempt WHERE result > 0),
                    (SELECT total(at_ms) + count(*) FROM score), (SELECT max(id) FROM scan), (SELECT total(at_ms) + count(*) FROM proof),
                    (SELECT max(id) FROM imported))",
                [],
                |row| row.get(0),
            )
        })
    }

    /// Hands over the model that each answer's server said it served; answers whose server said nothing are left out.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn served_models(&self, mut each: impl FnMut(TrialKey, &str)) -> Result<(), LedgerError> {
        self.sql("reading served models", |connection| {
            let mut query = connection.prepare(
                "SELECT t.key, n.text FROM attempt a JOIN trial t ON t.id = a.trial JOIN name n ON n.id = a.served_model WHERE +a.result = 0 ORDER BY a.id",
            )?;
            let mut rows = query.query([])?;
            while let Some(row) = rows.next()? {
                each(TrialKey(row.get(0)?), row.get_ref(1)?.as_str()?);
            }
            Ok(())
        })
    }
}
