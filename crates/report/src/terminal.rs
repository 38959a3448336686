//! The report on a terminal: the table of contrasts with a forest plot in characters, the same numbers as on the page.

use std::io::{self, Write};

use turncoat_stats::{Contrast, Verdict};

use crate::axis::Axis;
use crate::model::Report;
use crate::visible::{columns, one_line};
use crate::{number, view, words};

mod grid;
mod summary;

use grid::{Cell, Style};

/// What the terminal can show; decided by the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Screen {
    /// Columns.
    pub width: usize,
    /// Whether colours may be sent.
    pub colour: bool,
    /// Whether characters beyond ASCII can be shown.
    pub unicode: bool,
}

impl Default for Screen {
    fn default() -> Screen {
        Screen { width: 100, colour: false, unicode: true }
    }
}

const NARROWEST_PLOT: usize = 13;
const WIDEST_PLOT: usize = 45;

/// Writes the report for people at a terminal.
///
/// # Errors
/// Whatever `out` meets; a closed pipe is one of them.
pub fn terminal(report: &Report, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    summary::head(report, screen, out)?;
    let primary = view::primary_endpoint(report);
    contrasts(report, primary, screen, out)?;
    summary::verdicts(report, screen, out)?;
    summary::others(report, primary, screen, out)?;
    summary::outcomes(report, screen, out)?;
    summary::refusals(report, screen, out)?;
    summary::moles(report, screen, out)?;
    summary::quality(report, screen, out)?;
    summary::limits(report, screen, out)
}

fn style_of(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Worse => Style::Worse,
        Verdict::Better => Style::Better,
        Verdict::Equivalent => Style::Strong,
        Verdict::Inconclusive => Style::Plain,
    }
}

/// Which columns fit beside a plot.
struct Layout {
    persona: usize,
    plot: usize,
    estimate: usize,
    rates: bool,
    p: bool,
    mde: bool,
}

const RATES: usize = 15;
const P: usize = 8;
const MDE: usize = 12;
const VERDICT: usize = 14;

impl Layout {
    fn fit(width: usize, rows: &[&Contrast]) -> Layout {
        let longest = |text: &dyn Fn(&Contrast) -> String| rows.iter().map(|row| columns(&text(row))).max().unwrap_or(0);
        let persona = longest(&|row| one_line(&row.persona)).clamp(8, 28) + 3;
        let estimate = longest(&estimate).max(12) + 2;
        let mut layout = Layout { persona, plot: 0, estimate, rates: true, p: true, mde: true };
        for step in 0..4 {
            layout.mde = step < 1;
            layout.p = step < 2;
            layout.rates = step < 3;
            if layout.fixed() + NARROWEST_PLOT + 8 <= width || step == 3 {
                break;
            }
        }
        layout.plot = width.saturating_sub(layout.fixed()).clamp(NARROWEST_PLOT, WIDEST_PLOT);
        layout
    }

    fn fixed(&self) -> usize {
        let optional = [(self.rates, RATES), (self.p, P), (self.mde, MDE)];
        let shown: usize = optional.into_iter().filter(|(shown, _)| *shown).map(|(_, width)| width).sum();
        self.persona + self.estimate + VERDICT + shown + 2
    }
}

fn estimate(row: &Contrast) -> String {
    let value = number::estimate(&row.endpoint, &row.scale, row.estimate);
    match number::interval(&row.endpoint, &row.scale, row.ci_low, row.ci_high) {
        Some(interval) => format!("{value} {interval}"),
        None => value,
    }
}

fn rates(report: &Report, row: &Contrast) -> String {
    let of = |persona: &str| {
        let rate = view::rate(report, &row.subject, persona, &row.endpoint).and_then(|rate| rate.rate);
        match rate {
            Some(rate) if row.endpoint == "findings" => number::ratio(rate),
            Some(rate) => number::per_hundred(rate),
            None => number::MISSING.to_owned(),
        }
    };
    format!("{} vs {}", of(&row.persona), of(&row.baseline))
}

