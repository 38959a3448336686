//! Absolute rates of one arm, refusals by topic, and findings by weakness.
//!
//! A rate is events over exposure. Its interval knows that answers to one task, and answers to one wording, are alike:
//! shares have Wilson's interval at the effective number of answers (rate (1 - rate) over the two-way variance) with a t
//! quantile, counts an interval on the log scale. Where all answers agree, the effective number is that of the clusters
//! or wordings, whichever are more: forty answers to one task are not forty looks.

use std::collections::BTreeMap;

use crate::contrast::persona_id;
use crate::endpoint::{ENDPOINTS, Endpoint};
use crate::input::{Design, Observation};
use crate::proportion::{Share, wilson};
use crate::quantile::t_quantile;
use crate::rows::{FindingRow, RateRow, RefusalRow};
use crate::table::{Arms, Table};

/// The row of [`RefusalRow`]s that holds all topics together.
pub const ALL_TOPICS: &str = "all";

/// Every arm's rate under every endpoint.
pub(crate) fn rates(design: &Design, all: &[Arms]) -> Vec<RateRow> {
    let mut rows = Vec::new();
    for (subject, subject_id) in design.subjects.iter().enumerate() {
        for persona in 0..design.personas.len() {
            for arms in all.iter().filter(|arms| arms.part.is_whole()) {
                let Some(table) = arms.table(subject, persona) else { continue };
                let (events, exposure) = table.totals();
                let rate = Rate::of(table, arms.endpoint, design);
                rows.push(RateRow {
                    subject: subject_id.clone(),
                    persona: persona_id(design, persona),
                    endpoint: arms.endpoint.name.to_owned(),
                    events,
                    n: exposure as u64,
                    rate: rate.map(|rate| rate.value),
                    ci_low: rate.map(|rate| rate.low),
                    ci_high: rate.map(|rate| rate.high),
                    reason: rate.is_none().then(|| "no answer to count".to_owned()),
                });
            }
        }
    }
    rows
}

/// Refusals by topic, and of all topics together.
pub(crate) fn refusals(design: &Design, observations: &[Observation]) -> Vec<RefusalRow> {
    let Some(endpoint) = ENDPOINTS.iter().find(|endpoint| endpoint.name == "refusal") else { return Vec::new() };
    let mut arms: BTreeMap<(usize, usize, usize), Vec<&Observation>> = BTreeMap::new();
    for seen in observations {
        let Some(topic) = seen.topic.filter(|topic| *topic < design.topics.len()) else { continue };
        for place in [topic, design.topics.len()] {
            arms.entry((seen.subject, seen.persona, place)).or_default().push(seen);
        }
    }
    let row = |((subject, persona, topic), seen): ((usize, usize, usize), Vec<&Observation>)| {
        let table = Table::collect(seen.into_iter(), endpoint, design.fixed_texts);
        let (refused, asked) = table.totals();
        let rate = Rate::of(&table, endpoint, design);
        Some(RefusalRow {
            subject: design.subjects.get(subject)?.clone(),
            persona: design.personas.get(persona)?.id.clone(),
            topic: design.topics.get(topic).map_or(ALL_TOPICS, String::as_str).to_owned(),
            asked: asked as u64,
            refused: refused as u64,
            rate: rate.map(|rate| rate.value),
            ci_low: rate.map(|rate| rate.low),
            ci_high: rate.map(|rate| rate.high),
            reason: rate.is_none().then(|| "no answer to count".to_owned()),
        })
    };
    arms.into_iter().filter_map(row).collect()
}

