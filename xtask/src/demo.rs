//! The demo: one page with three parts.

use std::path::Path;
use std::time::Instant;

use crate::machine::{self, Purpose};
use crate::run::{cargo, code, command, root, run};

/// Seconds after which the local model's part is given up.
const LOCAL_LIMIT_S: &str = "300";

/// Makes the page.
pub(crate) fn run_demo(out: &Path, no_local: bool) -> Result<(), String> {
    machine::prepare(Purpose::Demo)?;
    eprintln!("building");
    run(cargo().args(["build", "--release", "--package", "turncoat"]))?;
    let started = Instant::now();
    let program = program();
    let out = root().join(out);
    std::fs::create_dir_all(&out).map_err(|error| format!("{} cannot be made: {error}", out.display()))?;
    let ledger = |name: &str| out.join(format!("{name}.ledger"));

    eprintln!("\n(a) the published study under test, on simulated subjects");
    run(command(&program).args(["run", "published-2026", "--ledger"]).arg(ledger("published-2026")))?;

    eprintln!("\n(b) published real verdicts: what a security hint does to each model");
    let table = root().join("data/published/seccodebench-verdicts.csv");
    run(command(&program)
        .arg("import")
        .arg(table)
        .arg("--ledger")
        .arg(ledger("published-verdicts"))
        .args(["--baseline", "gen", "--name", "published-verdicts"])
        .args(["--question", "What does a security hint do to each model? Published verdicts of real answers"]))?;
    eprintln!("parts (a) and (b) took {:.0} s", started.elapsed().as_secs_f64());

    let mut parts = vec![ledger("published-2026"), ledger("published-verdicts")];
    if no_local {
        eprintln!("\n(c) left out: --no-local");
    } else if local(&program, &ledger("local-smoke"))? {
        parts.push(ledger("local-smoke"));
    }
    let page = out.join("report.html");
    run(command(&program).arg("report").args(&parts).args(["--format", "html", "-o"]).arg(&page))?;
    println!("\nthe page: {}", page.display());
    Ok(())
}

/// Runs the smoke study of the local model; whether it has anything to show.
fn local(program: &Path, ledger: &Path) -> Result<bool, String> {
    eprintln!("\n(c) a real model, now: a smoke study in this process; no verdict at that tier");
    let mut study = command("timeout");
    study.args(["--signal=INT", "--kill-after=30", LOCAL_LIMIT_S]).arg(program);
    study.args(["run", "local-smoke", "--ledger"]).arg(ledger);
    match code(&mut study)? {
        0 => Ok(true),
        // Stopped by the time limit, or some cells stayed without an answer: what came is shown as it is.
        3 | 124 => {
            eprintln!("part (c) is not whole; what was answered is shown");
            let there = ledger.join("ledger.db").exists();
            if there {
                // An interrupted run ends without scoring; the answers that came are scored now.
                run(command(program).arg("prove").arg(ledger))?;
            }
            Ok(there)
        }
        code => {
            eprintln!("part (c) skipped: the local model could not be run (exit code {code}, reason above)");
            Ok(false)
        }
    }
}

/// The release build of the program.
pub(crate) fn program() -> std::path::PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), std::path::PathBuf::from);
    target.join("release/turncoat")
}
