//! The whole analysis: nothing infinite, nothing unexplained, nothing left to chance.

use super::*;
use crate::calibration::{Truth, blank};
use crate::input::SampleOutcome;

/// Every number of every row is finite, or missing with a reason.
fn check(analysis: &Analysis) {
    let sound = |numbers: &[Option<f64>], reason: &Option<String>| {
        for number in numbers {
            match number {
                Some(number) => assert!(number.is_finite(), "{numbers:?} {reason:?}"),
                None => assert!(reason.is_some(), "{numbers:?}"),
            }
        }
    };
    for row in &analysis.rates {
        sound(&[row.rate, row.ci_low, row.ci_high], &row.reason);
        assert!(row.rate.is_none() || (row.ci_low <= row.rate && row.rate <= row.ci_high), "{row:?}");
    }
    for row in &analysis.contrasts {
        sound(&[row.estimate, row.ci_low, row.ci_high, row.p, row.p_adjusted, row.mde], &row.reason);
        assert!(row.ci_low.is_none() || row.ci_low < row.ci_high, "{row:?}");
        for bound in [row.selection_low, row.selection_high].into_iter().flatten() {
            assert!(bound.is_finite());
        }
    }
    for row in &analysis.between {
        sound(&[row.estimate, row.ci_low, row.ci_high, row.p, row.p_adjusted], &row.reason);
    }
    for row in &analysis.interactions {
        sound(&[row.estimate, row.ci_low, row.ci_high, row.p, row.p_adjusted], &row.reason);
    }
    for row in &analysis.aa {
        sound(&[row.estimate, row.ci_low, row.ci_high], &row.reason);
    }
}

#[test]
fn degenerate_studies_have_no_infinite_number() {
    let shapes = [(1, 1, 1), (1, 8, 2), (2, 1, 1), (2, 2, 1), (10, 8, 1), (12, 8, 2)];
    let outcomes = [
        SampleOutcome::Exploitable,
        SampleOutcome::Safe,
        SampleOutcome::Broken,
        SampleOutcome::Refused,
        SampleOutcome::Unproven,
        SampleOutcome::Missing,
    ];
    for (clusters, wordings, repeats) in shapes {
        let truth = Truth { subjects: 2, treatments: 2, clusters, wordings, repeats, ..Truth::default() };
        let (mut design, observations) = truth.simulate(1);
        design.personas[2].role = "placebo".to_owned();
        check(&analyse(&design, &observations));
        for treated in outcomes {
            for baseline in outcomes {
                let mut forced = observations.clone();
                for seen in &mut forced {
                    seen.outcome = if seen.persona == 1 { treated } else { baseline };
                    seen.alerted = Some(seen.wording == 0);
                    seen.findings_count = Some(0);
                    seen.findings_weighted = Some(0.0);
                    seen.code_lines = Some(0);
                    seen.audit_hits = Some((1, 1));
                    seen.false_alarms = Some(0);
                }
                check(&analyse(&design, &forced));
                design.fixed_texts = !design.fixed_texts;
            }
        }
    }
}

#[test]
fn an_empty_study_says_why() {
    let (design, _) = Truth::default().simulate(1);
    let analysis = analyse(&design, &[]);
    check(&analysis);
    assert_eq!(analysis.contrasts.len(), 2);
    assert!(analysis.contrasts.iter().all(|row| row.estimate.is_none()));
}

#[test]
fn neither_threads_nor_order_nor_seed_change_a_bit() {
    let truth = Truth { subjects: 3, treatments: 3, wording_sd: 0.2, ..Truth::default() };
    let (mut design, mut observations) = truth.simulate(7);
    let with = |threads: usize, design: &Design, observations: &[Observation]| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        serde_json::to_string(&pool.install(|| analyse(design, observations))).unwrap()
    };
    let one = with(1, &design, &observations);
    assert_eq!(one, with(4, &design, &observations));
    observations.reverse();
    design.seed += 1;
    assert_eq!(one, with(2, &design, &observations));
}

#[test]
fn names_outside_the_design_are_ignored() {
    let (design, mut observations) = Truth::default().simulate(1);
    let before = analyse(&design, &observations);
    let mut stranger = blank(9, 0, 0, 0, 0);
    stranger.outcome = SampleOutcome::Exploitable;
    let mut nobody = blank(0, 9, 0, 0, 0);
    nobody.outcome = SampleOutcome::Exploitable;
    observations.extend([stranger, nobody]);
    assert_eq!(before, analyse(&design, &observations));
}

#[test]
fn audits_have_recall_and_false_alarms() {
    let (design, mut observations) = Truth { clusters: 12, ..Truth::default() }.simulate(1);
    for seen in &mut observations {
        seen.is_code = false;
        seen.outcome = SampleOutcome::Answered;
        seen.audit_hits = Some((if seen.persona == 1 && seen.repeat == 0 { 0 } else { 2 }, 2));
        seen.false_alarms = Some(u32::from(seen.persona == 1));
    }
    let analysis = analyse(&design, &observations);
    let row = |endpoint: &str| analysis.contrasts.iter().find(|row| row.endpoint == endpoint).unwrap();
    assert_eq!(row("audit_recall").estimate, Some(-0.5));
    assert_eq!(row("audit_recall").verdict, crate::Verdict::Worse);
    assert_eq!(row("false_alarms").estimate, Some(1.0));
    assert_eq!(row("false_alarms").verdict, crate::Verdict::Worse);
}
