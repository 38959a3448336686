//! Drawings of the page as SVG: each carries a title for screen readers, classes for colour, and no style of its own.

use maud::{Markup, PreEscaped, html};

use crate::axis::Axis;
use crate::model::CurvePoint;
use crate::number;

/// Width of a forest plot's drawing area, in user units.
const FOREST_WIDTH: f64 = 300.0;
const FOREST_EDGE: f64 = 8.0;

/// One row of a forest plot.
pub(crate) struct ForestRow<'a> {
    /// The estimate.
    pub(crate) estimate: Option<f64>,
    /// Its interval.
    pub(crate) interval: Option<(f64, f64)>,
    /// Id of the ground that [`forest_ground`] drew for the subject.
    pub(crate) ground: &'a str,
    /// The same in words, read aloud and shown on hovering.
    pub(crate) title: &'a str,
}

fn x(axis: Axis, value: f64) -> String {
    format!("{:.0}", FOREST_EDGE + axis.position(value) * (FOREST_WIDTH - 2.0 * FOREST_EDGE))
}

fn short(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// A drawing: its title is escaped by the template, its body holds numbers and our own names only.
fn drawing(class: &str, view: &str, title: &str, body: &str) -> Markup {
    html! { svg class=[(!class.is_empty()).then_some(class)] viewBox=(view) role="img" { title { (title) } (PreEscaped(body)) } }
}

/// What lies behind all rows of one subject: the A/A band (baseline against placebo), ticks, the line of no effect.
pub(crate) fn forest_ground(axis: Axis, id: &str, band: Option<(f64, f64)>) -> Markup {
    let ticks: String = axis.ticks(0.12).into_iter().map(|tick| format!("M{} 0v26", x(axis, tick))).collect();
    html! {
        svg class="defs" width="0" height="0" aria-hidden="true" {
            g id=(id) {
                @if let Some((low, high)) = band { path class="band" d=(format!("M{} 13H{}", x(axis, low), x(axis, high))) {} }
                path class="tick" d=(ticks) {}
                path class="none" d=(format!("M{} 0v26", x(axis, axis.neutral()))) {}
            }
        }
    }
}

/// A row of a forest plot: ground, interval, estimate.
pub(crate) fn forest_row(axis: Axis, row: &ForestRow<'_>) -> Markup {
    let mut body = format!("<use href=#{} />", row.ground);
    if let Some((low, high)) = row.interval {
        let (from, to) = (x(axis, low), x(axis, high));
        let left = if axis.beyond(low).is_lt() { format!("M{from} 13l5-4m-5 4l5 4") } else { format!("M{from} 9v8") };
        let right = if axis.beyond(high).is_gt() { format!("M{to} 13l-5-4m5 4l-5 4") } else { format!("M{to} 9v8") };
        body.push_str(&format!("<path class=ci d=\"M{from} 13H{to}{left}{right}\" />"));
    }
    if let Some(value) = row.estimate.filter(|value| value.is_finite()) {
        body.push_str(&format!("<path class=e d=\"M{} 13h0\" />", x(axis, value)));
    }
    drawing("", "0 0 300 26", row.title, &body)
}

/// The labelled axis above a forest plot's rows.
pub(crate) fn forest_axis(axis: Axis, endpoint: &str, scale: &str, title: &str, description: &str) -> Markup {
    html! {
        svg class="axis" viewBox="0 0 300 18" role="img" {
            title { (title) }
            desc { (description) }
            @for tick in axis.ticks(0.12) {
                text x=(x(axis, tick)) y="13" { (tick_label(endpoint, scale, tick)) }
            }
        }
    }
}

fn tick_label(endpoint: &str, scale: &str, tick: f64) -> String {
    let label = number::bound(endpoint, scale, tick);
    if label.contains('.') { label.trim_end_matches('0').trim_end_matches('.').to_owned() } else { label }
}

const STACK_WIDTH: f64 = 400.0;

/// A stacked bar of counts in the order of reports: each part has a pattern of its own and its count where it fits.
pub(crate) fn stack(parts: &[(&str, u64)], title: &str) -> Markup {
    let total: u64 = parts.iter().map(|(_, count)| count).sum();
    // Counts of a study are far below 2^52, so they are exact as doubles.
    #[expect(clippy::cast_precision_loss, reason = "counts below 2^52")]
    let width = |count: u64| STACK_WIDTH * count as f64 / (total.max(1)) as f64;
    let (mut at, mut bars, mut labels) = (0.0, String::new(), String::new());
    for (index, (_, count)) in parts.iter().enumerate().filter(|(_, (_, count))| *count > 0) {
        let wide = width(*count);
        bars.push_str(&format!("<rect class=s{index} x={at:.0} width={:.0} />", (wide - 1.0).max(1.0)));
        let label = number::count(*count);
        if wide > 4.0 + 7.5 * f64::from(u32::try_from(label.len()).unwrap_or(u32::MAX)) {
            // Counts on a pattern or a dark ground are styled by their class.
            let class = if matches!(index, 0 | 2..=5) { format!("class=l{index} ") } else { String::new() };
            labels.push_str(&format!("<text {class}x={:.0}>{label}</text>", at + wide / 2.0));
        }
        at += wide;
    }
    drawing("st", "0 0 400 22", title, &format!("{bars}{labels}"))
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
    let at = |value: f64| format!("{:.0}", 1.0 + 100.0 * value.clamp(0.0, 1.0));
    let mut body = format!("<path class=fill d=\"M1 7H{}\" />", at(rate));
    if let Some((low, high)) = interval {
        let (low, high) = (at(low), at(high));
        body.push_str(&format!("<path class=ci d=\"M{low} 7H{high}M{low} 4v6M{high} 4v6\" />"));
    }
    drawing("br", "0 0 102 14", title, &body)
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
