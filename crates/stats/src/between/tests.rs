//! Subjects against each other.

use crate::analysis::analyse;
use crate::calibration::Truth;
use crate::input::SampleOutcome;
use crate::rows::Verdict;

#[test]
fn a_weaker_subject_is_worse_under_every_persona_and_has_no_larger_persona_effect() {
    let truth = Truth { subjects: 2, clusters: 20, repeats: 4, rate: 0.3, task_likeness: 0.1, ..Truth::default() };
    let (design, mut observations) = truth.simulate(1);
    for (place, seen) in observations.iter_mut().enumerate() {
        if seen.subject == 0 && seen.outcome == SampleOutcome::Safe && place % 2 == 0 {
            seen.outcome = SampleOutcome::Exploitable;
        }
    }
    let analysis = analyse(&design, &observations);
    let rows: Vec<_> = analysis.between.iter().filter(|row| row.endpoint == "exploitable").collect();
    assert_eq!(rows.len(), 2);
    for row in rows {
        assert_eq!((row.subject.as_str(), row.against.as_str(), row.verdict), ("subject-0", "subject-1", Verdict::Worse));
        assert!(row.estimate.unwrap() > 0.2 && row.ci_low.unwrap() > 0.0 && row.p_adjusted >= row.p);
    }
    let effects: Vec<_> = analysis.interactions.iter().filter(|row| row.endpoint == "exploitable").collect();
    assert_eq!(effects.len(), 1);
    assert_eq!(effects[0].scale, "ratio");
    assert!(effects[0].ci_low.unwrap() < 1.0 && effects[0].ci_high.unwrap() > 1.0, "{:?}", effects[0]);
}

#[test]
fn an_interaction_without_ratios_is_told_as_a_difference() {
    let (design, mut observations) = Truth { subjects: 2, clusters: 12, repeats: 4, ratio: 1.0, ..Truth::default() }.simulate(2);
    for seen in observations.iter_mut().filter(|seen| seen.persona == 0) {
        seen.outcome = SampleOutcome::Safe;
    }
    for seen in observations.iter_mut().filter(|seen| seen.persona == 1 && seen.subject == 0) {
        seen.outcome = SampleOutcome::Exploitable;
    }
    let analysis = analyse(&design, &observations);
    let row = analysis.interactions.iter().find(|row| row.endpoint == "exploitable").unwrap();
    assert_eq!(row.scale, "difference");
    assert!(row.estimate.unwrap() > 0.6 && row.ci_low.unwrap() > 0.0 && row.ci_high.unwrap() <= 2.0, "{row:?}");
}

#[test]
fn false_interactions_stay_at_the_level() {
    let shown = (0..400)
        .filter(|seed| {
            let truth = Truth { subjects: 2, clusters: 15, ratio: 1.5, wording_sd: 0.2, ..Truth::default() };
            let (design, observations) = truth.simulate(*seed);
            let analysis = analyse(&design, &observations);
            let row = analysis.interactions.iter().find(|row| row.endpoint == "exploitable").unwrap();
            row.p.unwrap() < 0.05
        })
        .count();
    assert!(shown <= 31, "{shown} of 400");
}
