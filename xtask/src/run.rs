//! Starting programs, with errors that name the command line.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The workspace's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

/// The debug build of the program, brought up to date; or the one given.
pub(crate) fn debug_program(given: Option<&Path>) -> Result<PathBuf, String> {
    if let Some(given) = given {
        return std::path::absolute(given).map_err(|error| format!("{}: {error}", given.display()));
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    // The same call as the tests make: nothing to do after them, and never a stale program.
    run(cargo().args(["build", "--quiet", "--workspace", "--bins"]))?;
    Ok(target.join("debug/turncoat"))
}

/// A command that starts in the workspace's root.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root()).stdin(Stdio::null());
    command
}

/// The cargo that runs this program.
pub(crate) fn cargo() -> Command {
    command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Runs a command to its end; a failure names it.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    match code(command)? {
        0 => Ok(()),
        code => Err(format!("`{}` ended with exit code {code}", line(command))),
    }
}

/// Runs a command to its end and gives its exit code.
pub(crate) fn code(command: &mut Command) -> Result<i32, String> {
    let status = command.status().map_err(|error| format!("`{}` cannot be started: {error}", line(command)))?;
    Ok(status.code().unwrap_or(-1))
}

/// What a command prints, if it succeeds.
pub(crate) fn output(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The command as one would type it.
fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}
