//! Why a command could not do its work: what happened, where, what to do, and the exit code.

use std::io;

use turncoat_study::Problems;

use crate::exit::Exit;

/// A failure as it is shown to a person.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The exit code.
    pub(crate) exit: Exit,
    /// What happened and where; one or more lines.
    pub(crate) message: String,
    /// What to do, a line each.
    pub(crate) hints: Vec<String>,
}

impl Failure {
    /// Bad input: nothing was started.
    pub(crate) fn bad_input(message: impl Into<String>) -> Self {
        Failure { exit: Exit::BadInput, message: message.into(), hints: Vec::new() }
    }

    /// The machine lacks something.
    pub(crate) fn lacking(message: impl Into<String>) -> Self {
        Failure { exit: Exit::Lacking, message: message.into(), hints: Vec::new() }
    }

    /// Our own mistake.
    pub(crate) fn bug(message: impl Into<String>) -> Self {
        let hints =
            vec!["this is a mistake in turncoat itself; please report it with the command line and this message".to_owned()];
        Failure { exit: Exit::Bug, message: message.into(), hints }
    }

    /// Adds a line on what to do.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// A file could not be read or written.
    pub(crate) fn file(action: &str, path: &std::path::Path, error: &io::Error) -> Self {
        let exit = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::ReadOnlyFilesystem => Exit::Lacking,
            io::ErrorKind::PermissionDenied if action.contains("writ") => Exit::Lacking,
            _ => Exit::BadInput,
        };
        Failure { exit, message: format!("{} cannot be {action}: {error}", path.display()), hints: Vec::new() }
    }
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        Failure::bad_input(problems.to_string())
    }
}

/// Writing to standard output failed; a closed pipe is a clean end and never becomes a failure.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Failure { exit: Exit::Done, message: String::new(), hints: Vec::new() };
        }
        Failure::lacking(format!("output cannot be written: {error}"))
    }
}
