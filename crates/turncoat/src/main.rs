//! Turncoat's program: commands, terminal output, exit codes. What it does lives in the other crates.

mod analysis;
mod cli;
mod command;
mod exit;
mod failure;
mod files;
mod instant;
mod ledgers;
mod power;
mod scoring;
mod screen;
mod shelf;
mod subjects;

use std::process::{ExitCode, Termination as _};

use clap::Parser as _;

use crate::cli::Cli;
use crate::screen::Screen;

fn main() -> ExitCode {
    // Re-executed inside a sandbox, this program is the box's own first process and nothing else.
    if let Some(code) = turncoat_sandbox::stage::maybe_run() {
        return code;
    }
    let cli = Cli::parse();
    let screen = Screen::new(cli.color, cli.quiet);
    command::run(cli, &screen).unwrap_or_else(|failure| screen.fail(&failure)).report()
}
