//! What is remembered: the plan, every call and its answer, scan and proof results, scores, in one folder.
//!
//! Invariant: this is the only crate that knows SQL, and nothing counts before it is durable here: a call is written
//! down before it is sent, and its answer before anybody is told of it.
//!
//! - [`Ledger`] is the one writing handle of a folder; it holds the folder's lock.
//! - [`Reader`] reads beside it and never blocks it.

mod ballast;
mod blob;
mod body;
mod clock;
mod diff;
mod error;
mod ledger;
mod lock;
mod money;
mod plan;
mod reader;
mod record;
mod schema;
mod session;
mod writer;

pub use diff::Change;
pub use error::LedgerError;
pub use ledger::Ledger;
pub use lock::Holder;
pub use reader::Reader;
pub use record::{
    AnswerSummary, AttemptId, AttemptRecord, Code, CodeHash, Deviation, Failure, Gap, Imported, LedgerKind, NewAttempt, Note,
    ProofRecord, Reconciled, Remaining, ScanRecord, Score, Settlement, Spend, StoredAnswer, SubjectTotals, TrialRecord,
    UnknownAttempt, Wanted,
};
