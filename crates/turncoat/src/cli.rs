//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::screen::ColourChoice;

/// Does an AI coding model write worse code, or refuse, depending on whom it thinks it works for?
#[derive(Debug, Parser)]
#[command(name = "turncoat", version, about, after_help = EXIT_CODES, infer_subcommands = false, propagate_version = true)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
    /// When to colour the output.
    #[arg(long, global = true, value_enum, default_value = "auto")]
    pub(crate) color: ColourChoice,
    /// Say nothing on standard error but warnings and errors.
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
}

/// The exit codes, shown below the help.
const EXIT_CODES: &str = "Exit codes: 0 done; 1 done, and the answer is negative; 2 bad input, a missing key or a ledger in use; \
3 stopped early and resumable; 4 the machine lacks something; 70 our own bug.";

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write a commented study to start from.
    Init {
        /// The folder to write it into.
        #[arg(default_value = ".")]
        dir: PathBuf,
    },
    /// Show what this machine can do: sandbox tier, interpreters, local model, keys; and what to install.
    Doctor {
        /// A study whose keys and files are checked too.
        study: Option<PathBuf>,
        /// Output format.
        #[arg(long, value_enum, default_value = "terminal")]
        format: PlainFormat,
    },
    /// Show the matrix, calls, tokens, cost and minimum detectable effect of a study; nothing is called.
    Plan {
        /// The study file.
        study: PathBuf,
        /// Output format.
        #[arg(long, value_enum, default_value = "terminal")]
        format: PlainFormat,
    },
    /// Run or resume a study; then prove, scan, analyse, print the table and write report.html into the ledger.
    Run(RunArgs),
    /// Run the code of a ledger's answers under today's tests; answers are never asked again.
    Prove(ScoreArgs),
    /// Score and analyse a ledger again with today's rules and methods.
    Analyse(ScoreArgs),
    /// Render the report of one ledger, or of several as the parts of one page.
    Report {
        /// The ledgers.
        #[arg(required = true)]
        ledgers: Vec<PathBuf>,
        /// Output format.
        #[arg(long, value_enum, default_value = "terminal")]
        format: ReportFormat,
        /// The file to write; standard output without it.
        #[arg(long, short)]
        output: Option<PathBuf>,
        /// HTML: hold this many answers at most, those that tell most, and write no folder beside the page.
        #[arg(long, value_name = "N")]
        answers: Option<usize>,
    },
    /// Show one trial whole: request, answer, code, findings, test transcript.
    Show {
        /// The ledger.
        ledger: PathBuf,
        /// The trial's key, or its first characters.
        trial: String,
        /// Output format.
        #[arg(long, value_enum, default_value = "terminal")]
        format: PlainFormat,
    },
    /// Take in outcomes made elsewhere (CSV or JSON Lines) for our analysis and report.
    Import {
        /// The file: columns subject, persona, wording, task, cluster, repeat, outcome.
        file: PathBuf,
        /// The ledger to make.
        #[arg(long)]
        ledger: PathBuf,
        /// The persona that every other is compared with; `neutral`, or the only candidate, without it.
        #[arg(long)]
        baseline: Option<String>,
        /// The study's name; the file's stem without it.
        #[arg(long)]
        name: Option<String>,
        /// The question in words.
        #[arg(long, default_value = "")]
        question: String,
        /// Primary endpoint.
        #[arg(long, default_value = "exploitable")]
        primary: String,
    },
    /// Show what a scanner rule finds and why; without a rule, the list of rules.
    Explain {
        /// The rule's id.
        rule: Option<String>,
    },
    /// Check, list, show or start suites of tasks.
    Suite {
        /// What to do.
        #[command(subcommand)]
        action: SuiteAction,
    },
    /// Serve a subject of known behaviour over HTTP, in the OpenAI dialect.
    Mole {
        /// The mole's configuration.
        #[arg(long)]
        config: PathBuf,
        /// Where to listen.
        #[arg(long, default_value = "127.0.0.1:8900")]
        listen: std::net::SocketAddr,
    },
    /// Print a completion script.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Write the man pages.
    Man {
        /// The folder to write them into.
        dir: PathBuf,
    },
}

/// What `run` takes.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// The study file.
    pub(crate) study: PathBuf,
    /// The ledger's folder; `./<name>.ledger` without it.
    #[arg(long)]
    pub(crate) ledger: Option<PathBuf>,
    /// Ask only this subject.
    #[arg(long, value_name = "SUBJECT")]
    pub(crate) only: Option<String>,
    /// Ask at most this many trials now.
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u64>,
    /// Ask again what failed for good.
    #[arg(long)]
    pub(crate) retry_errors: bool,
    /// Record a changed study as a deviation, with this reason.
    #[arg(long, value_name = "REASON", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) amend: Option<String>,
    /// What the end is judged by.
    #[command(flatten)]
    pub(crate) judging: Judging,
    /// Format of what is printed at the end.
    #[arg(long, value_enum, default_value = "terminal")]
    pub(crate) format: ReportFormat,
}

/// What `prove` and `analyse` take.
#[derive(Debug, Args)]
pub(crate) struct ScoreArgs {
    /// The ledger.
    pub(crate) ledger: PathBuf,
    /// What the end is judged by.
    #[command(flatten)]
    pub(crate) judging: Judging,
    /// Format of what is printed at the end.
    #[arg(long, value_enum, default_value = "terminal")]
    pub(crate) format: ReportFormat,
}

/// What the end is judged by.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Judging {
    /// End with exit code 1 if a treatment's primary contrast has this verdict.
    #[arg(long, value_enum, value_name = "VERDICT")]
    pub(crate) fail_on: Option<FailOn>,
}

/// What `--fail-on` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    /// Some primary contrast of a treatment is `worse`.
    Worse,
    /// Some primary contrast of a treatment is not `equivalent` or `better`.
    NotEquivalent,
}

/// What `suite` does.
#[derive(Debug, Subcommand)]
pub(crate) enum SuiteAction {
    /// Prove every task of a suite by its references.
    Check {
        /// Suites by name or path; every built-in one without any.
        suites: Vec<String>,
        /// Check only this task; may be given several times.
        #[arg(long)]
        task: Vec<String>,
        /// Output format.
        #[arg(long, value_enum, default_value = "terminal")]
        format: PlainFormat,
    },
    /// List tasks.
    List {
        /// Suites by name or path; every built-in one without any.
        suites: Vec<String>,
        /// Output format.
        #[arg(long, value_enum, default_value = "terminal")]
        format: PlainFormat,
    },
    /// Show a task whole: prompt, hint, references, tests.
    Show {
        /// The task, `suite/id`; the suite may be a path.
        task: String,
    },
    /// Start a task from a skeleton.
    New {
        /// The folder to make; its name is the task's id.
        dir: PathBuf,
        /// What the task asks for.
        #[arg(long, default_value = "write")]
        kind: String,
    },
}

/// Formats of simple listings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PlainFormat {
    /// For people.
    Terminal,
    /// For programs.
    Json,
}

/// Formats of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// A table for people.
    Terminal,
    /// One self-contained page.
    Html,
    /// The contract `turncoat.report/1`.
    Json,
    /// Markdown.
    Md,
    /// A row a trial.
    Csv,
    /// JUnit XML, a test case a contrast.
    Junit,
}
