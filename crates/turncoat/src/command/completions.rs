//! `completions` and `man`: made from the command line's own description.

use std::fs;
use std::io;
use std::path::Path;

use clap::CommandFactory as _;

use crate::cli::Cli;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::screen::Screen;

/// Prints a completion script.
pub(super) fn completions(shell: clap_complete::Shell) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "turncoat", &mut script);
    io::Write::write_all(&mut io::stdout().lock(), &script)?;
    Ok(Exit::Done)
}

/// Writes the man pages, one a command.
pub(super) fn man(dir: &Path, screen: &Screen) -> Result<Exit, Failure> {
    fs::create_dir_all(dir).map_err(|error| Failure::file("written", dir, &error))?;
    clap_mangen::generate_to(Cli::command(), dir).map_err(|error| Failure::file("written", dir, &error))?;
    screen.say(&format!("man pages written into {}", dir.display()));
    Ok(Exit::Done)
}
