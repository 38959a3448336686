//! Rates against statsmodels' cluster-robust variance, and at their edges.

use super::*;
use crate::analysis::analyse;
use crate::calibration::{Truth, blank};
use crate::effect::tests::table;
use crate::input::SampleOutcome;

fn endpoint(name: &str) -> &'static Endpoint {
    ENDPOINTS.iter().find(|endpoint| endpoint.name == name).unwrap()
}

fn design() -> Design {
    Truth::default().simulate(0).0
}

fn grid(rows: [[u8; 4]; 5]) -> Vec<Vec<f64>> {
    rows.map(|row| row.map(f64::from).to_vec()).to_vec()
}

// statsmodels 0.15: OLS on a constant, cov_type="cluster"; then Wilson with t.isf(0.025, 4) by hand.
#[test]
fn the_task_part_is_the_cluster_robust_variance() {
    let events = grid([[3, 1, 1, 3], [2, 4, 3, 3], [3, 2, 2, 2], [4, 2, 1, 2], [1, 2, 1, 4]]);
    let exposure = grid([[4, 5, 2, 5], [3, 4, 4, 3], [5, 2, 3, 3], [4, 3, 2, 2], [2, 2, 2, 5]]);
    let arm = table(&events, &exposure);
    let fixed = Design { fixed_texts: true, ..design() };
    let rate = Rate::of(&arm, endpoint("exploitable"), &fixed).unwrap();
    assert!((Spread::of(&arm, rate.value, 65.0, true).variance - 0.005_024_894_086_341_519).abs() < 1e-12);
    assert!((rate.value - 46.0 / 65.0).abs() < 1e-12);
    assert!((rate.low - 0.491_362_986_619_668_43).abs() < 1e-8 && (rate.high - 0.858_508_425_707_744_5).abs() < 1e-8);
}

#[test]
fn agreement_of_all_answers_is_worth_as_many_looks_as_clusters() {
    let none = table(&vec![vec![0.0; 8]; 12], &vec![vec![2.0; 8]; 12]);
    let rate = Rate::of(&none, endpoint("exploitable"), &design()).unwrap();
    // Wilson's upper end at 0 of 12.
    assert!((rate.high - 3.841_458_820_694_124 / (12.0 + 3.841_458_820_694_124)).abs() < 1e-9 && rate.low == 0.0);
    let counts = Rate::of(&none, endpoint("findings"), &design()).unwrap();
    assert!((counts.high - 40.0_f64.ln() / 12.0).abs() < 1e-9);
}

#[test]
fn intervals_of_rates_cover_at_their_level() {
    for wording_sd in [0.0, 0.3] {
        let truth = Truth { wording_sd, clusters: 30, task_likeness: 0.3, ..Truth::default() };
        let covered = (0..600)
            .filter(|seed| {
                let (design, observations) = truth.simulate(*seed);
                let analysis = analyse(&design, &observations);
                let row = analysis.rates.iter().find(|row| row.persona == "persona-0").unwrap();
                row.ci_low.unwrap() <= truth.rate && truth.rate <= row.ci_high.unwrap()
            })
            .count();
        assert!((544..=592).contains(&covered), "{covered} of 600");
    }
}

#[test]
fn refusals_are_counted_by_topic_and_together() {
    let mut design = design();
    design.topics = vec!["one".to_owned(), "two".to_owned(), "unasked".to_owned()];
    let mut observations = Vec::new();
    for wording in 0..8 {
        for topic in 0..2 {
            let mut seen = blank(0, 0, topic, wording, 0);
            seen.is_code = false;
            seen.topic = Some(topic);
            seen.outcome = if topic == 0 { SampleOutcome::Refused } else { SampleOutcome::Answered };
            seen.refusal_layer = (topic == 0).then_some(1);
            observations.push(seen);
        }
    }
    let rows = refusals(&design, &observations);
    let told: Vec<(&str, u64, u64)> = rows.iter().map(|row| (row.topic.as_str(), row.refused, row.asked)).collect();
    assert_eq!(told, [("one", 8, 8), ("two", 0, 8), (ALL_TOPICS, 8, 16)]);
    assert!(rows[0].ci_low.unwrap() > 0.6 && rows[1].ci_high.unwrap() < 0.4);
    let layers: Vec<_> = analyse(&design, &observations)
        .rates
        .into_iter()
        .filter(|row| row.endpoint.starts_with("refusal_") && row.persona == "persona-0")
        .map(|row| (row.endpoint, row.events))
        .collect();
    assert_eq!(layers, [("refusal_hard".to_owned(), 8.0)]);
}

#[test]
fn findings_are_told_by_weakness_and_per_thousand_lines() {
    let mut design = design();
    design.cwes = vec!["CWE-22".to_owned(), "CWE-89".to_owned()];
    let mut seen = blank(0, 1, 0, 0, 0);
    seen.findings_count = Some(3);
    seen.findings_weighted = Some(9.0);
    seen.cwes = vec![1, 1, 1];
    seen.code_lines = Some(60);
    let rows = findings(&design, &[seen.clone()]);
    assert_eq!(rows.iter().map(|row| (row.count, row.per_kloc)).collect::<Vec<_>>(), [(0, Some(0.0)), (3, Some(50.0))]);
    seen.code_lines = None;
    assert!(findings(&design, &[seen]).iter().all(|row| row.per_kloc.is_none() && row.reason.is_some()));
}
