//! Chosen cells of the calibration grid: coverage of intervals, and differences shown where there are none.
//!
//! Bounds are binomial: a cell fails where a truth inside the promise would give its count less than once in 200. The
//! whole grid is printed by `cargo run --release -p turncoat-stats --example calibrate`.

use rayon::prelude::*;
use turncoat_stats::calibration::Truth;
use turncoat_stats::quantile::normal_quantile;
use turncoat_stats::{Verdict, analyse};

const RUNS: u64 = 500;
/// Promised coverage: at least, and at most from 30 clusters x 8 wordings on.
const LEAST: f64 = 0.93;
const MOST: f64 = 0.97;

/// How far a share of `RUNS` may stray.
fn stray(share: f64) -> f64 {
    normal_quantile(0.005) * (share * (1.0 - share) / RUNS as f64).sqrt()
}

fn cover(truth: &Truth, scale: &str) -> f64 {
    let expected = truth.expected();
    let value = if scale == "ratio" { expected.ratio } else { expected.difference };
    let covered = (0..RUNS).into_par_iter().filter(|seed| {
        let (design, observations) = truth.simulate(seed + 1);
        let analysis = analyse(&design, &observations);
        let mut rows = analysis.contrasts.iter().filter(|row| row.primary && row.scale == scale);
        rows.next().is_some_and(|row| row.ci_low <= Some(value) && Some(value) <= row.ci_high && row.ci_low.is_some())
    });
    covered.count() as f64 / RUNS as f64
}

fn shares(clusters: usize, wordings: usize, ratio: f64, wording_sd: f64) -> Truth {
    Truth { clusters, wordings, ratio, wording_sd, task_likeness: 0.3, task_effect_sd: 0.15, ..Truth::default() }
}

fn counts(clusters: usize, wordings: usize, ratio: f64, wording_sd: f64) -> Truth {
    Truth { counts: true, rate: 1.5, overdispersion: 1.4, task_likeness: 0.6, ..shares(clusters, wordings, ratio, wording_sd) }
}

fn check_cells(kind: fn(usize, usize, f64, f64) -> Truth, scales: &[&str]) {
    for (clusters, wordings, ratio, wording_sd) in [
        (10, 8, 1.0, 0.3),
        (10, 16, 2.3, 0.3),
        (30, 8, 1.0, 0.0),
        (30, 8, 1.0, 0.2),
        (30, 8, 2.3, 0.3),
        (30, 16, 1.2, 0.1),
        (120, 8, 1.0, 0.1),
        (120, 8, 2.3, 0.3),
        (120, 16, 1.0, 0.0),
    ] {
        for scale in scales {
            let covered = cover(&kind(clusters, wordings, ratio, wording_sd), scale);
            let cell = format!("{scale} {clusters} x {wordings}, ratio {ratio}, wording SD {wording_sd}: {covered}");
            assert!(covered >= LEAST - stray(LEAST), "{cell}");
            assert!(clusters < 30 || covered <= MOST + stray(MOST), "{cell}");
        }
    }
}

#[test]
fn intervals_of_shares_cover_the_truth() {
    check_cells(shares, &["ratio", "difference"]);
}

#[test]
fn intervals_of_counts_cover_the_truth() {
    check_cells(counts, &["ratio"]);
}

/// Share of null studies in which any treatment of any subject is called worse or better.
fn shown(truth: Truth) -> f64 {
    let truth = Truth { subjects: 2, treatments: 5, ratio: 1.0, task_effect_sd: 0.0, ..truth };
    let shown = (0..RUNS).into_par_iter().filter(|seed| {
        let (design, observations) = truth.simulate(seed + 1);
        let analysis = analyse(&design, &observations);
        analysis.contrasts.iter().any(|row| row.primary && matches!(row.verdict, Verdict::Worse | Verdict::Better))
    });
    shown.count() as f64 / RUNS as f64
}

#[test]
fn null_studies_show_nothing_after_adjustment() {
    for kind in [shares, counts] {
        for (clusters, wordings, wording_sd) in [(10, 8, 0.0), (10, 8, 0.3), (30, 8, 0.1), (30, 8, 0.3), (120, 8, 0.1)] {
            let share = shown(kind(clusters, wordings, 1.0, wording_sd));
            assert!(share <= 0.05 + stray(0.05), "{clusters} x {wordings}, wording SD {wording_sd}: {share}");
        }
    }
}
