//! One call and what came of it: the words between a subject and whoever asks it.

use std::time::Duration;

use futures_util::future::BoxFuture;
use turncoat_answer::{Answer, ErrorKind};
use turncoat_study::Prompt;

/// A way to reach one model: one request, one faithful result.
///
/// An implementation never retries, waits or decides. Dropping the future gives the call up.
pub trait Subject: Send + Sync {
    /// Asks once. The future needs a Tokio runtime with time and I/O enabled.
    fn ask<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Exchange>;
}

/// What decides one request beside the subject itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The messages.
    pub prompt: Prompt,
    /// The seed that is sent where the dialect has one.
    pub seed: u32,
    /// Longest time from the start of the call to its last byte.
    pub timeout: Duration,
}

/// What went out and what came back.
#[derive(Debug, Clone, PartialEq)]
pub struct Exchange {
    /// The exact request body; a key is never part of it.
    pub request: Vec<u8>,
    /// The exact bytes of the response body as far as they came, also those of an error.
    pub response: Vec<u8>,
    /// The HTTP status; `None` where none came or none is spoken.
    pub status: Option<u16>,
    /// The answer, or why there is none.
    pub result: Result<Answer, CallFailure>,
    /// What the server tells about its limits.
    pub hints: RateHints,
}

/// Why a call brought no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CallFailure {
    /// The kind, by which a caller decides what to do.
    pub kind: ErrorKind,
    /// What happened, for people; a key is never part of it.
    pub message: String,
    /// How long the server asks to wait before the next attempt.
    pub retry_after: Option<Duration>,
}

impl CallFailure {
    /// A failure without a wish of the server.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> CallFailure {
        CallFailure { kind, message: message.into(), retry_after: None }
    }
}

/// What a server tells about its limits beside an answer or an error.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RateHints {
    /// Of requests.
    pub requests: Allowance,
    /// Of tokens.
    pub tokens: Allowance,
}

/// One limit of a server in its current window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Allowance {
    /// How many the window allows.
    pub limit: Option<u64>,
    /// How many are left in it.
    pub remaining: Option<u64>,
    /// How long until it starts anew.
    pub reset: Option<Duration>,
}
