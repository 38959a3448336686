//! Disks that are full or may not be written: told before the start, survived after it, and nothing is lost.

use std::process::Command;
use std::time::Duration;

use crate::support::program::{binary, finish};
use crate::support::{Ended, Endpoint, Place, Reply, Study, study};

/// Runs a script in a mount namespace of its own, or says why that cannot be done here.
fn with_mounts(place: &Place, script: &str) -> Option<Command> {
    let probe = finish(place.command("unshare").args(["-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]));
    if probe.code != Some(0) {
        eprintln!("skipped: no mount namespaces here: {}", probe.err.trim());
        return None;
    }
    let mut command = place.command("unshare");
    command.args(["-rm", "sh", "-ec", script, binary()]);
    Some(command)
}

fn desk(text: &str) -> (Place, Endpoint, Study) {
    let (place, endpoint) = (Place::new(), Endpoint::saying(text));
    let asked = Study::topics(&[study::subject("house", &endpoint, "")]);
    asked.save(&place);
    (place, endpoint, asked)
}

#[test]
fn a_folder_below_a_file_cannot_be_written_and_nothing_is_asked() {
    let (place, endpoint, _) = desk("no");
    place.write("file", "");
    let ended = place.run(&["run", "study.toml", "--ledger", "file/ledger"]);
    ended.refused(4, &["file/ledger", "cannot be written", "--ledger DIR"]);
    assert_eq!(endpoint.count(), 0);
    place.write("good.csv", "subject,persona,task,outcome\nm,neutral,t,safe\nm,other,t,safe\n");
    place.run(&["import", "good.csv", "--ledger", "file/ledger"]).refused(4, &["file/ledger", "cannot be written"]);
}

#[test]
fn a_read_only_folder_cannot_be_written_and_nothing_is_asked() {
    let (place, endpoint, _) = desk("no");
    std::fs::create_dir(place.path("fixed")).unwrap();
    let Some(mut command) = with_mounts(&place, "mount -t tmpfs -o ro tmpfs fixed; \"$0\" run study.toml --ledger fixed/ledger")
    else {
        return;
    };
    finish(&mut command).refused(4, &["fixed/ledger", "cannot be written", "Read-only", "--ledger DIR"]);
    let Some(mut command) = with_mounts(&place, "mount -t tmpfs -o ro tmpfs fixed; \"$0\" init fixed") else { return };
    finish(&mut command).refused(4, &["fixed/study.toml", "cannot be written"]);
    assert_eq!(endpoint.count(), 0);
}

#[test]
fn a_disk_that_is_full_before_the_start_ends_with_4_and_nothing_is_asked() {
    let (place, endpoint, _) = desk("no");
    std::fs::create_dir(place.path("small")).unwrap();
    let Some(mut command) =
        with_mounts(&place, "mount -t tmpfs -o size=256k tmpfs small; \"$0\" run study.toml --ledger small/ledger")
    else {
        return;
    };
    finish(&mut command).refused(4, &["full", "free some space"]);
    assert_eq!(endpoint.count(), 0);
}

#[test]
fn a_limit_on_file_sizes_counts_as_a_full_disk_before_the_start() {
    let (place, endpoint, _) = desk("no");
    // 64 blocks of 512 bytes; the signal is ignored, so that writes fail as they do on a full disk.
    let mut command = place.command("sh");
    command.args(["-c", "trap '' XFSZ; ulimit -f 64; exec \"$0\" run study.toml", binary()]);
    let ended = finish(&mut command);
    ended.refused(4, &["small.ledger", "full", "free some space"]);
    assert_eq!(endpoint.count(), 0);
}

#[test]
fn a_disk_that_runs_full_in_the_run_ends_with_3_and_loses_nothing_that_was_answered() {
    let place = Place::new();
    std::fs::create_dir(place.path("small")).unwrap();
    // Texts that do not compress, some 200 KB each: 64 of them are more than the disk takes.
    let endpoint = Endpoint::start(Duration::from_millis(5), |seen| Reply::Text(noise(seen.seed(), 200_000)));
    let mut asked = Study::topics(&[study::subject("house", &endpoint, "concurrency = 4")]);
    asked.repeats = 8;
    asked.wordings = 1;
    asked.save(&place);
    let script = "mount -t tmpfs -o size=18m tmpfs small
        code=0; \"$0\" run study.toml --ledger small/ledger 2> first.err || code=$?; echo $code
        code=0; \"$0\" report small/ledger --format csv > between.csv 2> between.err || code=$?; echo $code
        mount -o remount,size=200m small
        code=0; \"$0\" run study.toml --ledger small/ledger --format csv > last.csv 2> last.err || code=$?; echo $code";
    let Some(mut command) = with_mounts(&place, script) else { return };
    let ended = finish(&mut command);
    let read = |name: &str| std::fs::read_to_string(place.path(name)).unwrap();
    let told = format!("{ended:?}\n{}\n{}\n{}", read("first.err"), read("between.err"), read("last.err"));
    let codes: Vec<&str> = ended.out.split_whitespace().collect();
    assert_eq!(codes[0], "3", "{told}");
    assert!(read("first.err").contains("full") && read("first.err").contains("free some space"), "{told}");
    assert_eq!(codes[1], "0", "what is there can be read while the disk is full\n{told}");
    assert_eq!(codes[2], "0", "{told}");
    // What was answered before the disk ran full was not asked again; only calls whose answer found no room may be.
    let asked: usize = endpoint.by_seed().values().sum();
    assert!((64..=64 + 4).contains(&asked), "{asked} calls for 64 trials at 4 at a time\n{told}");
    assert_eq!(read("last.csv").lines().count(), 65, "{told}");
    let spread: Ended = place.run(&["report", "small/ledger"]);
    assert_eq!(spread.code, Some(2), "the disk went with its namespace");
}

/// Text that hardly compresses.
fn noise(seed: u64, length: usize) -> String {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut text = String::with_capacity(length);
    while text.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        text.push(char::from(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 \n"[(state >> 33) as usize % 64]));
    }
    text
}
