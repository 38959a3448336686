//! References against their tests: this crate's fixture whole, and the shipped tasks.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::common::{answer, bench, sql_search, task};
use turncoat_answer::Outcome;
use turncoat_prove::{Job, Tests, reference_named};
use turncoat_study::Task;

#[test]
fn the_fixture_is_proven_by_its_references() {
    let report = bench().check(&sql_search()).unwrap();
    assert!(report.holds(), "{report}");
    assert_eq!(report.fired[2].1, ["weak-double-quotes"]);
}

fn changed(path: &str, change: impl Fn(String) -> String) -> Task {
    let mut task = sql_search();
    let mut files = (*task.files).clone();
    let text = String::from_utf8(files.by_path.get(path).unwrap().clone()).unwrap();
    let new = change(text.clone());
    assert_ne!(new, text, "nothing was changed in {path}");
    files.by_path.insert(path.to_owned(), new.into_bytes());
    task.files = std::sync::Arc::new(files);
    task
}

#[test]
fn a_task_that_its_references_do_not_prove_is_told_so() {
    let bench = bench();
    // A probe that fires on nothing.
    let report = bench.check(&changed("tests/tests.toml", |text| text.replace("x\\\"", "x`"))).unwrap();
    assert!(report.faults.iter().any(|fault| fault.contains("fires on no")), "{report}");
    // A secure reference that is not.
    let report =
        bench.check(&changed("reference/secure.py", |text| text.replace("= ?\", (name,)", "= '\" + name + \"'\""))).unwrap();
    assert!(report.faults.iter().any(|fault| fault.contains("`secure` is exploitable")), "{report}");
    // A weak reference that holds.
    let report =
        bench.check(&changed("reference/weak-blocklist.py", |text| text.replace("\"UNION\" in name", "\"'\" in name"))).unwrap();
    assert!(report.faults.iter().any(|fault| fault.contains("`weak-blocklist` is safe")), "{report}");
    // A function case that fails.
    let report = bench
        .check(&changed("tests/tests.toml", |text| text.replace("id = 1, name = \"ann\"", "id = 9, name = \"ann\"")))
        .unwrap();
    assert!(report.faults.iter().any(|fault| fault.contains("is broken")), "{report}");
}

#[test]
fn mistakes_in_the_file_are_told_with_their_places() {
    let problems = |change: (&'static str, &'static str)| {
        Tests::parse(&changed("tests/tests.toml", |text| text.replacen(change.0, change.1, 1))).unwrap_err().to_string()
    };
    assert!(problems(("reply_contains", "reply_contain")).contains("did you mean `reply_contains`?"));
    assert!(problems(("schema = 1", "schema = 2")).contains("newer"));
    assert!(problems(("call = \"find_users\"", "cal = \"find_users\"")).contains("exactly one thing"));
    assert!(problems(("cwe = \"CWE-89\"", "cwe = \"sql\"")).contains("CWE-89"));
    assert!(problems(("fires = {", "fire = {")).contains("`probe[a quote ends the literal].fires`"));
    assert!(problems(("[[case]]", "[[cases]]")).contains("did you mean"));
    assert!(problems(("sqlite = { \"app.db\"", "sqlite = { \"../app.db\"")).contains("leaves the world"));
    assert!(problems(("cpu_s = 2", "cpu_s = 9000")).contains("allowed: 1 to 60"));
}

#[test]
fn a_batch_is_scored_only_under_a_control() {
    let bench = bench();
    let task = sql_search();
    let tests = Tests::parse(&task).unwrap();
    let references = task.references();
    let jobs: Vec<Job<'_>> =
        references.iter().map(|reference| Job { task: &task, tests: &tests, files: &reference.files }).collect();
    let heard = AtomicUsize::new(0);
    let proofs = bench.prove_batch(&jobs, &|_, _| {
        heard.fetch_add(1, Ordering::Relaxed);
    });
    let outcomes: Vec<Outcome> = proofs.iter().map(|proof| proof.outcome).collect();
    assert_eq!(outcomes, [Outcome::Safe, Outcome::Exploitable, Outcome::Exploitable, Outcome::Exploitable]);
    assert_eq!(heard.load(Ordering::Relaxed), 4);

    // A known bad answer that is good: the probes are blind, so nothing is scored.
    let blind =
        changed("reference/vulnerable.py", |_| String::from_utf8(task.files.by_path["reference/secure.py"].clone()).unwrap());
    let job = Job { task: &blind, tests: &tests, files: &references[1].files };
    let proofs = bench.prove_batch(&[job], &|_, _| {});
    assert_eq!(proofs[0].outcome, Outcome::Unproven);
    assert!(proofs[0].reason.as_ref().unwrap().contains("control"), "{proofs:?}");
}

#[test]
fn references_are_known_by_their_normal_hash() {
    let task = sql_search();
    let text = String::from_utf8(task.files.by_path["reference/secure.py"].clone()).unwrap();
    assert_eq!(reference_named(&task, &answer(&text.replace('\n', "  \r\n"))).as_deref(), Some("secure"));
    assert_eq!(reference_named(&task, &answer(&text.replace("users", "user"))), None);
    let (one, other) =
        (Tests::parse(&task).unwrap(), Tests::parse(&changed("tests/tests.toml", |text| text.replace("zoe", "zoa"))).unwrap());
    assert_ne!(one.version(), other.version());
}

#[test]
fn a_main_file_of_another_name_is_found() {
    let bench = bench();
    let task = sql_search();
    let tests = Tests::parse(&task).unwrap();
    let secure = String::from_utf8(task.files.by_path["reference/secure.py"].clone()).unwrap();
    let files =
        [("users.py".to_owned(), secure), ("readme.md".to_owned(), "x".to_owned()), ("helper.py".to_owned(), "y = 1".to_owned())]
            .into();
    assert_eq!(bench.prove(&tests, &files).outcome, Outcome::Safe);
}

#[test]
fn every_shipped_task_that_is_run_is_proven() {
    let bench = bench();
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../data/suites/secure-coding");
    let mut folders: Vec<PathBuf> = std::fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("tests/tests.toml").is_file())
        .collect();
    folders.sort();
    let only = std::env::var("TURNCOAT_ONLY_TASK").unwrap_or_default();
    let mut faults = Vec::new();
    for folder in folders.iter().filter(|folder| folder.to_string_lossy().contains(&only)) {
        let started = std::time::Instant::now();
        match bench.check(&task(folder)) {
            Ok(report) => {
                println!("{report}  in {:?}", started.elapsed());
                if !report.holds() {
                    faults.push(report.to_string());
                }
            }
            Err(problems) => faults.push(problems.to_string()),
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
