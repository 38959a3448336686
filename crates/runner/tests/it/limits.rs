//! Concurrency, rates, refusals and pauses.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use turncoat_answer::ErrorKind;
use turncoat_runner::{Reason, StopReason};
use turncoat_subject::{Allowance, RateHints};

use crate::support::{Reply, Scripted, answered, failed, ledger, plan, quick, run_now};

fn slow(call: &turncoat_subject::Call, ms: u64) -> Reply {
    Reply { after: Duration::from_millis(ms), ..answered(call) }
}

#[test]
fn no_more_calls_are_in_flight_than_allowed_and_not_many_fewer() {
    let mut plan = plan(&["house"], 20, 4, 4);
    plan.subjects[0].conduct.concurrency = 40;
    let (_folder, ledger) = ledger(&plan);
    let subject = Scripted::new(|call, _| slow(call, 80));
    let summary = run_now(&plan, &ledger, &[("house", Arc::clone(&subject))], &quick());
    assert_eq!(summary.answered_now, 640);
    // A call that is still being written down counts as well, so that fewer may be with the server on a slow disk.
    let most = subject.most_in_flight.load(Ordering::SeqCst);
    assert!((24..=40).contains(&most), "{most}: it grows from half of what is allowed");
}

#[test]
fn requests_a_minute_are_kept() {
    let mut plan = plan(&["house"], 3, 2, 1);
    plan.subjects[0].conduct.requests_per_minute = Some(1_200);
    let (_folder, ledger) = ledger(&plan);
    let subject = Scripted::new(|call, _| answered(call));
    let started = Instant::now();
    run_now(&plan, &ledger, &[("house", Arc::clone(&subject))], &quick());
    // A second's worth is 19; the bucket lets all twelve through at once.
    assert!(started.elapsed() < Duration::from_secs(5));

    let mut plan = crate::support::plan(&["house"], 3, 2, 1);
    plan.subjects[0].conduct.requests_per_minute = Some(60);
    plan.subjects[0].conduct.concurrency = 64;
    let (_folder, ledger) = crate::support::ledger(&plan);
    let subject = Scripted::new(|call, _| answered(call));
    let started = Instant::now();
    let options = turncoat_runner::Options { limit: Some(4), ..quick() };
    run_now(&plan, &ledger, &[("house", Arc::clone(&subject))], &options);
    let asked = subject.asked.lock().unwrap();
    assert_eq!(asked.len(), 4);
    for (number, (at, _)) in asked.iter().enumerate() {
        assert!(*at - started >= Duration::from_millis(990 * number as u64), "one a second");
    }
}

#[test]
fn retry_after_is_kept_for_the_whole_subject() {
    for status in [429, 503] {
        let mut plan = plan(&["house"], 4, 2, 1);
        plan.subjects[0].conduct.concurrency = 4;
        let (_folder, ledger) = ledger(&plan);
        let refused_at = Arc::new(Mutex::new(None));
        let noted = Arc::clone(&refused_at);
        let kind = if status == 429 { ErrorKind::RateLimited } else { ErrorKind::Server };
        let subject = Scripted::new(move |call, number| {
            if number == 5 {
                *noted.lock().unwrap() = Some(Instant::now());
                failed(kind, status, Some(Duration::from_millis(700)))
            } else {
                slow(call, 15)
            }
        });
        let summary = run_now(&plan, &ledger, &[("house", Arc::clone(&subject))], &quick());
        assert_eq!((summary.answered_now, summary.calls), (16, 17));
        let refused_at = refused_at.lock().unwrap().unwrap();
        let asked = subject.asked.lock().unwrap();
        let mut after: Vec<Duration> = asked.iter().filter(|(at, _)| *at > refused_at).map(|(at, _)| *at - refused_at).collect();
        after.sort();
        // The three calls that were on their way when the refusal came are no longer to be held back.
        assert!(after.iter().skip(3).all(|wait| *wait >= Duration::from_millis(700)), "{status}: {after:?}");
        let next = after.iter().find(|wait| **wait >= Duration::from_millis(700)).unwrap();
        assert!(*next < Duration::from_secs(3), "{status}: and soon after its end: {after:?}");
    }
}

