//! The budget under concurrency, across runs, and without prices.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use turncoat_answer::{Answer, ErrorKind, Usage};
use turncoat_runner::{Reason, RunError, StopReason, run};
use turncoat_study::{Plan, Provider};

use crate::support::{Reply, Scripted, answer, answered, failed, ledger, opened, plan, quick, run_now};

fn budgeted(usd: f64) -> Plan {
    Plan { budget_usd: Some(usd), ..plan(&["house", "other"], 6, 4, 2) }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    /// Random costs below the bound, random failures, many calls at once, several runs: never a cent above.
    #[test]
    fn the_budget_is_never_passed(usd in 0.000_5..0.05_f64, seed in any::<u64>(), concurrency in 1_u32..40) {
        let mut plan = budgeted(usd);
        plan.seed = seed;
        for subject in &mut plan.subjects {
            subject.conduct.concurrency = concurrency;
            subject.conduct.attempts = 2;
        }
        let (_folder, ledger) = ledger(&plan);
        let subject = || Scripted::new(move |call, number| {
            let draw = (u64::from(call.seed) ^ seed.rotate_left(number as u32 % 64)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
            match draw % 10 {
                0 => failed(ErrorKind::Timeout, 0, None),
                1 => failed(ErrorKind::Server, 500, None),
                _ => {
                    let usage = Usage { input: (draw % 3 > 0).then_some(draw % 300), output: (draw % 7 > 0).then_some(draw % 1_000), ..Usage::default() };
                    Reply { after: Duration::from_micros(draw % 3_000), result: Ok(Answer { usage, ..answer(call) }), ..answered(call) }
                }
            }
        });
        for _ in 0..3 {
            let summary = run_now(&plan, &ledger, &[("house", subject()), ("other", subject())], &quick());
            prop_assert!(summary.spent_usd <= usd + 1e-9, "{} of {usd}", summary.spent_usd);
            prop_assert!((ledger.spend().unwrap().total_usd() - summary.spent_usd).abs() < 1e-9);
            prop_assert_eq!(summary.unknown, 0);
        }
    }
}

#[test]
fn a_spent_budget_stops_early_says_so_and_a_raised_one_goes_on() {
    // An answer costs 0.00035 USD, its bound is some 0.0017.
    let mut plan = budgeted(0.01);
    let (_folder, ledger) = ledger(&plan);
    let (house, other) = (Scripted::new(|call, _| answered(call)), Scripted::new(|call, _| answered(call)));
    let subjects = [("house", Arc::clone(&house)), ("other", Arc::clone(&other))];
    let summary = run_now(&plan, &ledger, &subjects, &quick());
    assert_eq!(summary.reason, StopReason::Budget);
    assert!(summary.spent_usd <= 0.01);
    // It waits for calls in flight to settle before it gives up: what is left is less than one bound.
    assert!(summary.spent_usd > 0.01 - 0.002, "{}", summary.spent_usd);
    let cells: u64 = summary
        .incomplete
        .iter()
        .filter(|incomplete| incomplete.reason == Reason::Budget)
        .map(|incomplete| incomplete.cells)
        .sum();
    assert_eq!(cells, summary.planned - summary.answered_now);

    plan.budget_usd = Some(1.0);
    ledger.reconcile(&plan, None).unwrap();
    let summary = run_now(&plan, &ledger, &subjects, &quick());
    assert_eq!((summary.reason.clone(), summary.is_complete()), (StopReason::Done, true));
    assert_eq!(house.calls() + other.calls(), 192);
}

#[test]
fn a_budget_without_a_price_is_refused_unless_the_subject_is_free() {
    let mut plan = budgeted(1.0);
    plan.subjects[1].conduct.price = None;
    let (_folder, ledger) = ledger(&plan);
    let subject = Scripted::new(|call, _| answered(call));
    let subjects = opened(&[("house", Arc::clone(&subject)), ("other", Arc::clone(&subject))]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let refused = runtime.block_on(run(&plan, &ledger, &subjects, &quick(), &|_| {})).unwrap_err();
    assert_eq!(refused, RunError::NoPrice("other".to_owned()));
    assert_eq!(subject.calls(), 0);

    for spec in &mut plan.subjects {
        spec.endpoint.provider = Provider::Mole;
        spec.conduct.price = None;
    }
    plan.budget_usd = Some(0.0);
    ledger.reconcile(&plan, Some("moles")).unwrap();
    let summary = runtime.block_on(run(&plan, &ledger, &subjects, &quick(), &|_| {})).unwrap();
    assert!(summary.is_complete() && summary.spent_usd == 0.0);
}
