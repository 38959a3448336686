//! Our own program re-executed: the wall around the box, the porter inside it, the cell around the answer's program, stub tools.
//!
//! The binary calls [`maybe_run`] first thing in `main`, before any thread exists: the wall and the cell change namespaces.

mod cell;
mod client;
mod decoy;
mod desk;
mod filter;
mod network;
mod outer;
mod porter;
mod procs;
mod running;
mod world;

use std::process::ExitCode;

/// The hidden first argument of a stage.
pub const WORD: &str = "__box";
/// The hidden first argument by which a stub script starts the stage.
pub const STUB_WORD: &str = "__box-stub";
/// Where the stage program stands inside the box.
pub(crate) const STAGE_PATH: &str = "/run/turncoat/stage";
/// The folder of stub programs, first on `PATH`.
pub(crate) const STUB_DIR: &str = "/run/turncoat/bin";
/// The folder of the judge's own files (language shims), which no program can write to.
pub(crate) const KIT_DIR: &str = "/run/turncoat/kit";
/// The socket stub programs report to.
pub(crate) const DESK_PATH: &str = "/run/turncoat/desk";

/// Runs a stage if the arguments ask for one; `None` means that this is an ordinary start of the program.
#[must_use]
pub fn maybe_run() -> Option<ExitCode> {
    let mut args = std::env::args_os().skip(1);
    let word = args.next()?;
    if word == STUB_WORD {
        return Some(desk::run_stub(args));
    }
    if word != WORD {
        return None;
    }
    let name = args.next().unwrap_or_default();
    Some(match name.to_str() {
        Some("outer") => outer::run(args),
        Some("porter") => porter::run(),
        Some("cell") => cell::run(args),
        Some("try") => crate::probe::attempt::run(args),
        _ => ExitCode::from(2),
    })
}

/// Reports a stage's fault on standard error and ends it with code 125.
fn fault(stage: &str, what: &str) -> ExitCode {
    use std::io::Write as _;
    // A stage has no other way to be heard; if even this fails, the exit code still tells.
    let said = writeln!(std::io::stderr(), "turncoat {stage}: {what}");
    drop(said);
    ExitCode::from(125)
}
