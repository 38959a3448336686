//! Drawings of the page as SVG: each carries a title for screen readers, classes for colour, and no style of its own.

use maud::{Markup, html};

use crate::axis::Axis;
use crate::model::CurvePoint;
use crate::number;

/// Width of a forest plot's drawing area, in user units.
const FOREST_WIDTH: f64 = 300.0;
const FOREST_EDGE: f64 = 8.0;
const ROW_HEIGHT: f64 = 26.0;

/// One row of a forest plot.
pub(crate) struct ForestRow<'a> {
    /// The estimate.
    pub(crate) estimate: Option<f64>,
    /// Its interval.
    pub(crate) interval: Option<(f64, f64)>,
    /// The A/A band behind it: baseline against placebo.
    pub(crate) band: Option<(f64, f64)>,
    /// The same in words, read aloud and shown on hovering.
    pub(crate) title: &'a str,
    /// The verdict's class.
    pub(crate) class: &'a str,
}

fn x(axis: Axis, value: f64) -> f64 {
    FOREST_EDGE + axis.position(value) * (FOREST_WIDTH - 2.0 * FOREST_EDGE)
}

fn short(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// A row of a forest plot: band, line of no effect, interval, estimate.
pub(crate) fn forest_row(axis: Axis, row: &ForestRow<'_>) -> Markup {
    let middle = ROW_HEIGHT / 2.0;
    let whisker = row.interval.map(|(low, high)| {
        let (from, to) = (x(axis, low), x(axis, high));
        let cap = |at: f64, beyond: bool, direction: f64| {
            if beyond {
                format!(
                    "M{} {}L{} {}L{} {}",
                    short(at - 4.0 * direction),
                    middle - 4.0,
                    short(at),
                    middle,
                    short(at - 4.0 * direction),
                    middle + 4.0
                )
            } else {
                format!("M{0} {1}V{2}", short(at), middle - 4.0, middle + 4.0)
            }
        };
        format!(
            "M{} {middle}H{}{}{}",
            short(from),
            short(to),
            cap(from, axis.beyond(low).is_lt(), -1.0),
            cap(to, axis.beyond(high).is_gt(), 1.0)
        )
    });
    let ticks: String = axis.ticks(0.12).into_iter().map(|tick| format!("M{} 0V{ROW_HEIGHT}", short(x(axis, tick)))).collect();
    html! {
        svg class=(format!("f {}", row.class)) viewBox=(format!("0 0 {FOREST_WIDTH} {ROW_HEIGHT}")) role="img" {
            title { (row.title) }
            @if let Some((low, high)) = row.band {
                rect class="band" x=(short(x(axis, low))) width=(short((x(axis, high) - x(axis, low)).max(1.0))) height=(ROW_HEIGHT) {}
            }
            path class="tick" d=(ticks) {}
            path class="none" d=(format!("M{} 0V{ROW_HEIGHT}", short(x(axis, axis.neutral())))) {}
            @if let Some(whisker) = whisker { path class="ci" d=(whisker) {} }
            @if let Some(value) = row.estimate.filter(|value| value.is_finite()) {
                rect class="e" x=(short(x(axis, value) - 4.5)) y=(middle - 4.5) width="9" height="9" {}
            }
        }
    }
}

/// The labelled axis above a forest plot's rows.
pub(crate) fn forest_axis(axis: Axis, endpoint: &str, scale: &str, title: &str, description: &str) -> Markup {
    html! {
        svg class="f axis" viewBox=(format!("0 0 {FOREST_WIDTH} 18")) role="img" {
            title { (title) }
            desc { (description) }
            @for tick in axis.ticks(0.12) {
                text x=(short(x(axis, tick))) y="13" { (tick_label(endpoint, scale, tick)) }
            }
        }
    }
}

fn tick_label(endpoint: &str, scale: &str, tick: f64) -> String {
    let label = number::bound(endpoint, scale, tick);
    if label.contains('.') { label.trim_end_matches('0').trim_end_matches('.').to_owned() } else { label }
}

const STACK_WIDTH: f64 = 400.0;
const STACK_HEIGHT: f64 = 22.0;

/// A stacked bar of counts: each part has a pattern of its own and its count where it fits.
pub(crate) fn stack(parts: &[(&str, u64)], title: &str) -> Markup {
    let total: u64 = parts.iter().map(|(_, count)| count).sum();
    // Counts of a study are far below 2^52, so they are exact as doubles.
    #[expect(clippy::cast_precision_loss, reason = "counts below 2^52")]
    let width = |count: u64| STACK_WIDTH * count as f64 / (total.max(1)) as f64;
    let mut at = 0.0;
    html! {
        svg class="st" viewBox=(format!("0 0 {STACK_WIDTH} {STACK_HEIGHT}")) role="img" {
            title { (title) }
            @for (name, count) in parts.iter().filter(|(_, count)| *count > 0) {
                @let wide = width(*count);
                @let start = { let start = at; at += wide; start };
                rect class=(format!("s-{name}")) x=(short(start)) width=(short((wide - 1.0).max(0.5))) height=(STACK_HEIGHT) {}
                @if wide > 9.0 + 8.0 * number::count(*count).len() as f64 {
                    text x=(short(start + wide / 2.0 - 0.5)) y="15.5" class=(format!("l-{name}")) { (number::count(*count)) }
                }
            }
        }
    }
}

/// The patterns of stacked bars, once a page.
pub(crate) fn patterns() -> Markup {
    let stripes = |name: &str, angle: &str, width: &str| {
        html! {
            pattern id=(format!("pt-{name}")) width="6" height="6" patternUnits="userSpaceOnUse" patternTransform=(format!("rotate({angle})")) {
                rect class=(format!("pa-{name}")) width="6" height="6" {}
                rect class=(format!("pb-{name}")) width=(width) height="6" {}
            }
        }
    };
    html! {
        svg class="defs" width="0" height="0" aria-hidden="true" {
            defs {
                (stripes("broken", "45", "2.5"))
                (stripes("unproven", "135", "1.5"))
                (stripes("no_code", "90", "2"))
                pattern id="pt-refused" width="6" height="6" patternUnits="userSpaceOnUse" {
                    rect class="pa-refused" width="6" height="6" {}
                    circle class="pb-refused" cx="3" cy="3" r="1.4" {}
                }
            }
        }
    }
}

/// A bar from 0 to 100 with its interval.
pub(crate) fn bar(rate: f64, interval: Option<(f64, f64)>, title: &str) -> Markup {
    let at = |value: f64| 100.0 * value.clamp(0.0, 1.0);
    html! {
        svg class="br" viewBox="0 0 102 14" role="img" {
            title { (title) }
            rect class="rail" width="102" height="14" {}
            rect class="fill" x="1" y="2" width=(short(at(rate))) height="10" {}
            @if let Some((low, high)) = interval {
                path class="ci" d=(format!("M{0} 7H{1}M{0} 4V10M{1} 4V10", short(1.0 + at(low)), short(1.0 + at(high)))) {}
            }
        }
    }
}

/// The detection curve: how often a study of this design shows a ratio of a given size.
pub(crate) fn curve(points: &[CurvePoint]) -> Markup {
    let mut points: Vec<&CurvePoint> = points.iter().filter(|point| point.ratio.is_finite() && point.ratio > 0.0).collect();
    points.sort_by(|a, b| a.baseline_share.total_cmp(&b.baseline_share).then(a.ratio.total_cmp(&b.ratio)));
    let axis = Axis::around("ratio", points.iter().map(|point| point.ratio));
    let across = |ratio: f64| 44.0 + axis.position(ratio) * 420.0;
    let up = |share: f64| 180.0 - 160.0 * share.clamp(0.0, 1.0);
    let mut bases: Vec<f64> = points.iter().map(|point| point.baseline_share).collect();
    bases.dedup();
    html! {
        svg class="cv" viewBox="0 0 540 220" role="img" {
            title { "Detection curve" }
            desc { "Share of simulated studies of this design that call a persona different, by the true ratio of its share to the baseline's." }
            @for share in [0.0, 0.25, 0.5, 0.8, 1.0] {
                path class="tick" d=(format!("M44 {0}H464", short(up(share)))) {}
                text class="y" x="38" y=(short(up(share) + 4.0)) { (short(share * 100.0)) }
            }
            @for tick in axis.ticks(0.08) {
                text x=(short(across(tick))) y="198" { (tick_label("exploitable", "ratio", tick)) }
            }
            text x="254" y="216" { "true ratio to the baseline" }
            @for (index, base) in bases.iter().enumerate() {
                @let of_base: Vec<&&CurvePoint> = points.iter().filter(|point| point.baseline_share == *base).collect();
                @let line: Vec<String> = of_base.iter().map(|point| format!("{},{}", short(across(point.ratio)), short(up(point.shown)))).collect();
                polyline class=(format!("line n{}", index % 3)) points=(line.join(" ")) {}
                @for point in &of_base {
                    circle class="dot" cx=(short(across(point.ratio))) cy=(short(up(point.shown))) r="3.5" {
                        title { (number::ratio(point.ratio)) "×: shown in " (number::per_hundred(point.shown)) " of 100 studies (" (number::count(point.studies)) " simulated)" }
                    }
                }
                @if let Some(last) = of_base.last() {
                    text class="end" x=(short(across(last.ratio) + 8.0)) y=(short(up(last.shown) + 4.0)) { "base " (number::per_hundred(*base)) }
                }
            }
        }
    }
}
