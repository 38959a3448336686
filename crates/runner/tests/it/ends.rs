//! How runs and subjects end: failures of one, stops by people, a ledger that cannot be written.

use std::sync::Arc;
use std::time::{Duration, Instant};

use turncoat_answer::ErrorKind;
use turncoat_ledger::LedgerError;
use turncoat_runner::{Event, Options, Reason, Stop, StopReason};

use crate::support::{Reply, Scripted, answered, failed, ledger, plan, quick, run_now, run_telling};

#[test]
fn a_wrong_key_stops_its_subject_alone_and_is_asked_again_next_time() {
    let plan = plan(&["house", "other"], 5, 4, 1);
    let (_folder, ledger) = ledger(&plan);
    let house = Scripted::new(|_, _| failed(ErrorKind::Auth, 401, None));
    let other = Scripted::new(|call, _| Reply { after: Duration::from_millis(2), ..answered(call) });
    let told = std::cell::RefCell::new(Vec::new());
    let summary = run_telling(&plan, &ledger, &[("house", Arc::clone(&house)), ("other", other)], &quick(), &|event| {
        if let Event::SubjectDown { subject, kind, .. } = event {
            told.borrow_mut().push((subject, kind));
        }
    });
    assert_eq!(told.into_inner(), [("house".to_owned(), ErrorKind::Auth)]);
    assert_eq!(summary.reason, StopReason::SubjectsDown(vec!["house".to_owned()]));
    assert_eq!(summary.answered_now, 40);
    assert!(house.calls() <= 16, "those that were on their way: {}", house.calls());
    let cells = |reason: &Reason| summary.incomplete.iter().find(|incomplete| incomplete.reason == *reason).unwrap().cells;
    assert_eq!(cells(&Reason::Failed(ErrorKind::Auth)) + cells(&Reason::SubjectDown), 40);

    let mended = Scripted::new(|call, _| answered(call));
    let summary =
        run_now(&plan, &ledger, &[("house", Arc::clone(&mended)), ("other", Scripted::new(|call, _| answered(call)))], &quick());
    assert!(summary.is_complete());
    assert_eq!(mended.calls(), 40);
}

#[test]
fn transient_errors_are_tried_again_and_bounded_by_the_studys_attempts() {
    let mut plan = plan(&["house"], 4, 2, 1);
    plan.subjects[0].conduct.attempts = 3;
    let (_folder, ledger) = ledger(&plan);
    // One trial never gets an answer, one gets it at the third attempt.
    let trials = plan.trials();
    let (never, third) = (trials[2].key.seed(), trials[5].key.seed());
    let tries = std::sync::atomic::AtomicU32::new(0);
    let subject = Scripted::new(move |call, _| {
        if call.seed == never || (call.seed == third && tries.fetch_add(1, std::sync::atomic::Ordering::SeqCst) < 2) {
            failed(ErrorKind::Broken, 200, None)
        } else {
            answered(call)
        }
    });
    let subjects = [("house", Arc::clone(&subject))];
    let summary = run_now(&plan, &ledger, &subjects, &quick());
    assert_eq!((summary.answered_now, summary.calls), (15, 14 + 3 + 3));
    assert_eq!(summary.reason, StopReason::Done);
    assert_eq!(summary.failed_calls[&ErrorKind::Broken], 5);
    assert_eq!(summary.incomplete.len(), 1);
    assert_eq!((&summary.incomplete[0].reason, summary.incomplete[0].cells), (&Reason::Failed(ErrorKind::Broken), 1));
    assert_eq!(summary.incomplete[0].example.as_deref(), Some("scripted broken"));
    // A broken connection is transient: the next run asks again by itself.
    assert_eq!(run_now(&plan, &ledger, &subjects, &quick()).calls, 3);
}

#[test]
fn errors_of_the_request_itself_are_asked_again_on_demand_alone() {
    let plan = plan(&["house"], 4, 2, 1);
    let (_folder, ledger) = ledger(&plan);
    let bad = plan.trials()[3].key.seed();
    let subject =
        Scripted::new(move |call, _| if call.seed == bad { failed(ErrorKind::BadRequest, 400, None) } else { answered(call) });
    let subjects = [("house", Arc::clone(&subject))];
    let summary = run_now(&plan, &ledger, &subjects, &quick());
    assert_eq!((summary.answered_now, summary.calls, summary.reason.clone()), (15, 16, StopReason::Done));
    let summary = run_now(&plan, &ledger, &subjects, &quick());
    assert_eq!((summary.calls, &summary.incomplete[0].reason), (0, &Reason::Failed(ErrorKind::BadRequest)));
    assert_eq!(run_now(&plan, &ledger, &subjects, &Options { retry_errors: true, ..quick() }).calls, 1);
}

#[test]
fn a_server_that_is_down_is_given_up_before_every_trial_has_been_tried() {
    let plan = plan(&["house"], 50, 4, 2);
    let (_folder, ledger) = ledger(&plan);
    let subject = Scripted::new(|_, _| failed(ErrorKind::Connect, 0, None));
    let summary = run_now(&plan, &ledger, &[("house", Arc::clone(&subject))], &quick());
    assert_eq!(summary.reason, StopReason::SubjectsDown(vec!["house".to_owned()]));
    assert!(subject.calls() < 200, "{} calls to a server that is not there, of 800 trials", subject.calls());
    let cells: u64 = summary.incomplete.iter().map(|incomplete| incomplete.cells).sum();
    assert_eq!(cells, 800);
}

