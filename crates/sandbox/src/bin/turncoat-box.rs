//! The stage program alone, for tests and for machines where the whole binary is not wanted inside the box.

use std::process::ExitCode;

fn main() -> ExitCode {
    turncoat_sandbox::stage::maybe_run().unwrap_or(ExitCode::from(2))
}
