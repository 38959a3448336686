//! The stage program that this crate's tests re-execute inside the box.

use std::process::ExitCode;

fn main() -> ExitCode {
    turncoat_sandbox::stage::maybe_run().unwrap_or(ExitCode::from(2))
}