/// Findings of each weakness in each arm whose code was scanned.
pub(crate) fn findings(design: &Design, observations: &[Observation]) -> Vec<FindingRow> {
    let mut arms: BTreeMap<(usize, usize), (u64, Vec<u64>)> = BTreeMap::new();
    for seen in observations.iter().filter(|seen| seen.findings_count.is_some()) {
        let (lines, counts) = arms.entry((seen.subject, seen.persona)).or_insert_with(|| (0, vec![0; design.cwes.len()]));
        *lines += u64::from(seen.code_lines.unwrap_or(0));
        for cwe in &seen.cwes {
            if let Some(count) = counts.get_mut(*cwe) {
                *count += 1;
            }
        }
    }
    let mut rows = Vec::new();
    for ((subject, persona), (lines, counts)) in arms {
        let (Some(subject), Some(persona)) = (design.subjects.get(subject), design.personas.get(persona)) else {
            continue;
        };
        rows.extend(design.cwes.iter().zip(counts).map(|(cwe, count)| FindingRow {
            subject: subject.clone(),
            persona: persona.id.clone(),
            cwe: cwe.clone(),
            count,
            per_kloc: (lines > 0).then(|| count as f64 * 1000.0 / lines as f64),
            reason: (lines == 0).then(|| "no line of code was scanned".to_owned()),
        }));
    }
    rows
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rate {
    pub(crate) value: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Rate {
    /// `None` without exposure.
    pub(crate) fn of(table: &Table, endpoint: &Endpoint, design: &Design) -> Option<Rate> {
        let (events, exposure) = table.totals();
        if exposure <= 0.0 {
            return None;
        }
        let rate = events / exposure;
        let spread = Spread::of(table, rate, exposure, design.fixed_texts);
        let looks = spread.clusters.max(spread.wordings).max(1.0);
        if endpoint.proportion {
            let trusted = spread.variance > 0.0 && rate > 0.0 && rate < 1.0;
            let effective_n = if trusted { (rate * (1.0 - rate) / spread.variance).min(exposure) } else { looks };
            let degrees = if trusted { spread.degrees } else { f64::INFINITY };
            let (low, high) = wilson(Share { rate, effective_n }, t_quantile(design.alpha / 2.0, degrees));
            return Some(Rate { value: rate, low, high });
        }
        let single = exposure / table.answers.max(1) as f64;
        let per = endpoint.per;
        if rate <= 0.0 {
            // Nothing in so many independent looks: the exact Poisson bound.
            let high = -(design.alpha / 2.0).ln() / (looks * single);
            return Some(Rate { value: 0.0, low: 0.0, high: high * per });
        }
        let variance = if spread.variance > 0.0 { spread.variance } else { rate / (looks * single) };
        let factor = (t_quantile(design.alpha / 2.0, spread.degrees) * variance.sqrt() / rate).min(500.0).exp();
        Some(Rate { value: rate * per, low: rate / factor * per, high: rate * factor * per })
    }
}

/// Two-way variance of events over exposure.
struct Spread {
    variance: f64,
    degrees: f64,
    clusters: f64,
    wordings: f64,
}

impl Spread {
    fn of(table: &Table, rate: f64, exposure: f64, fixed_texts: bool) -> Spread {
        let clusters = table.clusters.iter().filter(|sum| sum.exposure > 0.0).count() as f64;
        let task: f64 = table.clusters.iter().map(|sum| ((sum.events - rate * sum.exposure) / exposure).powi(2)).sum();
        let task = if clusters > 1.0 { task * clusters / (clusters - 1.0) } else { 0.0 };
        let mut by_wording: BTreeMap<usize, f64> = BTreeMap::new();
        let mut of_cells = 0.0;
        for cell in &table.cells {
            let Some(sum) = table.exposed(cell.cluster) else { continue };
            let residual = (cell.events - sum.rate() * cell.exposure) / exposure;
            of_cells += residual * residual;
            *by_wording.entry(cell.wording).or_default() += residual;
        }
        let wordings = by_wording.len() as f64;
        let alone = Spread { variance: task, degrees: (clusters - 1.0).max(1.0), clusters, wordings };
        if fixed_texts || wordings < 2.0 {
            return alone;
        }
        let factor = wordings / (wordings - 1.0);
        let squares: f64 = by_wording.values().map(|sum| sum * sum).sum();
        let wording = squares * factor;
        if clusters < 2.0 {
            return Spread { variance: wording, degrees: wordings - 1.0, ..alone };
        }
        let cells = (of_cells - squares / clusters).max(0.0) * factor * clusters / (clusters - 1.0);
        let net = (wording - cells).max(wording - task).max(0.0);
        let variance = task + net;
        if net <= 0.0 || variance <= 0.0 {
            return alone;
        }
        let degrees = variance * variance / (task * task / (clusters - 1.0) + wording * net / (wordings - 1.0));
        Spread { variance, degrees: degrees.max((clusters - 1.0).min(wordings - 1.0)), ..alone }
    }
}

#[cfg(test)]
mod tests;
