//! Answers, in lists and whole.

use rusqlite::{OptionalExtension as _, Row, params};
use turncoat_answer::Answer;
use turncoat_study::TrialKey;

use super::Reader;
use crate::body;
use crate::error::LedgerError;
use crate::money;
use crate::record::{AnswerSummary, AttemptId, StoredAnswer, Wanted};

/// How many answers are read in one go, and how many bytes of packed contents at most. Nothing is held open while they are
/// handed over: whoever takes long over an answer does not keep the writer's log from being folded in.
const PAGE_ROWS: usize = 128;
const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// The columns that [`read_packed`] takes.
const COLUMNS: &str = "t.key, a.id, a.http_status, a.latency_ms, b.hash, b.dictionary, b.length, b.bytes \
                       FROM attempt a JOIN trial t ON t.id = a.trial JOIN body b ON b.id = a.body";

/// An answer as it lies in the database.
struct PackedAnswer {
    trial: TrialKey,
    attempt: i64,
    http_status: Option<u16>,
    latency_ms: u64,
    hash: Vec<u8>,
    dictionary: i64,
    length: i64,
    bytes: Option<Vec<u8>>,
}

fn read_packed(row: &Row<'_>) -> rusqlite::Result<PackedAnswer> {
    Ok(PackedAnswer {
        trial: TrialKey(row.get(0)?),
        attempt: row.get(1)?,
        http_status: row.get(2)?,
        latency_ms: row.get::<_, Option<u64>>(3)?.unwrap_or(0),
        hash: row.get(4)?,
        dictionary: row.get(5)?,
        length: row.get(6)?,
        bytes: row.get(7)?,
    })
}

impl Reader {
    /// The fixed-width part of every answer, in the order their calls were sent.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn summaries(&self, mut each: impl FnMut(AnswerSummary)) -> Result<(), LedgerError> {
        self.sql("reading answers", |connection| {
            let mut query = connection.prepare(
                "SELECT t.key, a.id, a.sent_ms, a.latency_ms, a.cost_nano_usd, a.tokens_in, a.tokens_out, a.cut \
                 FROM attempt a JOIN trial t ON t.id = a.trial WHERE +a.result = 0 ORDER BY a.id",
            )?;
            let mut rows = query.query([])?;
            while let Some(row) = rows.next()? {
                each(AnswerSummary {
                    trial: TrialKey(row.get(0)?),
                    attempt: AttemptId(row.get(1)?),
                    sent_ms: row.get(2)?,
                    latency_ms: row.get::<_, Option<u64>>(3)?.unwrap_or(0),
                    cost_usd: money::to_usd(row.get::<_, Option<i64>>(4)?.unwrap_or(0)),
                    tokens_in: row.get(5)?,
                    tokens_out: row.get(6)?,
                    cut: row.get::<_, Option<bool>>(7)?.unwrap_or(false),
                });
            }
            Ok(())
        })
    }

    /// Hands over answers one by one, whole, in the order their calls were sent, with the memory of a few; stops at the
    /// first error of `each`. Answers that arrive meanwhile may or may not be among them.
    ///
    /// # Errors
    /// Those of `each`, and when the database or a body cannot be read.
    pub fn answers<E: From<LedgerError>>(
        &self,
        wanted: Wanted<'_>,
        mut each: impl FnMut(StoredAnswer) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut after = 0;
        loop {
            let page = self.page(wanted, after)?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.attempt;
            for packed in &page {
                each(self.unpack(packed)?)?;
            }
        }
    }

    fn page(&self, wanted: Wanted<'_>, after: i64) -> Result<Vec<PackedAnswer>, LedgerError> {
        let (filter, extractor) = match wanted {
            Wanted::All => ("?2 IS NULL", None),
            Wanted::WithoutScore(extractor) => (
                "NOT EXISTS (SELECT 1 FROM score s JOIN name n ON n.id = s.extractor WHERE s.trial = a.trial AND n.text = ?2)",
                Some(extractor),
            ),
        };
        self.sql("reading answers", |connection| {
            // The plus keeps the index of answers out of it: their order is that of the table itself.
            let mut query = connection.prepare_cached(&format!(
                "SELECT {COLUMNS} WHERE a.id > ?1 AND +a.result = 0 AND {filter} ORDER BY a.id LIMIT {PAGE_ROWS}"
            ))?;
            let mut rows = query.query(params![after, extractor])?;
            let (mut page, mut bytes) = (Vec::new(), 0);
            while let Some(row) = rows.next()? {
                let packed = read_packed(row)?;
                bytes += packed.bytes.as_ref().map_or(PAGE_BYTES, Vec::len);
                page.push(packed);
                if bytes >= PAGE_BYTES {
                    break;
                }
            }
            Ok(page)
        })
    }

    /// One trial's answer, if there is one.
    ///
    /// # Errors
    /// When the database or the body cannot be read.
    pub fn answer(&self, trial: TrialKey) -> Result<Option<StoredAnswer>, LedgerError> {
        let packed = self.sql("reading an answer", |connection| {
            connection
                .prepare_cached(&format!("SELECT {COLUMNS} WHERE t.key = ?1 AND a.result = 0"))?
                .query_row([trial.0.as_slice()], read_packed)
                .optional()
        })?;
        packed.map(|packed| self.unpack(&packed)).transpose()
    }

    fn unpack(&self, packed: &PackedAnswer) -> Result<StoredAnswer, LedgerError> {
        let joined = body::unpack(&self.folder, &packed.hash, packed.dictionary, packed.length, packed.bytes.as_deref())?;
        let unreadable = |detail: String| self.corrupt(format!("the answer of trial {} cannot be read: {detail}", packed.trial));
        let (request, response, json) =
            body::split_exchange(&joined).ok_or_else(|| unreadable("its lengths do not fit".to_owned()))?;
        let answer: Answer = serde_json::from_slice(json).map_err(|error| unreadable(error.to_string()))?;
        Ok(StoredAnswer {
            trial: packed.trial,
            attempt: AttemptId(packed.attempt),
            http_status: packed.http_status,
            answer: Answer { latency_ms: packed.latency_ms, ..answer },
            request: request.to_vec(),
            response: response.to_vec(),
        })
    }
}
