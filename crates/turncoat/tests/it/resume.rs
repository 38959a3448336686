//! Running and going on: only what is missing is asked, changes are refused or recorded, and one subject's trouble is its own.

use std::time::Duration;

use crate::support::program::{start, until};
use crate::support::{Endpoint, Place, Reply, Study, study};

#[test]
fn a_changed_study_is_refused_with_a_diff_and_amend_asks_only_the_difference() {
    let place = Place::new();
    let endpoint = Endpoint::saying("no code here");
    let mut asked = Study::topics(&[study::subject("house", &endpoint, "")]);
    asked.save(&place);
    place.ok(&["run", "study.toml"]);
    assert_eq!(endpoint.count(), 16);
    let first = endpoint.by_seed();

    asked.personas.push("prc-entity".to_owned());
    asked.save(&place);
    let refused = place.run(&["run", "study.toml"]);
    refused.refused(2, &["the study changed", "personas[prc-entity]", "added", "--amend"]);
    assert_eq!(endpoint.count(), 16);
    let amended = place.ok(&["run", "study.toml", "--amend", "a third arm"]);
    amended.says(&["recorded a deviation (a third arm)", "16 answers are kept", "personas[prc-entity]"]);
    assert_eq!(endpoint.count(), 24, "only the new persona is asked");

    asked.repeats = 2;
    asked.save(&place);
    place.run(&["run", "study.toml"]).refused(2, &["repeats: 1 -> 2", "--amend"]);
    place.ok(&["run", "study.toml", "--amend", "more repeats"]);
    assert_eq!(endpoint.count(), 48, "only the second repeat is asked");
    assert!(endpoint.by_seed().values().all(|count| *count == 1), "no trial was asked twice");
    assert!(first.keys().all(|seed| endpoint.by_seed().contains_key(seed)));

    let report = place.report("small.ledger");
    assert_eq!(report["study"]["answers"], 48);
    let deviations = report["study"]["deviations"].as_array().unwrap();
    let reasons: Vec<&str> = deviations.iter().map(|deviation| deviation["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["a third arm", "more repeats"]);
    assert!(place.ok(&["report", "small.ledger", "--format", "md"]).out.contains("a third arm"), "deviations are shown");
}

#[test]
fn a_finished_study_asks_nothing_and_needs_no_server_and_no_key() {
    let place = Place::new();
    let endpoint = Endpoint::saying("no code here");
    Study::topics(&[study::subject("house", &endpoint, "api_key_env = \"HOUSE_KEY\"")]).save(&place);
    let mut command = place.turncoat(&["run", "study.toml"]);
    let ended = crate::support::program::finish(command.env("HOUSE_KEY", "k"));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    drop(endpoint);
    place.ok(&["run", "study.toml"]).says(&["16 of 16 trials are answered (0 now, 0 calls"]);
}

#[test]
fn budget_price_and_pace_are_no_change() {
    let place = Place::new();
    let endpoint = Endpoint::saying("no code here");
    let subject = |more: &str| vec![study::subject("house", &endpoint, more)];
    let mut asked = Study::topics(&subject("price = { input = 1.0, output = 4.0 }"));
    // A call's bound is some 0.005 USD and its price 0.0003: the stop falls between the first and the last call.
    asked.budget_usd = Some(0.0065);
    asked.save(&place);
    let stopped = place.run(&["run", "study.toml"]);
    assert_eq!(stopped.code, Some(3), "{stopped:?}");
    stopped.says(&[
        "cells have no answer",
        "the budget did not reach",
        "raise [budget] usd",
        "turncoat run study.toml --ledger small.ledger",
    ]);
    let before = endpoint.count();
    assert!((1..16).contains(&before), "{before} calls");
    let spent = place.report("small.ledger")["subjects"][0]["usd"].as_f64().unwrap();
    assert!(spent <= 0.0065, "{spent}");
    assert!((spent - before as f64 * 0.0003).abs() < 1e-9, "{spent} for {before} calls");

    asked.budget_usd = Some(1.0);
    asked.subjects = subject("price = { input = 2.0, output = 4.0 }\nconcurrency = 2\ntimeout_s = 30");
    asked.save(&place);
    place.ok(&["run", "study.toml"]);
    assert_eq!(endpoint.count(), 16);
    assert!(place.report("small.ledger")["study"]["deviations"].as_array().unwrap().is_empty());
}

#[test]
fn only_and_limit_leave_the_rest_visible_and_for_later() {
    let place = Place::new();
    let endpoint = Endpoint::saying("no code here");
    Study::topics(&[study::subject("one", &endpoint, ""), study::subject("two", &endpoint, "")]).save(&place);
    let ended = place.run(&["run", "study.toml", "--only", "two"]);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    ended.says(&["16 cells have no answer", "one", "another subject was chosen"]);
    assert_eq!(endpoint.count(), 16);
    assert!(endpoint.seen().iter().all(|seen| seen.model() == "two-model"));
    assert!(!ended.out.is_empty(), "what is there is analysed and shown");

    let ended = place.run(&["run", "study.toml", "--limit", "5"]);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    ended.says(&["11 cells have no answer", "beyond the limit of this run"]);
    assert_eq!(endpoint.count(), 21);
    let missing: u64 =
        place.report("small.ledger")["outcomes"].as_array().unwrap().iter().map(|row| row["error"].as_u64().unwrap()).sum();
    assert_eq!(missing, 11, "cells without an answer are counted");

    place.ok(&["run", "study.toml"]);
    assert_eq!(endpoint.count(), 32);
}

#[test]
fn what_failed_for_good_is_listed_and_asked_again_only_on_request() {
    let place = Place::new();
    let broken = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let fails = std::sync::Arc::clone(&broken);
    let endpoint = Endpoint::start(Duration::ZERO, move |seen| {
        if fails.load(std::sync::atomic::Ordering::SeqCst) && seen.message("user").contains("Tiananmen") {
            Reply::Status(
                400,
                "{\"error\":{\"message\":\"this prompt is not taken\",\"type\":\"invalid_request_error\"}}".to_owned(),
            )
        } else {
            Reply::text("no code here")
        }
    });
    Study::topics(&[study::subject("house", &endpoint, "")]).save(&place);
    let ended = place.run(&["run", "study.toml"]);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    ended.says(&["4 cells have no answer", "house", "this prompt is not taken", "--retry-errors"]);
    let asked = endpoint.count();
    let report = place.report("small.ledger");
    assert_eq!((&report["study"]["answers"], &report["study"]["errors"]), (&12.into(), &4.into()));
    let rows = place.trials("small.ledger");
    assert_eq!(
        rows.iter().filter(|row| !row["error"].is_empty() && row["reason"].contains("not taken")).count(),
        4,
        "failed cells stay visible"
    );

    broken.store(false, std::sync::atomic::Ordering::SeqCst);
    let again = place.run(&["run", "study.toml"]);
    assert_eq!((again.code, endpoint.count()), (Some(3), asked), "a refused request is not asked again by itself\n{again:?}");
    place.ok(&["run", "study.toml", "--retry-errors"]);
    assert_eq!(endpoint.count(), asked + 4);
    assert_eq!(place.report("small.ledger")["study"]["errors"], 0);
}

#[test]
fn a_failing_subject_does_not_stop_the_others() {
    let place = Place::new();
    let endpoint = Endpoint::start(Duration::ZERO, |seen| match seen.model() {
        "locked-model" => Reply::Status(401, "{\"error\":{\"message\":\"no such key\"}}".to_owned()),
        _ => Reply::text("no code here"),
    });
    // Nobody listens where this one is said to be.
    let gone = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}/v1", listener.local_addr().unwrap())
    };
    Study::topics(&[
        study::subject("locked", &endpoint, ""),
        study::at("gone", &gone, ""),
        study::subject("house", &endpoint, ""),
    ])
    .save(&place);
    let ended = place.run(&["run", "study.toml"]);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    ended.says(&["locked", "no such key", "gone", "cells have no answer", "go on with:"]);
    let answered = endpoint.seen().iter().filter(|seen| seen.model() == "house-model").count();
    assert_eq!(answered, 16, "the third subject was asked to its end");
    let locked = endpoint.seen().iter().filter(|seen| seen.model() == "locked-model").count();
    assert!(locked <= 8, "a refused key is not tried over and over: {locked} calls");
    let report = place.report("small.ledger");
    assert_eq!((&report["study"]["answers"], &report["study"]["errors"]), (&16.into(), &32.into()));
    assert!(ended.out.contains("house"), "what is there is shown");
}

