//! Turncoat's program: commands, terminal output, exit codes. What it does lives in the other crates.

mod analysis;
mod cli;
mod command;
mod exit;
mod failure;
mod files;
mod instant;
mod ledgers;
mod memory;
mod power;
mod scoring;
mod screen;
mod shelf;
mod subjects;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{ExitCode, Termination as _};

use clap::Parser as _;

use crate::cli::Cli;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::screen::Screen;

fn main() -> ExitCode {
    // Re-executed inside a sandbox, this program is the box's own first process and nothing else.
    if let Some(code) = turncoat_sandbox::stage::maybe_run() {
        return code;
    }
    let cli = Cli::parse();
    let screen = Screen::new(cli.color, cli.quiet);
    guarded(|| command::run(cli, &screen)).unwrap_or_else(|failure| screen.fail(&failure)).report()
}

/// Does the work; a panic in it is our own mistake and ends with the code that says so.
fn guarded(work: impl FnOnce() -> Result<Exit, Failure>) -> Result<Exit, Failure> {
    // Nothing of what a panic may leave half-done is looked at again: the program ends.
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(Failure::bug("something went wrong inside; the lines above say where")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_as_our_own_mistake() {
        let failure = guarded(|| panic!("a test")).unwrap_err();
        assert_eq!(failure.exit, Exit::Bug);
        assert!(failure.hints[0].contains("report it"));
        assert_eq!(guarded(|| Ok(Exit::Negative)).unwrap(), Exit::Negative);
    }
}
