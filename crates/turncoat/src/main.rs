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

use clap::Parser as _;

use crate::cli::Cli;
use crate::exit::Exit;
use crate::screen::Screen;

fn main() -> Exit {
    // Re-executed inside a sandbox, this program is the box's own first process and nothing else.
    turncoat_sandbox::stage::maybe_run();
    let cli = Cli::parse();
    let screen = Screen::new(cli.color, cli.quiet);
    command::run(cli, &screen).unwrap_or_else(|failure| screen.fail(&failure))
}
