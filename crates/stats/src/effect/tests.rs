//! The estimator against an independent computation with numpy 2, scipy 1.17 on a small uneven table.

use super::*;
use crate::table::{Cell, ClusterSum};

type Grid = [[u8; 4]; 5];
const TREATED: Grid = [[3, 1, 1, 3], [2, 4, 3, 3], [3, 2, 2, 2], [4, 2, 1, 2], [1, 2, 1, 4]];
const TREATED_N: Grid = [[4, 5, 2, 5], [3, 4, 4, 3], [5, 2, 3, 3], [4, 3, 2, 2], [2, 2, 2, 5]];
const BASELINE: Grid = [[0, 1, 0, 0], [1, 4, 1, 2], [1, 0, 2, 2], [2, 2, 2, 3], [0, 1, 1, 0]];
const BASELINE_N: Grid = [[5, 2, 4, 3], [3, 5, 2, 3], [2, 2, 3, 4], [4, 3, 2, 5], [5, 2, 2, 3]];

pub(crate) fn table(events: &[Vec<f64>], exposure: &[Vec<f64>]) -> Table {
    let mut table = Table::default();
    for (cluster, (events, exposure)) in events.iter().zip(exposure).enumerate() {
        for (wording, (events, exposure)) in events.iter().zip(exposure).enumerate() {
            table.cells.push(Cell { cluster, wording, events: *events, exposure: *exposure });
            table.answers += *exposure as u64;
        }
        let (events, exposure) = (events.iter().sum(), exposure.iter().sum());
        table.clusters.push(ClusterSum { cluster, events, exposure, unknown: 0.0 });
    }
    table
}

fn of(events: Grid, exposure: Grid) -> Table {
    let rows = |grid: Grid| grid.map(|row| row.map(f64::from).to_vec()).to_vec();
    table(&rows(events), &rows(exposure))
}

fn small(scale: Scale, fixed_texts: bool, blocks: [usize; 2]) -> Effect {
    let (treated, baseline) = (of(TREATED, TREATED_N), of(BASELINE, BASELINE_N));
    let terms = [Term { table: &treated, sign: 1.0, texts: blocks[0] }, Term { table: &baseline, sign: -1.0, texts: blocks[1] }];
    // Five clusters can give a sign-flip p of 0.0625 at best: the level stays above it.
    measure(&terms, Setting { scale, proportion: true, fixed_texts, alpha: 0.1 }).unwrap()
}

fn near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-9, "{found} {expected}");
}

#[test]
fn fixed_texts_give_the_paired_t_interval() {
    let effect = small(Scale::Difference, true, [1, 0]);
    near(effect.estimate, 0.328_804_528_804_528_8);
    let (low, high) = effect.interval(0.05).unwrap();
    near(low, 0.129_453_445_566_723_64);
    near(high, 0.528_155_612_042_334);
    near(t_two_sided(effect.estimate / effect.spread.unwrap().standard_error, 4.0), 0.010_188_098_947_813_29);
    near(effect.p().unwrap(), 0.0625);
}

#[test]
fn different_texts_add_their_wording_parts() {
    let spread = small(Scale::Difference, false, [1, 0]).spread.unwrap();
    near(spread.standard_error, 0.079_746_863_564_696_3);
    near(spread.degrees, 4.0);
}

#[test]
fn equal_texts_are_paired() {
    let spread = small(Scale::Difference, false, [0, 0]).spread.unwrap();
    near(spread.standard_error, 0.090_626_039_823_416_22);
    near(spread.degrees, 3.0);
}

#[test]
fn log_ratios_use_the_jackknife() {
    let effect = small(Scale::Ratio, false, [1, 0]);
    near(effect.estimate, 0.611_235_782_507_758_3);
    near(effect.spread.unwrap().standard_error, 0.248_610_165_965_103_96);
    near(effect.spread.unwrap().degrees, 4.659_924_309_532_83);
}

fn uniform(events: f64, clusters: usize) -> Table {
    table(&vec![vec![events; 8]; clusters], &vec![vec![2.0; 8]; clusters])
}

