//! Everything about one trial.

use rusqlite::{OptionalExtension as _, Row};
use turncoat_answer::ErrorKind;
use turncoat_study::TrialKey;

use super::Reader;
use crate::body;
use crate::error::LedgerError;
use crate::money;
use crate::record::{AttemptId, AttemptRecord, Failure, TrialRecord};

impl Reader {
    /// Everything about the trial whose key begins with `prefix` (hexadecimal).
    ///
    /// # Errors
    /// [`LedgerError::NoSuchTrial`] and [`LedgerError::Ambiguous`].
    pub fn trial(&self, prefix: &str) -> Result<TrialRecord, LedgerError> {
        let key = self.find(prefix)?;
        let subject = self.sql("reading a trial", |connection| {
            connection
                .query_row(
                    "SELECT n.text FROM attempt a JOIN name n ON n.id = a.subject WHERE a.trial = (SELECT id FROM trial WHERE key = ?1) LIMIT 1",
                    [key.0.as_slice()],
                    |row| row.get(0),
                )
                .optional()
        })?;
        let score = self.score(key)?;
        let code = score.as_ref().and_then(|score| score.code);
        Ok(TrialRecord {
            trial: key,
            subject,
            attempts: self.attempts(key)?,
            answer: self.answer(key)?,
            code: code.map(|code| self.code(code)).transpose()?.flatten(),
            scans: code.map(|code| self.scans_of(code)).transpose()?.unwrap_or_default(),
            proofs: code.map(|code| self.proofs_of(code)).transpose()?.unwrap_or_default(),
            score,
        })
    }

    /// The one key that begins with these hexadecimal digits.
    fn find(&self, prefix: &str) -> Result<TrialKey, LedgerError> {
        let digits = prefix.trim().to_ascii_lowercase();
        let missing = || LedgerError::NoSuchTrial { path: self.folder.clone(), prefix: prefix.to_owned() };
        let (Some(low), Some(high)) = (bound(&digits, '0'), bound(&digits, 'f')) else { return Err(missing()) };
        let keys: Vec<[u8; 32]> = self.sql("finding a trial", |connection| {
            let mut query = connection.prepare("SELECT key FROM trial WHERE key BETWEEN ?1 AND ?2")?;
            query.query_map([low.as_slice(), high.as_slice()], |row| row.get(0))?.collect()
        })?;
        match keys.as_slice() {
            [key] => Ok(TrialKey(*key)),
            [] => Err(missing()),
            several => Err(LedgerError::Ambiguous { prefix: digits, count: several.len() }),
        }
    }

    fn attempts(&self, key: TrialKey) -> Result<Vec<AttemptRecord>, LedgerError> {
        type Packed = (AttemptRecord, Option<(Vec<u8>, i64, i64, Option<Vec<u8>>)>);
        let rows: Vec<Packed> = self.sql("reading attempts", |connection| {
            let mut query = connection.prepare(
                "SELECT a.id, a.sent_ms, a.ended_ms, a.result, a.message, a.http_status, coalesce(a.cost_nano_usd, a.reserved_nano_usd), \
                 b.hash, b.dictionary, b.length, b.bytes FROM attempt a LEFT JOIN body b ON b.id = a.body \
                 WHERE a.trial = (SELECT id FROM trial WHERE key = ?1) ORDER BY a.id",
            )?;
            let read = |row: &Row<'_>| {
                let result: Option<i64> = row.get(3)?;
                let message: Option<String> = row.get(4)?;
                let failure = match result {
                    Some(0) => None,
                    Some(number) => Some(Failure {
                        kind: money::kind_of(number),
                        message: message.unwrap_or_else(|| "the program died while the call was in flight".to_owned()),
                    }),
                    None => Some(Failure { kind: ErrorKind::Unknown, message: "the call is in flight".to_owned() }),
                };
                let record = AttemptRecord {
                    attempt: AttemptId(row.get(0)?),
                    sent_ms: row.get(1)?,
                    ended_ms: row.get(2)?,
                    failure,
                    http_status: row.get(5)?,
                    cost_usd: money::to_usd(row.get(6)?),
                    request: Vec::new(),
                    response: Vec::new(),
                };
                let hash: Option<Vec<u8>> = row.get(7)?;
                let body = match hash {
                    Some(hash) => Some((hash, row.get(8)?, row.get(9)?, row.get(10)?)),
                    None => None,
                };
                Ok((record, body))
            };
            query.query_map([key.0.as_slice()], read)?.collect()
        })?;
        rows.into_iter()
            .map(|(record, body)| {
                let Some((hash, dictionary, length, bytes)) = body else { return Ok(record) };
                let joined = body::unpack(&self.folder, &hash, dictionary, length, bytes.as_deref())?;
                let (request, response, _) =
                    body::split_exchange(&joined).ok_or_else(|| self.corrupt("an exchange's lengths do not fit"))?;
                Ok(AttemptRecord { request: request.to_vec(), response: response.to_vec(), ..record })
            })
            .collect()
    }
}

/// The 32 bytes of a key's first digits, the rest filled up with one digit; `None` if they are no such digits.
fn bound(digits: &str, fill: char) -> Option<[u8; 32]> {
    if digits.is_empty() || digits.len() > 64 || !digits.chars().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let filled: String = digits.chars().chain(std::iter::repeat(fill)).take(64).collect();
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(filled.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}
