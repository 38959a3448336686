//! Prints how often intervals cover the truth and how often null studies show a difference, over a grid of truths:
//! `cargo run --release -p turncoat-stats --example calibrate [RUNS [shares|counts [CLUSTERS [WORDINGS]]]]`.
#![expect(clippy::print_stdout, reason = "a table on stdout is what this program is for")]

use rayon::prelude::*;
use turncoat_stats::calibration::Truth;
use turncoat_stats::{Verdict, analyse};

/// What became of one row over all runs of a truth, in percent.
struct Seen {
    covered: f64,
    excludes_none: f64,
    shown: f64,
}

fn count(truth: &Truth, scale: &str, runs: u64) -> Seen {
    let expected = truth.expected();
    let value = if scale == "ratio" { expected.ratio } else { expected.difference };
    let tallies: Vec<[f64; 4]> = (0..runs)
        .into_par_iter()
        .map(|run| {
            let (design, observations) = truth.simulate(run + 1);
            let analysis = analyse(&design, &observations);
            let mut tally = [0.0; 4];
            for row in analysis.contrasts.iter().filter(|row| row.primary && row.scale == scale) {
                let (Some(low), Some(high)) = (row.ci_low, row.ci_high) else { continue };
                tally[0] += 1.0;
                tally[1] += f64::from(u8::from(low <= value && value <= high));
                tally[2] += f64::from(u8::from(row.p.is_some_and(|p| p < design.alpha)));
                tally[3] = f64::max(tally[3], f64::from(u8::from(matches!(row.verdict, Verdict::Worse | Verdict::Better))));
            }
            tally
        })
        .collect();
    let sum = |place: usize| tallies.iter().filter_map(|tally| tally.get(place)).sum::<f64>();
    let rows = sum(0).max(1.0);
    Seen { covered: 100.0 * sum(1) / rows, excludes_none: 100.0 * sum(2) / rows, shown: 100.0 * sum(3) / runs as f64 }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runs: u64 = arguments.first().and_then(|text| text.parse().ok()).unwrap_or(1000);
    let wanted = |place: usize, value: &str| arguments.get(place).is_none_or(|text| text == value);
    println!("{runs} studies a line; percent");
    println!("kind    scale      clusters wordings ratio likeness effect-sd wording-sd | covered  p<.05  shown");
    for truth in grid() {
        let kind = if truth.counts { "counts" } else { "shares" };
        let sizes = (truth.clusters.to_string(), truth.wordings.to_string());
        if !(wanted(1, kind) && wanted(2, &sizes.0) && wanted(3, &sizes.1)) {
            continue;
        }
        for scale in if truth.counts { &["ratio"][..] } else { &["ratio", "difference"][..] } {
            let seen = count(&truth, scale, runs);
            println!(
                "{kind:<7} {scale:<10} {:>8} {:>8} {:>5} {:>8} {:>9} {:>10} | {:>7.1} {:>6.1} {:>6.1}",
                truth.clusters,
                truth.wordings,
                truth.ratio,
                truth.task_likeness,
                truth.task_effect_sd,
                truth.wording_sd,
                seen.covered,
                seen.excludes_none,
                seen.shown
            );
        }
    }
}

/// From few to many clusters and wordings, from no effect to +130 %, from alike tasks to unlike ones.
fn grid() -> Vec<Truth> {
    let mut grid = Vec::new();
    for counts in [false, true] {
        for (clusters, wordings) in [(10, 8), (10, 16), (30, 8), (30, 16), (120, 8), (120, 16)] {
            for ratio in [1.0, 1.2, 2.3] {
                for (task_likeness, task_effect_sd) in [(if counts { 0.5 } else { 0.1 }, 0.0), (0.6, 0.3)] {
                    grid.extend([0.0, 0.1, 0.3].map(|wording_sd| Truth {
                        counts,
                        clusters,
                        wordings,
                        ratio,
                        task_likeness,
                        task_effect_sd,
                        wording_sd,
                        rate: if counts { 1.5 } else { 0.2 },
                        overdispersion: if counts { 1.4 } else { 0.1 },
                        ..Truth::default()
                    }));
                }
            }
        }
    }
    grid
}
