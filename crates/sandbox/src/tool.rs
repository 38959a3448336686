//! Trusted programs: what this machine's owner installed, started with a time limit and without a shell.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// What a tool printed and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output, lossy.
    pub stdout: String,
    /// Standard error, lossy.
    pub stderr: String,
}

impl Output {
    /// Whether it ended with code 0.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.code == Some(0)
    }
}

/// A tool could not be run to its end.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// It is not installed or cannot be started.
    #[error("cannot start `{program}`: {source}")]
    Start {
        /// The program.
        program: String,
        /// The reason.
        source: std::io::Error,
    },
    /// It ran longer than it may and was ended.
    #[error("`{program}` did not end within {seconds} s and was stopped")]
    Timeout {
        /// The program.
        program: String,
        /// The limit.
        seconds: u64,
    },
    /// Waiting for it failed.
    #[error("`{program}` was lost: {source}")]
    Lost {
        /// The program.
        program: String,
        /// The reason.
        source: std::io::Error,
    },
}

/// Runs a trusted program to its end. `env` is added to this process's environment; nothing is read from standard input.
///
/// # Errors
/// [`ToolError`]; an exit code other than 0 is no error.
pub fn tool(
    program: &str,
    args: &[&str],
    cwd: Option<&Path>,
    env: &BTreeMap<String, String>,
    timeout: Duration,
) -> Result<Output, ToolError> {
    #[expect(clippy::disallowed_methods, reason = "this crate is where programs are started")]
    let mut command = std::process::Command::new(program);
    command.args(args).envs(env).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    if let Some(cwd) = cwd {
        command.current_dir(cwd);
    }
    let name = || program.to_owned();
    let mut child = command.spawn().map_err(|source| ToolError::Start { program: name(), source })?;
    let (stdout, stderr) = (drain(child.stdout.take()), drain(child.stderr.take()));
    let until = Instant::now() + timeout;
    let status = loop {
        match child.try_wait().map_err(|source| ToolError::Lost { program: name(), source })? {
            Some(status) => break status,
            None if Instant::now() >= until => {
                drop(child.kill());
                drop(child.wait());
                return Err(ToolError::Timeout { program: name(), seconds: timeout.as_secs() });
            }
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    };
    let text =
        |reader: std::thread::JoinHandle<Vec<u8>>| String::from_utf8_lossy(&reader.join().unwrap_or_default()).into_owned();
    Ok(Output { code: status.code(), stdout: text(stdout), stderr: text(stderr) })
}

fn drain(from: Option<impl Read + Send + 'static>) -> std::thread::JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut from) = from {
            drop(from.read_to_end(&mut bytes));
        }
        bytes
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(program: &str, args: &[&str], timeout_ms: u64) -> Result<Output, ToolError> {
        tool(program, args, None, &BTreeMap::new(), Duration::from_millis(timeout_ms))
    }

    #[test]
    fn output_and_code_are_told() {
        let output = run("sh", &["-c", "echo out; echo err >&2; exit 3"], 5000).unwrap();
        assert_eq!((output.code, output.stdout.as_str(), output.stderr.as_str()), (Some(3), "out\n", "err\n"));
    }

    #[test]
    fn a_missing_tool_and_an_endless_one_are_errors() {
        assert!(matches!(run("no-such-tool-here", &[], 1000), Err(ToolError::Start { .. })));
        assert!(matches!(run("sleep", &["60"], 50), Err(ToolError::Timeout { .. })));
    }
}
