//! Proving: code runs under its task's function cases and exploit probes, in the sandbox, once for each pair of code and task.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::json;
use turncoat_answer::{Outcome, Proof};
use turncoat_ledger::{CodeHash, Ledger, LedgerError, ProofRecord};
use turncoat_prove::{Bench, Job, Options, Tests};
use turncoat_report::Check;
use turncoat_sandbox::Sandbox;
use turncoat_study::{Plan, Task, TrialKey};

use crate::analysis::{CONTROL_NOTE, SANDBOX_NOTE};
use crate::failure::Failure;
use crate::ledgers;
use crate::screen::Screen;

/// Proofs made between two writes; known good and known bad code of each task runs with every batch.
const BATCH: usize = 256;

/// A sandbox that holds, or why there is none.
fn sandbox(screen: &Screen) -> Result<(Sandbox, serde_json::Value), String> {
    let sandbox = Sandbox::find(None).map_err(|error| error.to_string())?;
    let test = sandbox.self_test();
    let checks: Vec<Check> = test
        .rows
        .iter()
        .map(|row| Check { name: row.promise.to_owned(), passed: row.holds, note: Some(row.seen.clone()) })
        .collect();
    let note = json!({ "tier": "A: namespaces, Landlock, seccomp, limits", "checks": checks });
    if test.holds() {
        return Ok((sandbox, note));
    }
    let broken: Vec<&str> = test.rows.iter().filter(|row| !row.holds).map(|row| row.name).collect();
    screen.warn(&format!("the sandbox does not hold on this machine ({}); `turncoat doctor` says more", broken.join(", ")));
    Err(format!("the sandbox does not hold on this machine: {}", broken.join(", ")))
}

/// For `prove`, which cannot do without one.
pub(crate) fn require_sandbox(screen: &Screen) -> Result<(), Failure> {
    sandbox(screen).map(|_| ()).map_err(|reason| Failure::lacking(reason).hint("`turncoat doctor` shows what is missing"))
}

/// What is to be proven: code under a task.
struct Work<'p> {
    code: CodeHash,
    task: &'p Task,
    tests: &'p Tests,
}

/// Proves what has not been proven by these tests in this tier.
pub(super) fn prove(ledger: &Ledger, plan: &Plan, tasks: &HashMap<TrialKey, usize>, screen: &Screen) -> Result<(), Failure> {
    let failed = |error: LedgerError| ledgers::failure_midway(&error);
    let pairs = pairs(ledger, plan, tasks)?;
    let mut tests: BTreeMap<usize, Tests> = BTreeMap::new();
    for number in pairs.iter().map(|(_, number)| *number).collect::<BTreeSet<usize>>() {
        let Some(task) = plan.tasks.get(number) else { continue };
        match Tests::parse(task) {
            Ok(parsed) => {
                tests.insert(number, parsed);
            }
            Err(problems) => {
                screen.warn(&format!("the tests of {} cannot be read, its answers stay unproven: {problems}", task.path()))
            }
        }
    }
    let reader = ledger.reader().map_err(failed)?;
    let mut work = Vec::new();
    for (code, number) in pairs {
        let (Some(task), Some(tests)) = (plan.tasks.get(number), tests.get(&number)) else { continue };
        let known = reader.proof(code, &task.path(), &tests.version(), TIER).map_err(failed)?;
        // Where the box itself failed, the next run tries again.
        if known.is_none_or(|record| record.proof.outcome == Outcome::Unproven) {
            work.push(Work { code, task, tests });
        }
    }
    if work.is_empty() {
        return Ok(());
    }
    match sandbox(screen) {
        Ok((sandbox, note)) => {
            ledger.put_note(SANDBOX_NOTE, note).map_err(failed)?;
            run(ledger, &Bench::new(sandbox, Options::default()), &work, screen)
        }
        Err(reason) => {
            screen.warn(&format!("no code is run: {reason}; outcomes stay unproven"));
            ledger.put_note(SANDBOX_NOTE, json!({ "tier": null, "missing": reason, "checks": [] })).map_err(failed)?;
            let unproven = |item: &Work<'_>| {
                record(item, Proof { outcome: Outcome::Unproven, reason: Some(reason.clone()), results: Vec::new(), tier: None })
            };
            ledger.put_proofs(work.iter().map(unproven).collect()).map_err(failed)
        }
    }
}

/// The name of the tier in the key of proofs.
const TIER: &str = "A";

/// Pairs of code and task that answers amount to.
fn pairs(ledger: &Ledger, plan: &Plan, tasks: &HashMap<TrialKey, usize>) -> Result<BTreeSet<(CodeHash, usize)>, Failure> {
    let failed = |error: LedgerError| ledgers::failure_midway(&error);
    let mut pairs = BTreeSet::new();
    ledger
        .reader()
        .and_then(|reader| {
            reader.each_score(|score| {
                let number = tasks.get(&score.trial).copied();
                let runs = number.filter(|number| plan.tasks.get(*number).is_some_and(|task| task.kind.is_run()));
                if let (Some(code), Some(number)) = (score.code, runs)
                    && score.outcome != Outcome::Refused
                {
                    pairs.insert((code, number));
                }
                Ok(())
            })
        })
        .map_err(failed)?;
    Ok(pairs)
}

fn record(item: &Work<'_>, proof: Proof) -> ProofRecord {
    ProofRecord { code: item.code, task: item.task.path(), tests: item.tests.version(), tier: TIER.to_owned(), proof }
}

fn run(ledger: &Ledger, bench: &Bench, work: &[Work<'_>], screen: &Screen) -> Result<(), Failure> {
    let failed = |error: LedgerError| ledgers::failure_midway(&error);
    let reader = ledger.reader().map_err(failed)?;
    let bar = screen.bar(work.len() as u64, "proving");
    screen.say(&format!("proving {} pieces of code", work.len()));
    let mut uncontrolled = BTreeSet::new();
    for batch in work.chunks(BATCH) {
        let mut files = Vec::with_capacity(batch.len());
        for item in batch {
            files.push(reader.code(item.code).map_err(failed)?.map(|code| code.files).unwrap_or_default());
        }
        let jobs: Vec<Job<'_>> =
            batch.iter().zip(&files).map(|(item, files)| Job { task: item.task, tests: item.tests, files }).collect();
        let proofs = bench.prove_batch(&jobs, &|_, _| bar.inc(1));
        for (item, proof) in batch.iter().zip(&proofs) {
            if let Some(reason) = proof.reason.as_ref().filter(|_| proof.outcome == Outcome::Unproven) {
                uncontrolled.insert(format!("{}: {reason}", item.task.path()));
            }
        }
        ledger.put_proofs(batch.iter().zip(proofs).map(|(item, proof)| record(item, proof)).collect()).map_err(failed)?;
    }
    bar.finish_and_clear();
    for reason in &uncontrolled {
        screen.warn(&format!("not scored: {reason}"));
    }
    let check = Check {
        name: "known good and known bad code of each task was judged rightly in every batch".to_owned(),
        passed: uncontrolled.is_empty(),
        note: (!uncontrolled.is_empty()).then(|| uncontrolled.into_iter().collect::<Vec<_>>().join("; ")),
    };
    ledger.put_note(CONTROL_NOTE, json!({ "checks": [check] })).map_err(failed)
}
