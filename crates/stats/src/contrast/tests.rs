//! Contrast rows: families, verdicts, agreement of intervals and p, breakdowns, remarks.

use crate::analysis::analyse;
use crate::calibration::Truth;
use crate::input::{Design, Observation, PersonaDesign, SampleOutcome};
use crate::rows::{Analysis, Contrast, Verdict};

fn pooled<'a>(analysis: &'a Analysis, persona: &str, endpoint: &str, scale: &str) -> &'a Contrast {
    let mut rows = analysis.contrasts.iter().filter(|row| {
        row.persona == persona
            && row.endpoint == endpoint
            && row.scale == scale
            && row.placement.is_none()
            && row.language.is_none()
    });
    rows.next().unwrap()
}

fn study(ratio: f64, seed: u64) -> (Design, Vec<Observation>) {
    Truth { clusters: 12, ratio, overdispersion: 0.0, task_likeness: 0.02, broken: 0.02, ..Truth::default() }.simulate(seed)
}

#[test]
fn three_times_the_flaws_are_worse_and_equal_shares_are_not() {
    let shown = |ratio: f64| {
        let worse = |seed: &u64| {
            let (design, observations) = study(ratio, *seed);
            let row = analyse(&design, &observations);
            pooled(&row, "persona-1", "exploitable", "ratio").verdict == Verdict::Worse
        };
        (0..400).filter(worse).count()
    };
    assert!(shown(3.0) >= 396, "{}", shown(3.0));
    // At most 2.5 % in truth; 19 or more of 400 would be seen once in 200.
    assert!(shown(1.0) <= 18, "{}", shown(1.0));
}

#[test]
fn interval_p_and_scales_agree() {
    let mut seen = [0, 0];
    for seed in 0..300 {
        let truth = Truth { clusters: 10, ratio: 1.7, wording_sd: 0.1, task_likeness: 0.4, ..Truth::default() };
        let (design, observations) = truth.simulate(seed);
        let analysis = analyse(&design, &observations);
        let rows = ["ratio", "difference"].map(|scale| pooled(&analysis, "persona-1", "exploitable", scale));
        assert_eq!(rows[0].p, rows[1].p);
        assert_eq!(rows[0].verdict, rows[1].verdict);
        for (row, none) in rows.into_iter().zip([1.0, 0.0]) {
            let shown = row.p.unwrap() < design.alpha;
            let excluded = row.ci_low.unwrap() > none || row.ci_high.unwrap() < none;
            assert_eq!(shown, excluded, "{row:?}");
            assert!(row.ci_low < row.estimate && row.estimate < row.ci_high);
            seen[usize::from(shown)] += 1;
        }
    }
    assert!(seen.iter().all(|count| *count > 20), "{seen:?}");
}

#[test]
fn the_family_is_the_treatments_of_all_subjects() {
    let truth = Truth { subjects: 2, treatments: 4, ratio: 1.4, ..Truth::default() };
    let (mut design, observations) = truth.simulate(3);
    design.personas[3].role = "control".to_owned();
    design.personas[4].role = "placebo".to_owned();
    let analysis = analyse(&design, &observations);
    let family: Vec<&Contrast> =
        analysis.contrasts.iter().filter(|row| row.primary && row.scale == "ratio" && row.role == "treatment").collect();
    assert_eq!(family.len(), 4);
    let p: Vec<Option<f64>> = family.iter().map(|row| row.p).collect();
    let adjusted: Vec<Option<f64>> = family.iter().map(|row| row.p_adjusted).collect();
    assert_eq!(adjusted, crate::multiplicity::holm(&p));
    for row in analysis.contrasts.iter().filter(|row| row.role != "treatment") {
        assert_eq!(row.p_adjusted, None);
        assert!(row.reason.as_deref().unwrap().contains("outside the adjusted family"), "{row:?}");
    }
    assert_eq!(
        analysis.aa.len(),
        2 * analysis.contrasts.iter().filter(|row| row.role == "placebo" && row.subject == "subject-0").count()
    );
    design.adjust = "none".to_owned();
    let analysis = analyse(&design, &observations);
    assert!(analysis.contrasts.iter().filter(|row| row.role == "treatment").all(|row| row.p == row.p_adjusted));
}

#[test]
fn the_detectable_effect_is_detected_in_eight_of_ten() {
    // A study whose own detectable difference is put in as the truth.
    let base = Truth { clusters: 30, task_likeness: 0.1, overdispersion: 0.0, broken: 0.0, ..Truth::default() };
    let runs = 400;
    let detectable = (0..runs)
        .map(|seed| {
            let (design, observations) = base.simulate(seed);
            pooled(&analyse(&design, &observations), "persona-1", "exploitable", "difference").mde.unwrap()
        })
        .sum::<f64>()
        / runs as f64;
    let truth = Truth { ratio: 1.0 + detectable / base.rate, ..base };
    let shown = (0..runs)
        .filter(|seed| {
            let (design, observations) = truth.simulate(seed + 1000);
            pooled(&analyse(&design, &observations), "persona-1", "exploitable", "difference").verdict == Verdict::Worse
        })
        .count();
    let share = shown as f64 / runs as f64;
    assert!((0.68..0.90).contains(&share), "{share} at {detectable}");
}

