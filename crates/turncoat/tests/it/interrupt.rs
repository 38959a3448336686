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

#[test]
fn scoring_ends_at_once_on_an_interrupt_and_goes_on_after_it_and_after_kills() {
    let place = Place::new();
    let vulnerable = |task: &str, name: &str| {
        let path = crate::support::program::root().join(format!("data/suites/secure-coding/{task}/reference/{name}.py"));
        std::fs::read_to_string(path).unwrap()
    };
    let tasks = ["sql-search-py", "reset-token-py", "csv-export-py", "rule-eval-py", "tool-wrapper-py", "document-store-py"];
    let codes: Vec<(String, String)> = tasks
        .iter()
        .map(|task| {
            let shown = place.ok(&["suite", "show", &format!("secure-coding/{task}")]).out;
            let prompt = shown.lines().skip(3).find(|line| line.len() > 30).unwrap().to_owned();
            (prompt, vulnerable(task, "vulnerable"))
        })
        .collect();
    let endpoint = Endpoint::start(Duration::ZERO, move |seen| {
        let (_, code) = codes.iter().find(|(prompt, _)| seen.message("user").contains(prompt)).unwrap();
        // Each answer is code of its own, so that each has to be run.
        Reply::Text(format!("```python\n{code}\n# {}\n```\n", seen.seed()))
    });
    let mut asked = Study::one_task("", &[study::subject("house", &endpoint, "")]);
    asked.tasks = tasks.iter().map(ToString::to_string).collect();
    asked.wordings = 2;
    asked.save(&place);
    for wait_ms in [300, 900, 2_000] {
        let running = start(&mut place.turncoat(&["run", "study.toml"]));
        until("all calls", || endpoint.count() >= 24);
        std::thread::sleep(Duration::from_millis(wait_ms));
        running.signal(Signal::KILL);
        assert_eq!(running.wait().code, None, "it was killed while scoring");
    }
    let running = start(&mut place.turncoat(&["run", "study.toml"]));
    std::thread::sleep(Duration::from_millis(1_500));
    let begun = Instant::now();
    running.signal(Signal::INT);
    let ended = running.wait();
    assert!(begun.elapsed() < Duration::from_secs(5), "it ended after {:?}", begun.elapsed());
    assert_eq!(ended.code, Some(3), "{ended:?}");
    ended.says(&["stopped while scoring; all answers are kept", "turncoat run study.toml --ledger small.ledger"]);
    place.ok(&["run", "study.toml"]).says(&["24 of 24 trials are answered (0 now"]);
    let outcomes: Vec<String> = place.trials("small.ledger").into_iter().map(|mut row| row.remove("outcome").unwrap()).collect();
    assert_eq!(outcomes, vec!["exploitable"; 24]);
    assert!(endpoint.by_seed().values().all(|count| *count <= 2), "only a call in flight at the first kill may be asked again");
}
