//! What can go wrong with a ledger, each with what to do about it.

use std::path::{Path, PathBuf};

use crate::diff::Change;
use crate::lock::Holder;

/// Why a ledger cannot be opened, read or written.
///
/// It is `Clone`, since many callers share one commit and so its failure.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum LedgerError {
    /// No space is left.
    #[error("the disk that holds the ledger {} is full ({detail}); what was answered before is kept", path.display())]
    Full {
        /// The ledger's folder.
        path: PathBuf,
        /// The system's words.
        detail: String,
    },
    /// The folder cannot be made or written.
    #[error("the ledger {} cannot be written: {detail}", path.display())]
    Unwritable {
        /// The folder.
        path: PathBuf,
        /// The system's words.
        detail: String,
    },
    /// There is no ledger.
    #[error("there is no ledger at {}", path.display())]
    Missing {
        /// The folder asked for.
        path: PathBuf,
    },
    /// A ledger is there already.
    #[error("there is a ledger at {} already", path.display())]
    Exists {
        /// The folder.
        path: PathBuf,
    },
    /// The file is something else.
    #[error("{} is not a ledger: {detail}", path.display())]
    NotALedger {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        detail: String,
    },
    /// The ledger belongs to another study.
    #[error("the ledger {} belongs to the study `{found}` (plan {found_hash}), not to `{wanted}`", path.display())]
    Foreign {
        /// The folder.
        path: PathBuf,
        /// The study on record.
        found: String,
        /// Start of its plan hash.
        found_hash: String,
        /// The study that is to run.
        wanted: String,
    },
    /// The study is not the one that was pre-registered.
    #[error("the study changed since the ledger {} was begun:\n{}", path.display(), crate::diff::list(changes))]
    Changed {
        /// The folder.
        path: PathBuf,
        /// What changed.
        changes: Vec<Change>,
    },
    /// The ledger was written by a newer program.
    #[error("the ledger {} has schema {found}; this program knows up to {known}", path.display())]
    Newer {
        /// The folder.
        path: PathBuf,
        /// The schema on disk.
        found: u32,
        /// The newest schema known here.
        known: u32,
    },
    /// Another program writes to it.
    #[error("the ledger {} is in use by {holder}", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
        /// Who holds it.
        holder: Holder,
    },
    /// The database or a blob is damaged.
    #[error("the ledger {} is damaged: {detail}", path.display())]
    Corrupt {
        /// The folder.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// No trial has that key.
    #[error("no trial of the ledger {} has a key that begins with `{prefix}`", path.display())]
    NoSuchTrial {
        /// The folder.
        path: PathBuf,
        /// What was asked for.
        prefix: String,
    },
    /// Several trials have that key.
    #[error("{count} trials of the ledger have keys that begin with `{prefix}`")]
    Ambiguous {
        /// What was asked for.
        prefix: String,
        /// How many match.
        count: usize,
    },
    /// An operation that this kind of ledger does not have.
    #[error("the ledger {} holds {kind}: {detail}", path.display())]
    WrongKind {
        /// The folder.
        path: PathBuf,
        /// What it holds.
        kind: &'static str,
        /// What was asked of it.
        detail: String,
    },
    /// Anything else that the database or the system said.
    #[error("the ledger {}: {what}: {detail}", path.display())]
    Store {
        /// The folder.
        path: PathBuf,
        /// What was being done.
        what: &'static str,
        /// The words of the database or the system.
        detail: String,
    },
}

impl LedgerError {
    /// What to do about it, one sentence.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            LedgerError::Full { .. } => "free some space and run the same command again: only what is missing will be asked",
            LedgerError::Unwritable { .. } => "name a folder that you may write to with `--ledger DIR`",
            LedgerError::Missing { .. } => "`turncoat run STUDY` makes one; check the path",
            LedgerError::Exists { .. } => "name another folder, or remove this one if nothing in it is needed",
            LedgerError::NotALedger { .. } => "name the folder that `turncoat run` made, or another one with `--ledger DIR`",
            LedgerError::Foreign { .. } => "name another folder with `--ledger DIR`; a ledger holds one study",
            LedgerError::Changed { .. } => {
                "undo the change, record it with `--amend \"reason\"` (answers on record are kept), or begin anew with `--ledger DIR`"
            }
            LedgerError::Newer { .. } => "use the program's newer version; an older one would damage the ledger",
            LedgerError::InUse { .. } => "wait until it is done, or stop it; its answers are kept",
            LedgerError::Corrupt { .. } => {
                "copy the folder away and restore it from a backup; `ledger.db.backup-*` files stand beside it"
            }
            LedgerError::NoSuchTrial { .. } => "the report and `--format csv` list the keys",
            LedgerError::Ambiguous { .. } => "give more digits of the key",
            LedgerError::WrongKind { .. } => "name a ledger of the other kind",
            LedgerError::Store { .. } => return None,
        })
    }

    /// Whether the machine, not the input, is at fault: the disk is full or may not be written.
    #[must_use]
    pub fn is_disk(&self) -> bool {
        matches!(self, LedgerError::Full { .. } | LedgerError::Unwritable { .. })
    }

    /// The meaning of what SQLite said.
    pub(crate) fn from_sql(folder: &Path, what: &'static str, error: &rusqlite::Error) -> LedgerError {
        use rusqlite::ErrorCode;
        let path = folder.to_path_buf();
        let detail = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => LedgerError::Full { path, detail },
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                LedgerError::Unwritable { path, detail }
            }
            Some(ErrorCode::DatabaseCorrupt) => LedgerError::Corrupt { path, detail },
            Some(ErrorCode::NotADatabase) => LedgerError::NotALedger { path, detail },
            // A failed write of the system: out of space comes as this too, when a file's size limit is met.
            Some(ErrorCode::SystemIoFailure) if is_write_failure(error) => LedgerError::Full { path, detail },
            _ => LedgerError::Store { path, what, detail },
        }
    }

    /// A folder or file that cannot be made or opened for writing, whatever the system's reason; only a full disk is told apart.
    pub(crate) fn unwritable(folder: &Path, error: &std::io::Error) -> LedgerError {
        match LedgerError::from_io(folder, "opening", error) {
            full @ LedgerError::Full { .. } => full,
            _ => LedgerError::Unwritable { path: folder.to_path_buf(), detail: error.to_string() },
        }
    }

    /// The meaning of what the system said.
    pub(crate) fn from_io(folder: &Path, what: &'static str, error: &std::io::Error) -> LedgerError {
        use std::io::ErrorKind;
        let path = folder.to_path_buf();
        let detail = error.to_string();
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => LedgerError::Full { path, detail },
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem | ErrorKind::NotADirectory => {
                LedgerError::Unwritable { path, detail }
            }
            _ => LedgerError::Store { path, what, detail },
        }
    }
}

/// Whether an I/O failure of SQLite was one of writing or extending a file.
fn is_write_failure(error: &rusqlite::Error) -> bool {
    use rusqlite::ffi;
    matches!(error, rusqlite::Error::SqliteFailure(inner, _) if matches!(
        inner.extended_code,
        ffi::SQLITE_IOERR_WRITE | ffi::SQLITE_IOERR_TRUNCATE | ffi::SQLITE_IOERR_SHMSIZE
    ))
}
