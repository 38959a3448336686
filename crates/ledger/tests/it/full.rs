//! A disk that runs full: earlier answers stay, calls in flight are still written, no further one begins.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use rustix::mount::{MountFlags, mount};
use rustix::thread::{UnshareFlags, unshare_unsafe};
use turncoat_ledger::{Ledger, LedgerError, NewAttempt, Reader, Settlement, Wanted};
use turncoat_study::Trial;

use crate::support::{answer, begin, call, plan, settled, wait};

/// An answer of some 60 KB that does not compress.
fn long(number: u32) -> Settlement {
    let mut state = number.wrapping_mul(747_796_405).wrapping_add(1);
    let response = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(60_000)
    .collect();
    Settlement { response, ..settled(Ok(answer("long"))) }
}

fn count(folder: &Path) -> usize {
    let mut count = 0;
    Reader::open(folder)
        .unwrap()
        .answers(Wanted::All, |_| {
            count += 1;
            Ok::<(), LedgerError>(())
        })
        .unwrap();
    count
}

#[test]
fn a_database_that_may_not_grow_gives_the_error_and_keeps_what_was_answered() {
    let folder = tempfile::tempdir().unwrap();
    let mut plan = plan();
    plan.repeats = 20;
    let ledger = Ledger::create(folder.path(), &plan, "test").unwrap();
    ledger.limit_pages(60).unwrap();
    let mut answered = 0;
    let mut told = None;
    for (number, trial) in plan.trials().iter().enumerate() {
        let end = wait(async {
            let attempt = ledger.begin_attempt(NewAttempt { trial: trial.key, subject: "house", reserved_usd: 1.0 }).await?;
            ledger.finish_attempt(attempt, long(number as u32)).await
        });
        match end {
            Ok(()) => answered += 1,
            Err(error) => {
                told = Some(error);
                break;
            }
        }
    }
    let told = told.unwrap();
    assert!(matches!(told, LedgerError::Full { .. }), "{told}");
    assert!(told.is_disk() && told.hint().unwrap().contains("free some space"));
    let begun = wait(ledger.begin_attempt(NewAttempt { trial: plan.trials()[0].key, subject: "house", reserved_usd: 1.0 }));
    assert!(matches!(begun, Err(LedgerError::Full { .. })), "no call begins any more");
    drop(ledger);
    assert!(answered > 3);
    assert_eq!(count(folder.path()), answered);

    // With room again it goes on.
    let ledger = Ledger::open(folder.path(), "test").unwrap();
    let open = ledger.reader().unwrap().remaining(&plan.trials(), false).unwrap().open;
    assert_eq!(open.len(), plan.trials().len() - answered);
    call(&ledger, &open[0], Ok(answer("after"))).unwrap();
    assert_eq!(ledger.spend().unwrap().unknown, 1, "the call whose end could not be written is unknown");
}

/// Tells the child where to work.
const FOLDER: &str = "TURNCOAT_TEST_FULL";

/// What the child exits with where the machine does not let it mount a small disk.
const NO_MOUNT: i32 = 77;

/// Does nothing in an ordinary test run. In the child it mounts a disk of 24 MB in a mount namespace of its own and fills it.
#[test]
fn child_fills_a_small_disk() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    // The test harness runs this on a thread of its own, and a thread alone may leave the mount namespace.
    #[expect(unsafe_code, reason = "leaving the mount namespace does not touch what other threads hold")]
    // SAFETY: no file descriptor table is left, and no other thread of the child works in the folder.
    let left = unsafe { unshare_unsafe(UnshareFlags::NEWNS) };
    let private = rustix::mount::mount_change(
        "/",
        rustix::mount::MountPropagationFlags::REC | rustix::mount::MountPropagationFlags::PRIVATE,
    );
    if left.is_err() || private.is_err() || mount("small", &folder, "tmpfs", MountFlags::empty(), Some(c"size=24m")).is_err() {
        std::process::exit(NO_MOUNT);
    }
    std::process::exit(if fill(&PathBuf::from(folder).join("ledger")) { 0 } else { 1 });
}

/// Fills the disk with a file of its own, then settles the calls in flight.
fn fill(folder: &Path) -> bool {
    let mut plan = plan();
    plan.repeats = 20;
    // A mount namespace belongs to a thread: the ledger's writing thread inherits it, since it starts from here.
    let ledger = Ledger::create(folder, &plan, "test").unwrap();
    let trials: Vec<Trial> = plan.trials();
    call(&ledger, &trials[0], Ok(answer("before"))).unwrap();
    let in_flight: Vec<_> = trials[1..41].iter().map(|trial| begin(&ledger, trial)).collect();
    // Takes whatever space is left.
    let hog = std::fs::File::create(folder.with_file_name("hog")).unwrap();
    let block = vec![1; 1 << 16];
    while std::io::Write::write_all(&mut &hog, &block).is_ok() {}
    while std::io::Write::write_all(&mut &hog, &[1]).is_ok() {}

    let ends: Vec<_> = in_flight
        .iter()
        .enumerate()
        .map(|(number, attempt)| wait(ledger.finish_attempt(*attempt, long(number as u32))))
        .collect();
    assert!(ends.iter().all(Result::is_ok), "calls in flight are written from the space kept aside: {ends:?}");
    let begun = wait(ledger.begin_attempt(NewAttempt { trial: trials[50].key, subject: "house", reserved_usd: 1.0 }));
    assert!(matches!(begun, Err(LedgerError::Full { .. })), "{begun:?}");
    drop(ledger);
    assert_eq!(count(folder), 41);
    // Before the start: a full disk is told at once.
    let mut again = Ledger::open(folder, "test");
    while again.is_ok() {
        drop(again);
        std::io::Write::write_all(&mut &hog, &block).ok();
        while std::io::Write::write_all(&mut &hog, &[1]).is_ok() {}
        again = Ledger::open(folder, "test");
    }
    assert!(matches!(again, Err(LedgerError::Full { .. })), "{again:?}");
    assert_eq!(count(folder), 41);
    true
}

#[test]
fn a_full_disk_keeps_calls_in_flight_and_refuses_new_ones() {
    let folder = tempfile::tempdir().unwrap();
    #[expect(clippy::disallowed_methods, reason = "the test starts itself as a second process")]
    let status = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "full::child_fills_a_small_disk", "--nocapture"])
        .env(FOLDER, folder.path())
        .stdout(Stdio::null())
        .status()
        .unwrap();
    if status.code() == Some(NO_MOUNT) {
        eprintln!("skipped: this machine does not let a test mount a small disk");
        return;
    }
    assert!(status.success(), "{status}");
}
