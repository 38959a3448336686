//! Space kept aside, so that answers in flight can still be written when the disk runs full.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use rustix::fs::FallocateFlags;

use crate::error::LedgerError;

/// Name of the file in a ledger's folder.
const FILE: &str = "ballast";

/// Its size: room for a few hundred answers in the write-ahead log.
const BYTES: u64 = 8 * 1024 * 1024;

/// A file that takes up space until it is released or dropped.
#[derive(Debug)]
pub(crate) struct Ballast {
    path: PathBuf,
}

impl Ballast {
    /// Takes the space; a full disk is told before anything is asked.
    pub(crate) fn take(folder: &Path) -> Result<Ballast, LedgerError> {
        let ballast = Ballast { path: folder.join(FILE) };
        let file = File::create(&ballast.path).map_err(|error| LedgerError::from_io(folder, "keeping space aside", &error))?;
        match rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, BYTES) {
            Ok(()) => Ok(ballast),
            Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => {
                fill(&file).map(|()| ballast).map_err(|error| LedgerError::from_io(folder, "keeping space aside", &error))
            }
            Err(errno) => Err(LedgerError::from_io(folder, "keeping space aside", &errno.into())),
        }
    }

    /// Gives the space back.
    pub(crate) fn release(&self) {
        // Gone already is as good.
        let _gone = fs::remove_file(&self.path);
    }
}

impl Drop for Ballast {
    fn drop(&mut self) {
        self.release();
    }
}

/// Takes the space by writing, where the file system cannot reserve it.
fn fill(mut file: &File) -> std::io::Result<()> {
    let zeros = vec![0; 64 * 1024];
    for _ in 0..BYTES / zeros.len() as u64 {
        file.write_all(&zeros)?;
    }
    file.sync_all()
}