/// The contrasts of one endpoint, by subject, with a plot.
fn contrasts(report: &Report, endpoint: &str, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    let rows = view::pooled(report, endpoint);
    if rows.is_empty() {
        return Ok(());
    }
    let scale = view::shown_scale(report, endpoint);
    let heading = format!("{}: {}", words::endpoint(endpoint), words::endpoint_meaning(endpoint));
    summary::heading(&heading, screen, out)?;
    let ends = rows.iter().flat_map(|row| [row.estimate, row.ci_low, row.ci_high]).flatten();
    let axis = Axis::around(scale, ends);
    let layout = Layout::fit(screen.width, &rows);
    // Where even the narrowest table does not fit, a contrast takes two lines.
    let stacked = layout.fixed() + NARROWEST_PLOT > screen.width;
    let plot_width =
        if stacked { screen.width.saturating_sub(layout.estimate + 4).clamp(NARROWEST_PLOT, WIDEST_PLOT) } else { layout.plot };
    let level = words::level(report.study.alpha);
    if stacked {
        grid::line(&[Cell::fixed(tick_line(axis, plot_width, endpoint, scale), plot_width + 4, Style::Faint)], screen, out)?;
    } else {
        let mut cells = vec![
            Cell::fixed("", layout.persona, Style::Faint),
            Cell::fixed(tick_line(axis, plot_width, endpoint, scale), plot_width + 2, Style::Faint),
            Cell::fixed(format!("{scale} [{level} %]"), layout.estimate, Style::Faint),
        ];
        if layout.rates {
            let unit = if endpoint == "findings" { "an answer" } else { "per 100" };
            cells.push(Cell::fixed(unit, RATES, Style::Faint));
        }
        if layout.p {
            cells.push(Cell::fixed("p adj.", P, Style::Faint));
        }
        if layout.mde {
            cells.push(Cell::fixed("can show", MDE, Style::Faint));
        }
        cells.push(Cell::new("verdict", Style::Faint));
        grid::line(&cells, screen, out)?;
    }
    for subject in view::subjects(report) {
        let of_subject: Vec<&&Contrast> = rows.iter().filter(|row| row.subject == subject).collect();
        if of_subject.is_empty() {
            continue;
        }
        let name = one_line(&report.shown_name(subject));
        grid::line(&[Cell::new(name, Style::Strong)], screen, out)?;
        for row in of_subject {
            let verdict = format!("{} {}", words::mark(row.verdict), words::verdict(row.verdict));
            let verdict = Cell::new(if row.role == "placebo" { "A/A".to_owned() } else { verdict }, style_of(row.verdict));
            let persona = format!("  {}", one_line(&row.persona));
            let plot = plot_line(axis, row, plot_width);
            if stacked {
                let gap = screen.width.saturating_sub(VERDICT + 1);
                grid::line(&[Cell::fixed(persona, gap, Style::Plain), verdict], screen, out)?;
                grid::line(
                    &[
                        Cell::fixed(format!("  {plot}"), plot_width + 4, Style::Plain),
                        Cell::fixed(estimate(row), screen.width.saturating_sub(plot_width + 3), Style::Plain),
                    ],
                    screen,
                    out,
                )?;
                continue;
            }
            let mut cells = vec![
                Cell::fixed(persona, layout.persona, Style::Plain),
                Cell::fixed(plot, plot_width + 2, style_of(row.verdict)),
                Cell::fixed(estimate(row), layout.estimate, Style::Plain),
            ];
            if layout.rates {
                cells.push(Cell::fixed(rates(report, row), RATES, Style::Plain));
            }
            if layout.p {
                cells.push(Cell::fixed(number::p_value(row.p_adjusted), P, Style::Plain));
            }
            if layout.mde {
                cells.push(Cell::fixed(number::estimate(endpoint, scale, row.mde), MDE, Style::Plain));
            }
            cells.push(verdict);
            grid::line(&cells, screen, out)?;
        }
    }
    writeln!(out)
}

fn column(axis: Axis, value: f64, width: usize) -> usize {
    let last = width.saturating_sub(1);
    // A position lies in 0..=1, so the product fits a screen's width.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "held in 0..=width")]
    let at = (axis.position(value) * last as f64).round() as usize;
    at.min(last)
}

/// `├──■──┤` over the line of no effect.
fn plot_line(axis: Axis, row: &Contrast, width: usize) -> String {
    let mut marks: Vec<char> = vec![' '; width];
    let mut put = |at: usize, mark: char| {
        if let Some(place) = marks.get_mut(at) {
            *place = mark;
        }
    };
    put(column(axis, axis.neutral(), width), '┊');
    if let (Some(low), Some(high)) = (row.ci_low, row.ci_high) {
        let (from, to) = (column(axis, low, width), column(axis, high, width));
        for at in from..=to {
            put(at, '─');
        }
        put(from, if axis.beyond(low).is_lt() { '◂' } else { '├' });
        put(to, if axis.beyond(high).is_gt() { '▸' } else { '┤' });
    }
    if let Some(value) = row.estimate.filter(|value| value.is_finite()) {
        put(column(axis, value, width), '■');
    }
    marks.into_iter().collect()
}

fn tick_line(axis: Axis, width: usize, endpoint: &str, scale: &str) -> String {
    let mut line: Vec<char> = vec![' '; width];
    for tick in axis.ticks(0.18) {
        let label = number::bound(endpoint, scale, tick);
        let label = if scale == "ratio" { label.trim_end_matches('0').trim_end_matches('.').to_owned() } else { label };
        let length = label.chars().count();
        let start = column(axis, tick, width).saturating_sub(length / 2).min(width.saturating_sub(length));
        let free = (start.saturating_sub(1)..start + length + 1).all(|at| line.get(at).is_none_or(|mark| *mark == ' '));
        if free {
            for (offset, character) in label.chars().enumerate() {
                if let Some(place) = line.get_mut(start + offset) {
                    *place = character;
                }
            }
        }
    }
    line.into_iter().collect()
}
