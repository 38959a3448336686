//! The project's own commands: `cargo xtask demo`, `test`, `setup`, `bench`, `docs`, `example`.
#![expect(
    clippy::disallowed_methods,
    reason = "this program drives cargo and the distribution's package manager, never foreign code"
)]
#![expect(clippy::print_stderr, clippy::print_stdout, reason = "a developer's tool that talks to its terminal")]

mod bench;
mod demo;
mod docs;
mod example;
mod machine;
mod run;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The project's own commands.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Install what is missing, build, and make one page: the published study under test, published verdicts, a real model.
    Demo {
        /// Where everything is put.
        #[arg(long, default_value = "target/demo")]
        out: std::path::PathBuf,
        /// Leave the local model out.
        #[arg(long)]
        no_local: bool,
    },
    /// Install what is missing and run every test.
    Test {
        /// Only check what tests need; install nothing.
        #[arg(long)]
        no_setup: bool,
        /// Passed on to `cargo test`.
        #[arg(last = true)]
        rest: Vec<String>,
    },
    /// Say what is missing on this machine, and install it where that is allowed.
    Setup,
    /// Measure speed and size, each as a ratio within one run.
    Bench {
        /// Only this measurement: rate, latency, memory, report, start, size; or build, a cold release build, which is made only when named.
        only: Option<String>,
    },
    /// Serve the fixed endpoint that `bench` measures against.
    #[command(hide = true)]
    BenchEndpoint {
        /// Milliseconds that each answer takes.
        latency_ms: u64,
    },
    /// Make the pages that come from the code; with --check, fail if they differ.
    Docs {
        /// Compare instead of writing, and check links and the example as well.
        #[arg(long)]
        check: bool,
        /// The program to ask; the debug build without it.
        #[arg(long)]
        program: Option<std::path::PathBuf>,
    },
    /// Make the example in docs/example anew: run its study, write page, numbers and picture.
    Example {
        /// The program to run; the debug build without it.
        #[arg(long)]
        program: Option<std::path::PathBuf>,
    },
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Demo { out, no_local } => demo::run_demo(&out, no_local),
        Command::Test { no_setup, rest } => test::run_tests(no_setup, &rest),
        Command::Setup => machine::prepare(machine::Purpose::Test),
        Command::Bench { only } => bench::run_bench(only.as_deref()),
        Command::BenchEndpoint { latency_ms } => bench::serve(latency_ms),
        Command::Docs { check, program } => docs::run(check, program.as_deref()),
        Command::Example { program } => example::make(program.as_deref()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}