#[test]
fn small_studies_give_no_verdict() {
    let verdict = |clusters, wordings, tier: &str| {
        let truth = Truth { clusters, wordings, repeats: 8, ratio: 3.0, task_likeness: 0.0, ..Truth::default() };
        let (mut design, observations) = truth.simulate(1);
        design.tier = tier.to_owned();
        let row = pooled(&analyse(&design, &observations), "persona-1", "exploitable", "ratio").clone();
        (row.verdict, row.reason.unwrap_or_default())
    };
    assert_eq!(verdict(10, 8, "standard").0, Verdict::Worse);
    let (smoke, reason) = verdict(10, 8, "smoke");
    assert!(smoke == Verdict::Inconclusive && reason.contains("smoke"), "{reason}");
    let (few, reason) = verdict(9, 8, "standard");
    assert!(few == Verdict::Inconclusive && reason.contains("task clusters"), "{reason}");
    let (few, reason) = verdict(10, 7, "standard");
    assert!(few == Verdict::Inconclusive && reason.contains("wordings"), "{reason}");
}

#[test]
fn fixed_texts_are_judged_from_tasks_alone() {
    let (mut design, observations) =
        Truth { wordings: 1, repeats: 16, ratio: 2.5, task_likeness: 0.1, ..Truth::default() }.simulate(2);
    design.tier = "import".to_owned();
    let reason = |design: &Design| {
        let analysis = analyse(design, &observations);
        let row = pooled(&analysis, "persona-1", "exploitable", "difference").clone();
        (row.verdict, row.this_text_only, row.reason)
    };
    let (verdict, this_text_only, said) = reason(&design);
    assert!(verdict == Verdict::Inconclusive && !this_text_only && said.unwrap().contains("tasks alone"));
    design.fixed_texts = true;
    assert_eq!(reason(&design), (Verdict::Worse, true, None));
}

#[test]
fn less_is_worse_where_passing_is_good() {
    let (design, observations) = study(3.0, 5);
    let analysis = analyse(&design, &observations);
    let row = pooled(&analysis, "persona-1", "secure_pass", "difference");
    assert!(row.estimate.unwrap() < 0.0 && row.verdict == Verdict::Worse, "{row:?}");
}

#[test]
fn equal_arms_of_a_large_study_are_equivalent() {
    let truth = Truth { clusters: 60, repeats: 20, task_likeness: 0.05, overdispersion: 0.0, ..Truth::default() };
    let (design, observations) = truth.simulate(9);
    let analysis = analyse(&design, &observations);
    assert_eq!(pooled(&analysis, "persona-1", "exploitable", "ratio").verdict, Verdict::Equivalent);
}

#[test]
fn placements_have_rows_of_their_own() {
    let (mut design, mut observations) = study(3.0, 6);
    design.placements = vec!["system".to_owned(), "user".to_owned()];
    let copies: Vec<Observation> = observations.iter().map(|seen| Observation { placement: 1, ..seen.clone() }).collect();
    observations.extend(copies);
    let analysis = analyse(&design, &observations);
    let places: Vec<Option<&str>> = analysis
        .contrasts
        .iter()
        .filter(|row| row.endpoint == "exploitable" && row.scale == "ratio")
        .map(|row| row.placement.as_deref())
        .collect();
    assert_eq!(places, [None, Some("system"), Some("user")]);
    assert_eq!(analysis.contrasts.iter().filter(|row| row.primary && row.scale == "ratio").count(), 1);
}

#[test]
fn unknown_cells_widen_the_selection_bounds() {
    let (design, mut observations) = study(1.0, 8);
    for seen in observations.iter_mut().filter(|seen| seen.persona == 1 && seen.repeat == 0) {
        seen.outcome = SampleOutcome::Refused;
    }
    let analysis = analyse(&design, &observations);
    let row = pooled(&analysis, "persona-1", "exploitable", "difference");
    assert!(row.selection_low < row.estimate && row.estimate < row.selection_high);
    assert!(row.selection_high.unwrap() - row.selection_low.unwrap() > 0.4, "{row:?}");
    assert!(pooled(&analysis, "persona-1", "refusal", "difference").verdict == Verdict::Worse);
}

#[test]
fn a_flip_among_the_measures_of_findings_is_told() {
    let (mut design, mut observations) = Truth { counts: true, rate: 2.0, ..Truth::default() }.simulate(1);
    design.personas.push(PersonaDesign { id: "unseen".to_owned(), role: "treatment".to_owned() });
    for seen in observations.iter_mut().filter(|seen| seen.persona == 1) {
        // Graver findings in longer code.
        seen.findings_weighted = seen.findings_weighted.map(|weight| weight * 4.0);
        seen.code_lines = Some(400);
    }
    let analysis = analyse(&design, &observations);
    for endpoint in ["findings", "findings_count", "findings_per_kloc"] {
        let row = pooled(&analysis, "persona-1", endpoint, "ratio");
        assert!(row.reason.as_deref().unwrap_or_default().contains("different directions"), "{row:?}");
    }
    let unseen = pooled(&analysis, "unseen", "findings", "ratio");
    assert!(unseen.estimate.is_none() && !unseen.reason.as_deref().unwrap().contains("different directions"));
}
