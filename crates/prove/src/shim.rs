//! The shims: small programs in the answers' languages that call functions for the judge, line by line.

use std::path::Path;

use sha2::{Digest as _, Sha256};
use turncoat_sandbox::{Detected, Interpreter};
use turncoat_study::Language;

const PYTHON: &str = include_str!("shim/python.py");
/// Where a shim stands inside the box.
pub(crate) const PATH: &str = "/run/turncoat/kit/shim.py";

/// Whether answers in a language can be run.
pub(crate) fn speaks(language: Language) -> bool {
    language == Language::Python
}

/// A hash of every shim: verdicts under one shim say nothing about another.
pub(crate) fn version() -> [u8; 32] {
    Sha256::digest(PYTHON.as_bytes()).into()
}

/// The shim's text.
pub(crate) fn text() -> &'static str {
    PYTHON
}

/// The interpreter for a language, or what to install.
pub(crate) fn interpreter(language: Language, detected: &Detected) -> Result<&Interpreter, String> {
    match language {
        Language::Python => {
            detected.python.as_ref().ok_or_else(|| "no Python 3 was found: apt-get install -y python3".to_owned())
        }
        other => Err(format!("answers in {other} cannot be run yet")),
    }
}

/// The command that starts the shim. Isolated, without site packages: a verdict must not depend on what is installed here.
pub(crate) fn command(interpreter: &Interpreter) -> Vec<String> {
    [&text_of(&interpreter.program), "-I", "-S", "-B", PATH].map(str::to_owned).to_vec()
}

/// A task's own command with the interpreter's name replaced by the one found here.
pub(crate) fn serve_command(command: &[String], interpreter: &Interpreter) -> Vec<String> {
    match command.split_first() {
        Some((program, rest)) if program == "python3" || program == "python" => {
            let mut full: Vec<String> = [&text_of(&interpreter.program), "-E", "-s", "-S", "-B"].map(str::to_owned).to_vec();
            full.extend(rest.iter().cloned());
            full
        }
        _ => command.to_vec(),
    }
}

fn text_of(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
