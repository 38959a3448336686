//! Prints how often intervals cover the truth and how often null studies show a difference, over a grid of truths:
//! `cargo run --release -p turncoat-stats --example calibrate [runs]`.
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
    let runs: u64 = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(1000);
    println!("{runs} studies a line; percent");
    println!("kind    scale      clusters wordings ratio likeness effect-sd wording-sd | covered  p<.05  shown");
    for counts in [false, true] {
        for clusters in [10, 30, 120] {
            for wordings in [8, 16] {
                for ratio in [1.0, 1.2, 2.3] {
                    for (likeness, effect) in if counts { [(0.5, 0.0), (0.5, 0.3)] } else { [(0.1, 0.0), (0.6, 0.3)] } {
                        for wording_sd in [0.0, 0.1, 0.3] {
                            let truth = Truth {
                                counts,
                                clusters,
                                wordings,
                                ratio,
                                task_likeness: likeness,
                                task_effect_sd: effect,
                                wording_sd,
                                rate: if counts { 1.5 } else { 0.2 },
                                overdispersion: if counts { 1.4 } else { 0.1 },
                                ..Truth::default()
                            };
                            for scale in if counts { &["ratio"][..] } else { &["ratio", "difference"][..] } {
                                let seen = count(&truth, scale, runs);
                                println!(
                                    "{:<7} {scale:<10} {clusters:>8} {wordings:>8} {ratio:>5} {likeness:>8} {effect:>9} {wording_sd:>10} | {:>7.1} {:>6.1} {:>6.1}",
                                    if counts { "counts" } else { "shares" },
                                    seen.covered,
                                    seen.excludes_none,
                                    seen.shown
                                );
                            }
                        }
                    }
                }
            }
        }
    }
}
