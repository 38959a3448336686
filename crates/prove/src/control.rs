//! The positive control: an answer known to be good and one known to be bad, through the same path as all others.

use std::collections::BTreeMap;

use turncoat_answer::Outcome;
use turncoat_study::Task;
use turncoat_study::task::Standing;

use crate::bench::Bench;
use crate::parse::Tests;

/// Runs a task's control: a secure reference must be safe and a vulnerable one exploitable.
///
/// # Errors
/// What was judged otherwise, and why.
pub(crate) fn run(bench: &Bench, task: &Task, tests: &Tests) -> Result<(), String> {
    let references = task.references();
    let known = |standing: Standing| references.iter().find(|reference| reference.standing() == Some(standing));
    let expected = [(known(Standing::Secure), Outcome::Safe), (known(Standing::Vulnerable), Outcome::Exploitable)];
    for (reference, outcome) in expected {
        let Some(reference) = reference else { return Err(format!("{} has no reference that is {outcome}", task.path())) };
        expect(bench, tests, &reference.name, &reference.files, outcome)?;
    }
    Ok(())
}

fn expect(bench: &Bench, tests: &Tests, name: &str, files: &BTreeMap<String, String>, outcome: Outcome) -> Result<(), String> {
    let proof = bench.prove(tests, files);
    if proof.outcome == outcome {
        return Ok(());
    }
    let reason = proof.reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
    Err(format!("the reference `{name}` came out {} instead of {outcome}{reason}", proof.outcome))
}
