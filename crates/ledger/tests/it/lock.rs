//! The lock between processes: named while its holder lives, free once it is killed.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::Stdio;

use turncoat_ledger::{Ledger, LedgerError};

use crate::support::{begin, plan};

/// Tells the child what to hold.
const FOLDER: &str = "TURNCOAT_TEST_HOLD";

/// Does nothing in an ordinary test run. In the child it holds a ledger with a call in flight until it is killed.
#[test]
fn child_holds_a_ledger() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let ledger = Ledger::create(Path::new(&folder), &plan(), "turncoat run").unwrap();
    begin(&ledger, &plan().trials()[0]);
    // Past the test harness's capture, straight to the pipe.
    let mut out = std::io::stderr();
    writeln!(out, "holding").unwrap();
    out.flush().unwrap();
    std::thread::sleep(std::time::Duration::from_secs(60));
}

#[test]
fn a_second_writer_is_refused_by_the_holders_name_until_the_holder_dies() {
    let folder = tempfile::tempdir().unwrap();
    #[expect(clippy::disallowed_methods, reason = "the test starts itself as a second process")]
    let mut child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "lock::child_holds_a_ledger", "--nocapture"])
        .env(FOLDER, folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.map_while(Result::ok).any(|line| line == "holding"));

    let refused = Ledger::open(folder.path(), "turncoat run").unwrap_err();
    let LedgerError::InUse { holder, .. } = &refused else { panic!("{refused}") };
    assert_eq!((holder.pid, holder.program.as_str()), (child.id(), "turncoat run"));
    assert!(refused.to_string().contains(&format!("process {}", child.id())) && refused.to_string().contains("UTC"), "{refused}");
    let reader = turncoat_ledger::Reader::open(folder.path()).unwrap();
    assert_eq!(reader.spend().unwrap().in_flight, 1, "reading goes on beside it");

    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(reader.spend().unwrap().unknown, 1);
    let ledger = Ledger::open(folder.path(), "turncoat run").unwrap();
    assert_eq!(ledger.reader().unwrap().unknown_attempts().unwrap().len(), 1);
}

#[test]
fn a_second_writer_in_the_same_process_is_refused_too() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::create(folder.path(), &plan(), "turncoat run").unwrap();
    assert!(matches!(Ledger::open(folder.path(), "turncoat prove"), Err(LedgerError::InUse { .. })));
    let clone = ledger.clone();
    drop(ledger);
    assert!(matches!(Ledger::open(folder.path(), "turncoat prove"), Err(LedgerError::InUse { .. })), "a clone holds it");
    drop(clone);
    Ledger::open(folder.path(), "turncoat prove").unwrap();
}
