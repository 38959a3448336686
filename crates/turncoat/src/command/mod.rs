//! The commands, a file each.

mod completions;
mod doctor;
mod explain;
mod import;
mod init;
mod mole;
mod plan;
mod report;
mod run;
mod show;
mod suite;

use crate::cli::{Cli, Command};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::screen::Screen;

/// Does what the command line says.
pub(crate) fn run(cli: Cli, screen: &Screen) -> Result<Exit, Failure> {
    match cli.command {
        Command::Init { dir } => init::run(&dir, screen),
        Command::Doctor { study, format } => doctor::run(study.as_deref(), format, screen),
        Command::Plan { study, format } => plan::run(&study, format, screen),
        Command::Run(args) => run::run(&args, screen),
        Command::Prove(args) => run::score_again(&args, run::Station::Prove, screen),
        Command::Analyse(args) => run::score_again(&args, run::Station::Analyse, screen),
        Command::Report { ledgers, format, output, answers } => report::run(&ledgers, format, output.as_deref(), answers, screen),
        Command::Show { ledger, trial, format } => show::run(&ledger, &trial, format, screen),
        Command::Import { file, ledger, baseline, name, question, primary } => {
            let asked = import::Asked { file, ledger, baseline, name, question, primary };
            import::run(&asked, screen)
        }
        Command::Explain { rule } => explain::run(rule.as_deref()),
        Command::Suite { action } => suite::run(action, screen),
        Command::Mole { config, listen } => mole::run(&config, listen, screen),
        Command::Completions { shell } => completions::completions(shell),
        Command::Man { dir } => completions::man(&dir, screen),
    }
}
