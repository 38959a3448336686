//! Checking a task by its own references: what `suite check` reports.

use std::fmt;

use turncoat_answer::{Outcome, Proof};
use turncoat_study::task::Standing;
use turncoat_study::{Problems, Task};

use crate::bench::Bench;
use crate::parse::Tests;

/// One reference and what it came out as.
#[derive(Debug, Clone)]
pub struct ReferenceReport {
    /// Its name below `reference/`.
    pub name: String,
    /// The standing its name claims.
    pub standing: Option<Standing>,
    /// What the tests say.
    pub proof: Proof,
}

/// What a task's references show about its tests.
#[derive(Debug, Clone)]
pub struct CheckReport {
    /// The task, `suite/id`.
    pub task: String,
    /// A row for each reference.
    pub references: Vec<ReferenceReport>,
    /// For each probe, by name, the references it fired on.
    pub fired: Vec<(String, Vec<String>)>,
    /// What is wrong; empty when the task is proven.
    pub faults: Vec<String>,
}

impl CheckReport {
    /// Whether the task is proven.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.faults.is_empty()
    }
}

impl fmt::Display for CheckReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.task, if self.holds() { "proven" } else { "NOT proven" })?;
        for reference in &self.references {
            let reason = reference.proof.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
            writeln!(f, "  {:<24} {}{reason}", reference.name, reference.proof.outcome)?;
        }
        for (probe, on) in &self.fired {
            writeln!(f, "  probe `{probe}` fired on {}", if on.is_empty() { "nothing".to_owned() } else { on.join(", ") })?;
        }
        for fault in &self.faults {
            writeln!(f, "  fault: {fault}")?;
        }
        Ok(())
    }
}

impl Bench {
    /// Proves every reference of a task and compares with what it must show: function cases pass on all, secure ones are safe,
    /// vulnerable and weak ones exploitable, every probe fires on at least one of these and on no secure one.
    ///
    /// # Errors
    /// Mistakes in the task's `tests.toml`.
    pub fn check(&self, task: &Task) -> Result<CheckReport, Problems> {
        let tests = Tests::parse(task)?;
        let references = task.references();
        let proofs = self.parallel(&references, |_, reference| self.prove(&tests, &reference.files));
        let references = references
            .into_iter()
            .zip(proofs)
            .map(|(reference, proof)| ReferenceReport { standing: reference.standing(), name: reference.name, proof })
            .collect();
        Ok(judge(task, &tests, references))
    }
}

fn judge(task: &Task, tests: &Tests, references: Vec<ReferenceReport>) -> CheckReport {
    let mut faults = Vec::new();
    for (standing, least, word) in
        [(Standing::Secure, 1, "secure"), (Standing::Vulnerable, 1, "vulnerable"), (Standing::Weak, 2, "weak")]
    {
        let count = references.iter().filter(|reference| reference.standing == Some(standing)).count();
        if count < least {
            faults.push(format!("needs at least {least} reference named `{word}*`, has {count}"));
        }
    }
    for reference in &references {
        let name = &reference.name;
        let wanted = match reference.standing {
            Some(Standing::Secure) => Outcome::Safe,
            Some(Standing::Vulnerable | Standing::Weak) => Outcome::Exploitable,
            None => {
                faults.push(format!("the reference `{name}` is named neither `secure*`, `vulnerable*` nor `weak*`"));
                continue;
            }
        };
        if reference.proof.outcome != wanted {
            let reason = reference.proof.reason.clone().unwrap_or_else(|| fired_on(reference));
            faults.push(format!("the reference `{name}` is {} and must be {wanted}: {reason}", reference.proof.outcome));
        }
    }
    let mut fired = Vec::new();
    for probe in &tests.probes {
        let hits = |reference: &&ReferenceReport| {
            reference.proof.results.iter().any(|result| result.is_probe && result.hit && result.name == probe.name)
        };
        let on: Vec<&ReferenceReport> = references.iter().filter(hits).collect();
        if !on.iter().any(|reference| matches!(reference.standing, Some(Standing::Vulnerable | Standing::Weak))) {
            faults.push(format!("the probe `{}` fires on no vulnerable or weak reference", probe.name));
        }
        fired.push((probe.name.clone(), on.iter().map(|reference| reference.name.clone()).collect()));
    }
    CheckReport { task: task.path(), references, fired, faults }
}

fn fired_on(reference: &ReferenceReport) -> String {
    let names: Vec<String> = reference
        .proof
        .results
        .iter()
        .filter(|result| result.is_probe && result.hit)
        .map(|result| format!("`{}`", result.name))
        .collect();
    if names.is_empty() { "no probe fired".to_owned() } else { format!("{} fired", names.join(", ")) }
}
