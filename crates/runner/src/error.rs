//! Why a run cannot start. What happens to a run that has started is in its summary.

use turncoat_ledger::LedgerError;

/// Why nothing was started.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RunError {
    /// `--only` names no subject of the study.
    #[error("the study has no subject `{wanted}`; its subjects are {}", known.join(", "))]
    UnknownSubject {
        /// The name asked for.
        wanted: String,
        /// The study's subjects.
        known: Vec<String>,
    },
    /// A subject was not opened before the run.
    #[error("the subject `{0}` was not opened")]
    NotOpened(String),
    /// A budget in USD needs a price for each subject that is not free.
    #[error(
        "the study has a budget, but the subject `{0}` has no price; give it `price = {{ input = ..., output = ... }}` in USD per million tokens, or take the budget out"
    )]
    NoPrice(String),
    /// The ledger cannot be read or written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}