#[test]
fn a_pause_of_hours_ends_the_subject_instead() {
    let plan = plan(&["house", "other"], 2, 2, 1);
    let (_folder, ledger) = ledger(&plan);
    let house = Scripted::new(|_, _| failed(ErrorKind::RateLimited, 429, Some(Duration::from_secs(7_200))));
    let other = Scripted::new(|call, _| answered(call));
    let summary = run_now(&plan, &ledger, &[("house", house), ("other", Arc::clone(&other))], &quick());
    assert_eq!(summary.reason, StopReason::SubjectsDown(vec!["house".to_owned()]));
    assert_eq!(other.calls(), 8);
}

#[test]
fn a_server_that_serves_few_at_a_time_is_served_in_full() {
    // Refuses whatever is above three calls at once, without a word about when to come back.
    let mut plan = plan(&["house"], 10, 4, 2);
    plan.subjects[0].conduct.concurrency = 64;
    let (_folder, ledger) = ledger(&plan);
    let busy = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let subject = {
        let busy = Arc::clone(&busy);
        Scripted::new(move |call, _| {
            // In flight is counted by the subject itself; the reply takes 5 ms, a refusal none.
            if busy.fetch_add(1, Ordering::SeqCst) >= 3 {
                busy.fetch_sub(1, Ordering::SeqCst);
                return failed(ErrorKind::RateLimited, 429, None);
            }
            let busy = Arc::clone(&busy);
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(5)).await;
                busy.fetch_sub(1, Ordering::SeqCst);
            });
            slow(call, 5)
        })
    };
    let summary = run_now(&plan, &ledger, &[("house", Arc::clone(&subject))], &quick());
    assert_eq!((summary.answered_now, summary.reason.clone()), (160, StopReason::Done), "{summary:?}");
    let refusals = summary.failed_calls.get(&ErrorKind::RateLimited).copied().unwrap_or(0);
    assert!(refusals > 0 && refusals < 400, "a storm dies down: {refusals} refusals for 160 answers");
}

#[test]
fn a_server_that_always_refuses_is_given_up_and_its_cells_stay_visible() {
    let mut plan = plan(&["house", "other"], 4, 4, 4);
    plan.subjects[0].conduct.concurrency = 4;
    let (_folder, ledger) = ledger(&plan);
    let house = Scripted::new(|_, _| failed(ErrorKind::RateLimited, 429, None));
    let other = Scripted::new(|call, _| answered(call));
    let summary = run_now(&plan, &ledger, &[("house", Arc::clone(&house)), ("other", Arc::clone(&other))], &quick());
    assert_eq!(summary.reason, StopReason::SubjectsDown(vec!["house".to_owned()]));
    assert_eq!((summary.answered_now, other.calls()), (128, 128));
    assert!(house.calls() < 60, "{} calls to a server that refuses all", house.calls());
    let cells: u64 = summary.incomplete.iter().map(|incomplete| incomplete.cells).sum();
    assert_eq!(cells, 128);
    assert!(summary.incomplete.iter().all(|incomplete| incomplete.subject == "house"));
    assert!(summary.incomplete.iter().any(|incomplete| incomplete.reason == Reason::SubjectDown));
}

#[test]
fn what_the_server_says_is_left_slows_calls_down_before_it_refuses() {
    // Twelve calls a window of 400 ms; one more is refused.
    let mut plan = plan(&["house"], 6, 4, 1);
    plan.subjects[0].conduct.concurrency = 4;
    let (_folder, ledger) = ledger(&plan);
    let window: Arc<Mutex<(Instant, u64)>> = Arc::new(Mutex::new((Instant::now(), 0)));
    let length = Duration::from_millis(400);
    let subject = Scripted::new(move |call, _| {
        let mut window = window.lock().unwrap();
        if window.0.elapsed() >= length {
            *window = (Instant::now(), 0);
        }
        window.1 += 1;
        let requests = Allowance {
            limit: Some(12),
            remaining: Some(12_u64.saturating_sub(window.1)),
            reset: Some(length - window.0.elapsed()),
        };
        let hints = RateHints { requests, tokens: Allowance::default() };
        if window.1 > 12 {
            Reply { hints, ..failed(ErrorKind::RateLimited, 429, None) }
        } else {
            Reply { hints, ..slow(call, 3) }
        }
    });
    let summary = run_now(&plan, &ledger, &[("house", subject)], &quick());
    assert_eq!(summary.answered_now, 48);
    let refusals = summary.failed_calls.get(&ErrorKind::RateLimited).copied().unwrap_or(0);
    assert!(refusals <= 6, "{refusals} refusals");
}
