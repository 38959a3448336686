//! Ledgers as the commands open them, and their errors as people read them.

use std::path::Path;

use turncoat_ledger::{Ledger, LedgerError, Reader};

use crate::exit::Exit;
use crate::failure::Failure;

/// Opens a ledger for writing.
pub(crate) fn open(folder: &Path, program: &str) -> Result<Ledger, Failure> {
    Ledger::open(folder, program).map_err(|error| failure(&error))
}

/// Opens a ledger for reading.
pub(crate) fn read(folder: &Path) -> Result<Reader, Failure> {
    Reader::open(folder).map_err(|error| failure(&error))
}

/// A ledger's error before anything was started.
pub(crate) fn failure(error: &LedgerError) -> Failure {
    let mut failure = if error.is_disk() { Failure::lacking(error.to_string()) } else { Failure::bad_input(error.to_string()) };
    if let Some(hint) = error.hint() {
        failure = failure.hint(hint);
    }
    failure
}

/// A ledger's error after the run had begun: what was answered is kept and the run can go on.
pub(crate) fn failure_midway(error: &LedgerError) -> Failure {
    Failure { exit: Exit::Incomplete, ..failure(error) }
}
