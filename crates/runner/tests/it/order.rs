//! What is asked, in which order, and what a later run leaves out.

use std::sync::Arc;

use turncoat_ledger::Reconciled;
use turncoat_runner::{Event, Options, Reason, RunError, StopReason, run};
use turncoat_study::{Plan, Role};

use crate::support::{Scripted, answered, ledger, opened, persona, plan, quick, run_now, run_telling};

/// The seeds in the order a subject of one call at a time was asked.
fn asked(plan: &Plan) -> Vec<u32> {
    let (_folder, ledger) = ledger(plan);
    let subject = Scripted::new(|call, _| answered(call));
    let summary = run_now(plan, &ledger, &[("house", Arc::clone(&subject))], &quick());
    assert_eq!(summary.reason, StopReason::Done);
    let asked = subject.asked.lock().unwrap();
    asked.iter().map(|(_, call)| call.seed).collect()
}

#[test]
fn the_studys_seed_decides_the_order_and_mixes_the_arms() {
    let mut plan = plan(&["house"], 5, 4, 2);
    plan.subjects[0].conduct.concurrency = 1;
    let first = asked(&plan);
    assert_eq!(first, asked(&plan));
    assert_eq!(first, plan.trials().iter().map(|trial| trial.key.seed()).collect::<Vec<_>>());
    plan.seed += 1;
    assert_ne!(first, asked(&plan));
    // 80 trials of two arms in random order change arms some 40 times.
    let trials = plan.trials();
    let changes = trials.windows(2).filter(|pair| pair[0].persona != pair[1].persona).count();
    assert!((25..=55).contains(&changes), "{changes}");
}

#[test]
fn every_repeat_is_asked_and_a_second_run_asks_nothing() {
    let plan = plan(&["house"], 3, 2, 3);
    let (_folder, ledger) = ledger(&plan);
    let subject = Scripted::new(|call, _| answered(call));
    let subjects = [("house", Arc::clone(&subject))];
    let summary = run_now(&plan, &ledger, &subjects, &quick());
    assert_eq!((summary.planned, summary.answered_now, summary.calls), (36, 36, 36));
    assert!(summary.is_complete());
    let mut seeds: Vec<u32> = subject.asked.lock().unwrap().iter().map(|(_, call)| call.seed).collect();
    seeds.sort_unstable();
    seeds.dedup();
    assert_eq!(seeds.len(), 36, "equal prompts of different repeats are different trials");

    let again = run_now(&plan, &ledger, &subjects, &quick());
    assert_eq!((again.answered_before, again.answered_now, again.calls), (36, 0, 0));
    assert_eq!((again.reason.clone(), again.is_complete()), (StopReason::Done, true));
    assert_eq!(subject.calls(), 36);
}

#[test]
fn added_personas_and_repeats_ask_the_difference_alone() {
    let mut plan = plan(&["house"], 3, 2, 1);
    let (_folder, ledger) = ledger(&plan);
    let subject = Scripted::new(|call, _| answered(call));
    let subjects = [("house", Arc::clone(&subject))];
    run_now(&plan, &ledger, &subjects, &quick());
    assert_eq!(subject.calls(), 12);
    plan.personas.push(persona("bank", Role::Control, 2));
    plan.repeats = 2;
    assert!(matches!(ledger.reconcile(&plan, Some("more")).unwrap(), Reconciled::Amended(_)));
    let summary = run_now(&plan, &ledger, &subjects, &quick());
    assert_eq!((summary.answered_before, summary.answered_now), (12, 24));
    assert_eq!(subject.calls(), 36);
}

#[test]
fn only_one_subject_or_only_so_many_trials() {
    let plan = plan(&["one", "two"], 2, 2, 1);
    let (_folder, ledger) = ledger(&plan);
    let (one, two) = (Scripted::new(|call, _| answered(call)), Scripted::new(|call, _| answered(call)));
    let subjects = [("one", Arc::clone(&one)), ("two", Arc::clone(&two))];
    let summary = run_now(&plan, &ledger, &subjects, &Options { only: Some("two".to_owned()), ..quick() });
    assert_eq!((one.calls(), two.calls(), summary.reason.clone()), (0, 8, StopReason::Done));
    assert_eq!(summary.incomplete.len(), 1);
    assert_eq!(
        (summary.incomplete[0].subject.as_str(), &summary.incomplete[0].reason, summary.incomplete[0].cells),
        ("one", &Reason::NotChosen, 8)
    );

    let summary = run_now(&plan, &ledger, &subjects, &Options { limit: Some(3), ..quick() });
    assert_eq!((one.calls(), summary.answered_now, summary.reason.clone()), (3, 3, StopReason::Limit));
    assert_eq!((&summary.incomplete[0].reason, summary.incomplete[0].cells), (&Reason::Limit, 5));

    // What is answered need not be opened again; what is not must be.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let unknown = Options { only: Some("three".to_owned()), ..quick() };
    let refused = runtime.block_on(run(&plan, &ledger, &opened(&subjects), &unknown, &|_| {})).unwrap_err();
    assert_eq!(refused.to_string(), "the study has no subject `three`; its subjects are one, two");
    let refused = runtime.block_on(run(&plan, &ledger, &opened(&subjects[1..]), &quick(), &|_| {})).unwrap_err();
    assert_eq!(refused, RunError::NotOpened("one".to_owned()));
    let summary = runtime.block_on(run(&plan, &ledger, &opened(&subjects[..1]), &quick(), &|_| {})).unwrap();
    assert!(summary.is_complete());
}

#[test]
fn the_last_progress_is_the_whole() {
    let plan = plan(&["one", "two"], 4, 4, 1);
    let (_folder, ledger) = ledger(&plan);
    let subjects = [("one", Scripted::new(|call, _| answered(call))), ("two", Scripted::new(|call, _| answered(call)))];
    run_now(&plan, &ledger, &subjects, &Options { limit: Some(10), ..quick() });
    let told = std::cell::RefCell::new(Vec::new());
    run_telling(&plan, &ledger, &subjects, &quick(), &|event| {
        if let Event::Progress(progress) = event {
            told.borrow_mut().push(progress);
        }
    });
    let told = told.into_inner();
    assert!(told.windows(2).all(|pair| pair[0].done <= pair[1].done));
    let last = told.last().unwrap();
    assert_eq!((last.done, last.total, last.left, last.in_flight), (64, 64, 0, 0));
    assert!(last.subjects.iter().all(|subject| subject.done == 32 && subject.total == 32), "{:?}", last.subjects);
    // 100 tokens in at 0.5 and 200 out at 1.5 USD per million.
    assert!((last.spent_usd - 64.0 * 0.000_35).abs() < 1e-9, "{}", last.spent_usd);
    assert!((last.projected_usd.unwrap() - last.spent_usd).abs() < 1e-9);
}
