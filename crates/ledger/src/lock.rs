//! The lock of a ledger's folder: one writer at a time, named; a dead holder's lock is free, since the kernel drops it.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

use rustix::fs::FlockOperation;
use serde::{Deserialize, Serialize};

use crate::error::LedgerError;

/// Name of the lock file in a ledger's folder.
const FILE: &str = "lock";

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

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pid == 0 {
            return f.write_str("another process");
        }
        write!(f, "`{}` (process {} on {}, since {})", self.program, self.pid, self.host, self.since_ms)
    }
}