#[test]
fn an_address_where_nobody_listens_is_told_in_seconds() {
    let plan = plan(&["house"], 50, 4, 2);
    let (_folder, ledger) = ledger(&plan);
    let subject = Scripted::new(|_, _| failed(ErrorKind::Connect, 0, None));
    let begun = std::time::Instant::now();
    // The waits of a real run.
    let summary = run_now(&plan, &ledger, &[("house", Arc::clone(&subject))], &Options::default());
    assert_eq!(summary.reason, StopReason::SubjectsDown(vec!["house".to_owned()]));
    assert!(begun.elapsed() < Duration::from_secs(40), "given up after {:?}", begun.elapsed());
}

#[test]
fn a_subject_whose_code_fails_loses_one_call_not_the_run() {
    let plan = plan(&["house"], 4, 2, 1);
    let (_folder, ledger) = ledger(&plan);
    let bad = plan.trials()[1].key.seed();
    let subject = Scripted::new(move |call, _| if call.seed == bad { panic!("a bug") } else { answered(call) });
    let summary = run_now(&plan, &ledger, &[("house", subject)], &quick());
    assert_eq!((summary.answered_now, &summary.incomplete[0].reason), (15, &Reason::Failed(ErrorKind::Engine)));
}

/// A run of slow calls that is told to stop after a while.
fn stopped(grace: Option<Duration>, twice: bool) -> (turncoat_runner::Summary, Duration) {
    let mut plan = plan(&["house"], 10, 4, 1);
    plan.subjects[0].conduct.concurrency = 8;
    let (_folder, ledger) = ledger(&plan);
    let stop = Stop::new();
    let handle = stop.clone();
    let subject = Scripted::new(move |call, number| {
        if number == 20 {
            let handle = handle.clone();
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(20)).await;
                handle.gently();
                if twice {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    handle.at_once();
                }
            });
        }
        Reply { after: Duration::from_millis(if number >= 20 { 3_000 } else { 5 }), ..answered(call) }
    });
    let started = Instant::now();
    let summary = run_now(&plan, &ledger, &[("house", Arc::clone(&subject))], &Options { stop, grace, ..quick() });
    let elapsed = started.elapsed();
    // Whatever the end, the ledger knows every call.
    assert_eq!(summary.calls as usize, subject.calls());
    let reader = ledger.reader().unwrap();
    let totals = reader.totals().unwrap();
    let not_sent = totals[0].failed_attempts.get(&ErrorKind::Connect).copied().unwrap_or(0);
    assert_eq!((totals[0].answers, totals[0].attempts - not_sent), (summary.answered_now, summary.calls));
    assert!(not_sent <= 8, "few are written down ahead");
    assert_eq!(totals[0].unknown, summary.unknown);
    (summary, elapsed)
}

#[test]
fn a_gentle_stop_finishes_the_calls_in_flight() {
    let (summary, elapsed) = stopped(None, false);
    assert_eq!(summary.reason, StopReason::Interrupted);
    assert_eq!((summary.answered_now, summary.unknown), (summary.calls, 0));
    assert!(elapsed > Duration::from_millis(3_000));
    let left = &summary.incomplete[0];
    assert_eq!((&left.reason, left.cells), (&Reason::Interrupted, 80 - summary.answered_now));
}

#[test]
fn a_second_stop_or_the_end_of_the_grace_gives_them_up_and_loses_no_answer() {
    for (grace, twice) in [(None, true), (Some(Duration::from_millis(100)), false)] {
        let (summary, elapsed) = stopped(grace, twice);
        assert_eq!(summary.reason, StopReason::Interrupted);
        assert!(summary.unknown > 0 && summary.answered_now >= 19, "{summary:?}");
        assert!(elapsed < Duration::from_millis(2_800), "{elapsed:?}");
        assert!(summary.incomplete.iter().any(|left| left.reason == Reason::Unknown && left.cells == summary.unknown));
        assert!(summary.spent_usd > summary.unknown as f64 * 0.0015, "given-up calls stay reserved");
    }
}

#[test]
fn a_ledger_that_is_full_ends_the_run_and_keeps_what_it_has() {
    let plan = plan(&["house", "other"], 40, 4, 2);
    let (folder, ledger) = ledger(&plan);
    ledger.limit_pages(40).unwrap();
    let subject = || Scripted::new(|call, _| answered(call));
    // The other subject is in a long pause when the ledger fails: it must not be waited for.
    let paused = Scripted::new(|_, _| failed(ErrorKind::RateLimited, 429, Some(Duration::from_secs(600))));
    let started = Instant::now();
    let summary = run_now(&plan, &ledger, &[("house", subject()), ("other", paused)], &quick());
    assert!(started.elapsed() < Duration::from_secs(60));
    assert!(matches!(summary.reason, StopReason::Ledger(LedgerError::Full { .. })), "{:?}", summary.reason);
    assert!(summary.answered_now > 0 && !summary.is_complete());
    drop(ledger);
    let ledger = turncoat_ledger::Ledger::open(folder.path(), "test").unwrap();
    assert_eq!(ledger.reader().unwrap().remaining(&plan.trials(), false).unwrap().answered, summary.answered_now);
    let summary = run_now(&plan, &ledger, &[("house", subject()), ("other", subject())], &quick());
    assert!(summary.is_complete(), "{summary:?}");
}