fn contrast(first: &Table, second: &Table, scale: Scale, proportion: bool) -> Result<Effect, Gap> {
    let terms = [Term { table: first, sign: 1.0, texts: 1 }, Term { table: second, sign: -1.0, texts: 0 }];
    measure(&terms, Setting { scale, proportion, fixed_texts: false, alpha: 0.05 })
}

#[test]
fn identical_answers_claim_no_certainty() {
    let (none, all) = (uniform(0.0, 30), uniform(2.0, 30));
    for (first, second) in [(&none, &none), (&all, &all)] {
        let effect = contrast(first, second, Scale::Difference, true).unwrap();
        let (low, high) = effect.interval(0.05).unwrap();
        assert!(low < -0.05 && high > 0.05, "{low} {high}");
        assert_eq!(effect.p(), Some(1.0));
    }
    let (low, high) = contrast(&all, &none, Scale::Difference, true).unwrap().interval(0.05).unwrap();
    assert!(low > 0.7 && low < 0.95 && high >= 1.0, "{low} {high}");
    let (low, high) = contrast(&all, &all, Scale::Ratio, true).unwrap().interval(0.05).unwrap();
    assert!(low < -0.01 && high > 0.01, "{low} {high}");
    let (low, high) = contrast(&all, &all, Scale::Ratio, false).unwrap().interval(0.05).unwrap();
    assert!(low < -0.1 && high > 0.1, "{low} {high}");
}

#[test]
fn an_arm_without_events_has_a_difference_but_no_ratio() {
    let (none, some) = (uniform(0.0, 12), uniform(1.0, 12));
    assert_eq!(contrast(&none, &some, Scale::Ratio, true).unwrap_err(), Gap::NoEvents);
    assert_eq!(contrast(&some, &none, Scale::Ratio, true).unwrap_err(), Gap::NoEvents);
    let (low, high) = contrast(&some, &none, Scale::Difference, true).unwrap().interval(0.05).unwrap();
    assert!(low > 0.0 && high < 1.0, "{low} {high}");
}

#[test]
fn one_event_is_no_more_certain_than_none() {
    let mut single = uniform(0.0, 30);
    single.cells[0].events = 1.0;
    single.clusters[0].events = 1.0;
    let effect = contrast(&single, &uniform(0.0, 30), Scale::Difference, true).unwrap();
    let (low, high) = effect.interval(0.05).unwrap();
    assert!(low < -0.05 && high > 0.05, "{low} {high}");
    assert!(effect.p().unwrap() > 0.9);
}

#[test]
fn only_shared_clusters_count() {
    let mut apart = uniform(1.0, 3);
    for sum in &mut apart.clusters {
        sum.cluster += 3;
    }
    for cell in &mut apart.cells {
        cell.cluster += 3;
    }
    assert_eq!(contrast(&apart, &uniform(1.0, 3), Scale::Difference, true).unwrap_err(), Gap::NothingShared);
    let effect = contrast(&apart, &uniform(1.0, 5), Scale::Difference, true).unwrap();
    assert_eq!((effect.clusters, effect.wordings), (2, 8));
}

#[test]
fn a_single_cluster_has_an_estimate_and_no_interval() {
    let effect = contrast(&uniform(2.0, 1), &uniform(1.0, 1), Scale::Difference, true).unwrap();
    near(effect.estimate, 0.5);
    assert_eq!((effect.interval(0.05), effect.p(), effect.detectable(0.05)), (None, None, None));
}

#[test]
fn the_detectable_effect_grows_as_the_level_shrinks() {
    let effect = small(Scale::Difference, true, [1, 0]);
    // (t.isf(0.025, 4) + t.isf(0.2, 4)) standard errors.
    near(effect.detectable(0.05).unwrap(), (2.776_445_105_197_793_4 + 0.940_964_577_235_182_1) * 0.071_800_837_288_155_64);
    assert!(effect.detectable(0.05 / 15.0) > effect.detectable(0.05));
}
