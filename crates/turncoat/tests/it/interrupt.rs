//! Interrupts: the first lets calls in flight finish, the second ends at once; nothing answered is lost or asked again.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::program::{start, until};
use crate::support::{Endpoint, Place, Reply, Study, study};

fn desk(delay: Duration) -> (Place, Endpoint) {
    let place = Place::new();
    let endpoint = Endpoint::start(delay, |_| Reply::text("no code here"));
    Study::topics(&[study::subject("house", &endpoint, "concurrency = 2\nprice = { input = 1.0, output = 4.0 }")]).save(&place);
    (place, endpoint)
}

#[test]
fn one_interrupt_finishes_the_calls_in_flight_and_says_how_to_go_on() {
    for signal in [Signal::INT, Signal::TERM] {
        let (place, endpoint) = desk(Duration::from_millis(300));
        let running = start(&mut place.turncoat(&["run", "study.toml"]));
        until("some calls", || endpoint.count() >= 3);
        running.signal(signal);
        let ended = running.wait();
        assert_eq!(ended.code, Some(3), "{ended:?}");
        ended.says(&[
            "stopping: waiting for",
            "a second Ctrl-C ends at once",
            "answers are kept",
            "turncoat run study.toml --ledger small.ledger",
        ]);
        let asked = endpoint.count();
        assert!((3..16).contains(&asked), "{asked}");
        assert_eq!(
            place.trials("small.ledger").iter().filter(|row| row["served_model"] == "house-model").count(),
            asked,
            "all in flight were kept"
        );
        place.ok(&["run", "study.toml"]).says(&["16 of 16 trials are answered"]);
        assert_eq!(endpoint.count(), 16, "nothing was asked twice");
    }
}

#[test]
fn a_second_interrupt_ends_at_once_and_loses_nothing_that_was_answered() {
    let place = Place::new();
    // The fifth call hangs for longer than the test would wait.
    let endpoint = Endpoint::start(Duration::ZERO, |seen| match seen.number {
        4 => Reply::Later(Duration::from_secs(30), "too late".to_owned()),
        _ => Reply::text("no code here"),
    });
    Study::topics(&[study::subject("house", &endpoint, "concurrency = 1\nprice = { input = 1.0, output = 4.0 }")]).save(&place);
    let running = start(&mut place.turncoat(&["run", "study.toml"]));
    until("the call that hangs", || endpoint.count() >= 5);
    running.signal(Signal::INT);
    std::thread::sleep(Duration::from_millis(400));
    let begun = Instant::now();
    running.signal(Signal::INT);
    let ended = running.wait();
    assert!(begun.elapsed() < Duration::from_secs(4), "it ended after {:?}", begun.elapsed());
    assert_eq!(ended.code, Some(3), "{ended:?}");
    ended.says(&["4 answers are kept", "turncoat run study.toml"]);
    let report = place.report("small.ledger");
    assert_eq!(report["study"]["answers"].as_u64().unwrap_or(0), 4, "{}", report["study"]);
    let again = place.ok(&["run", "study.toml"]);
    again.says(&["16 of 16 trials are answered (12 now"]);
    let twice: Vec<usize> = endpoint.by_seed().into_values().filter(|count| *count > 1).collect();
    assert_eq!(twice, [2], "only the call that was cut off was asked again");
    assert_eq!(place.report("small.ledger")["quality"]["unknown_attempts"], 1);
}