#[test]
fn trouble_that_passes_is_tried_again_and_a_pause_is_kept() {
    let place = Place::new();
    let endpoint = Endpoint::start(Duration::ZERO, |seen| match seen.number {
        0 => Reply::Status(500, "{}".to_owned()),
        1 => Reply::Status(429, "{\"error\":{\"message\":\"slow down\"}}".to_owned()),
        2 => Reply::Status(200, "{\"choices\": [".to_owned()),
        _ => Reply::text("no code here"),
    });
    Study::topics(&[study::subject("house", &endpoint, "concurrency = 1")]).save(&place);
    let ended = place.ok(&["run", "study.toml"]);
    assert_eq!(endpoint.count(), 16 + 3, "{ended:?}");
    ended.says(&["16 of 16 trials are answered (16 now, 19 calls", "failed calls"]);
}

#[test]
fn a_second_run_on_the_same_ledger_is_refused_and_names_the_holder() {
    let place = Place::new();
    let endpoint = Endpoint::start(Duration::from_millis(150), |_| Reply::text("no code here"));
    Study::topics(&[study::subject("house", &endpoint, "concurrency = 1")]).save(&place);
    let running = start(&mut place.turncoat(&["run", "study.toml"]));
    until("the first call", || endpoint.count() > 0);
    let holder = format!("process {}", running.id());
    place.run(&["run", "study.toml"]).refused(2, &["small.ledger is in use by `turncoat run`", &holder, "hint:"]);
    place.run(&["analyse", "small.ledger"]).refused(2, &["in use by `turncoat run`", &holder]);
    // Reading is free: nobody waits for a run to see how it stands.
    let rows = place.ok(&["report", "small.ledger", "--format", "csv"]);
    assert_eq!(rows.out.lines().count(), 17, "{rows:?}");
    let ended = running.wait();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(endpoint.count(), 16);
}

