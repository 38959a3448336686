//! Every test: what they need is installed first, and what is skipped is counted aloud.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use crate::machine::{self, Purpose};
use crate::run::{cargo, run};

/// The start of a line by which a test says that it skipped something, and why.
const SKIPPED: &str = "skipped: ";

/// Runs every test of the workspace.
pub(crate) fn run_tests(no_setup: bool, rest: &[String]) -> Result<(), String> {
    if !no_setup {
        machine::prepare(Purpose::Test)?;
    }
    // Programs that tests start must be there before them.
    run(cargo().args(["build", "--workspace", "--bins"]))?;
    let mut tests = cargo();
    tests.args(["test", "--workspace", "--no-fail-fast"]).args(rest);
    if rest.is_empty() {
        // Tests print the skips they make; the harness swallows output of passing tests otherwise.
        tests.args(["--", "--show-output"]);
    }
    let mut child = tests.stdout(Stdio::piped()).spawn().map_err(|error| format!("cargo cannot be started: {error}"))?;
    let mut skipped = Vec::new();
    let (mut passed, mut failed) = (0, 0);
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if let Some(reason) = line.trim_start().strip_prefix(SKIPPED) {
                skipped.push(reason.to_owned());
            }
            if let Some((now_passed, now_failed)) = counts(&line) {
                passed += now_passed;
                failed += now_failed;
            }
            if is_worth_showing(&line) {
                println!("{line}");
            }
        }
    }
    let status = child.wait().map_err(|error| format!("cargo cannot be waited for: {error}"))?;
    for reason in &skipped {
        println!("{SKIPPED}{reason}");
    }
    println!("{passed} passed, {failed} failed, {} skipped", skipped.len());
    if status.success() { Ok(()) } else { Err("some tests failed".to_owned()) }
}

/// Passed and failed of a harness's closing line.
fn counts(line: &str) -> Option<(u64, u64)> {
    let rest = line.strip_prefix("test result: ")?;
    let number = |word: &str| {
        let before = rest.split(word).next()?;
        before.trim_end().rsplit([' ', '.']).next()?.parse().ok()
    };
    Some((number(" passed")?, number(" failed")?))
}

/// Passing tests are counted, not listed.
fn is_worth_showing(line: &str) -> bool {
    let passing = line.starts_with("test ") && line.ends_with("... ok");
    !passing && !line.trim().is_empty()
}
