//! How the program ends: one documented enum of exit codes.

use std::process::{ExitCode, Termination};

/// The exit codes, as the documentation lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0: done.
    Done = 0,
    /// 1: done, and the answer is negative: `--fail-on` matched, `suite check` failed.
    Negative = 1,
    /// 2: bad input, a missing key, or a ledger in use: nothing was started.
    BadInput = 2,
    /// 3: stopped early and resumable: budget, provider down, interrupt, or cells without an answer.
    Incomplete = 3,
    /// 4: the machine lacks something the command cannot do without.
    Lacking = 4,
    /// 70: our own bug.
    Bug = 70,
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(self as u8)
    }
}