#[test]
fn fail_on_turns_a_verdict_into_an_exit_code() {
    let place = Place::new();
    let endpoint = Endpoint::saying("no code here");
    Study::topics(&[study::subject("house", &endpoint, "")]).save(&place);
    place.ok(&["run", "study.toml", "--fail-on", "worse"]);
    let ended = place.run(&["analyse", "small.ledger", "--fail-on", "not-equivalent"]);
    assert_eq!(ended.code, Some(1), "an inconclusive contrast is not equivalent\n{ended:?}");
}

#[test]
fn a_changed_wording_is_a_changed_study_and_an_edited_question_shows_where() {
    let place = Place::new();
    let endpoint = Endpoint::saying("no code here");
    let persona = std::fs::read_to_string(crate::support::program::root().join("data/personas/us-hospital.toml")).unwrap();
    place.write("mine.toml", &persona);
    let mut asked = Study::topics(&[study::subject("house", &endpoint, "temperature = 0.5")]);
    asked.personas = vec!["./mine.toml".to_owned()];
    asked.save(&place);
    place.ok(&["run", "study.toml"]);
    place.write("mine.toml", &persona.replacen("# A United States hospital.", "# A hospital in the United States.", 1));
    place.ok(&["run", "study.toml"]).says(&["0 now"]);
    place.write("mine.toml", &persona.replacen("U.S. general hospital", "U.S. general clinic", 1));
    let refused = place.run(&["run", "study.toml"]);
    refused.refused(2, &["the study changed since the ledger small.ledger was begun", "personas[us-hospital]", "->", "--amend"]);
    place.write("mine.toml", &persona);
    asked.subjects = vec![study::subject("house", &endpoint, "temperature = 0.7")];
    asked.save(&place);
    place.run(&["run", "study.toml"]).refused(2, &["subjects[house]", "temperature: 0.5 -> 0.7"]);
    assert_eq!(endpoint.count(), 16, "nothing was asked by a refused run");
}
