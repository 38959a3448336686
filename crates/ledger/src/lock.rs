//! The lock of a ledger's folder: one writer at a time, named. A dead holder's lock is free, since the kernel drops it.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;
use std::time::Duration;

use rustix::fs::FlockOperation;
use serde::{Deserialize, Serialize};

use crate::clock;
use crate::error::LedgerError;

/// Name of the lock file in a ledger's folder.
const FILE: &str = "lock";

/// A reader looks at the lock for an instant ([`is_held`]); an opening writer waits that long, five times, before it gives up.
const GLANCE: Duration = Duration::from_millis(10);

/// Who writes to a ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Process id.
    pub pid: u32,
    /// Name of the machine.
    pub host: String,
    /// The program, such as `turncoat run`.
    pub program: String,
    /// Since when, in milliseconds since the Unix epoch.
    pub since_ms: i64,
}

impl Holder {
    /// This process.
    pub(crate) fn this(program: &str) -> Holder {
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        Holder { pid: std::process::id(), host, program: program.to_owned(), since_ms: clock::now_ms() }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pid == 0 {
            return f.write_str("another process");
        }
        write!(f, "`{}` (process {} on {}, since {})", self.program, self.pid, self.host, clock::utc(self.since_ms))
    }
}

/// The lock, held until it is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

/// Takes the lock of `folder` and writes the holder's name into it.
///
/// # Errors
/// [`LedgerError::InUse`] with the holder's name; otherwise what the system said.
pub(crate) fn take(folder: &Path, holder: &Holder) -> Result<Lock, LedgerError> {
    let wrong = |error: &std::io::Error| LedgerError::from_io(folder, "taking the lock", error);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(folder.join(FILE))
        .map_err(|error| LedgerError::unwritable(folder, &error))?;
    let mut tries = 5;
    while let Err(errno) = rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        if errno != rustix::io::Errno::WOULDBLOCK {
            return Err(wrong(&errno.into()));
        }
        tries -= 1;
        if tries == 0 {
            return Err(LedgerError::InUse { path: folder.to_path_buf(), holder: read(&mut file) });
        }
        std::thread::sleep(GLANCE);
    }
    let text = serde_json::to_vec(holder).unwrap_or_default();
    let written = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(&text));
    written.map_err(|error| wrong(&error))?;
    Ok(Lock { _file: file })
}

/// Whether anybody holds the lock now.
pub(crate) fn is_held(folder: &Path) -> bool {
    let Ok(file) = File::open(folder.join(FILE)) else { return false };
    rustix::fs::flock(&file, FlockOperation::NonBlockingLockShared) == Err(rustix::io::Errno::WOULDBLOCK)
}

/// The holder's name as it stands in the file; a lock just taken may hold none yet.
fn read(file: &mut File) -> Holder {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.read_to_string(&mut text));
    read.ok().and_then(|_| serde_json::from_str(&text).ok()).unwrap_or_else(|| Holder {
        pid: 0,
        host: String::new(),
        program: String::new(),
        since_ms: 0,
    })
}
