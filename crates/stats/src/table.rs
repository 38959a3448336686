//! Answers collapsed to one small table an arm: cells of task cluster by wording. All that follows works on these.

use std::collections::BTreeMap;

use crate::endpoint::{Endpoint, Reading};
use crate::input::{Design, Observation};

/// The answers of one cluster under one wording.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Cell {
    pub(crate) cluster: usize,
    pub(crate) wording: usize,
    pub(crate) events: f64,
    pub(crate) exposure: f64,
}

/// One cluster over all its wordings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ClusterSum {
    pub(crate) cluster: usize,
    pub(crate) events: f64,
    pub(crate) exposure: f64,
    /// Answers of the endpoint's sample whose result is not known.
    pub(crate) unknown: f64,
}

impl ClusterSum {
    /// Events per exposure; only asked of clusters with exposure.
    pub(crate) fn rate(&self) -> f64 {
        self.events / self.exposure
    }
}

/// One arm under one endpoint.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Table {
    /// Cells with exposure, by cluster, then wording.
    pub(crate) cells: Vec<Cell>,
    /// Clusters with exposure or unknown answers, in order.
    pub(crate) clusters: Vec<ClusterSum>,
    /// Answers that were counted.
    pub(crate) answers: u64,
}

impl Table {
    /// Collapses observations; with `fixed_texts` all wordings of the arm are one.
    pub(crate) fn collect<'a>(
        observations: impl Iterator<Item = &'a Observation>,
        endpoint: &Endpoint,
        fixed_texts: bool,
    ) -> Table {
        let mut draft = Draft::default();
        for seen in observations {
            draft.add(seen, endpoint, fixed_texts);
        }
        draft.finish()
    }

    /// The cluster's sums, if it has exposure here.
    pub(crate) fn exposed(&self, cluster: usize) -> Option<&ClusterSum> {
        let place = self.clusters.binary_search_by_key(&cluster, |sum| sum.cluster).ok()?;
        self.clusters.get(place).filter(|sum| sum.exposure > 0.0)
    }

    /// All events and all exposure.
    pub(crate) fn totals(&self) -> (f64, f64) {
        self.clusters.iter().fold((0.0, 0.0), |(events, exposure), sum| (events + sum.events, exposure + sum.exposure))
    }

    /// Exposure of one answer on average; 1 where nothing was counted.
    pub(crate) fn exposure_per_answer(&self) -> f64 {
        let (_, exposure) = self.totals();
        if self.answers == 0 { 1.0 } else { exposure / self.answers as f64 }
    }
}

#[derive(Default)]
struct Draft {
    counted: Vec<Cell>,
    unknown: Vec<usize>,
}

impl Draft {
    fn add(&mut self, seen: &Observation, endpoint: &Endpoint, fixed_texts: bool) {
        match endpoint.read(seen) {
            Reading::Counted { events, exposure } => {
                let wording = if fixed_texts { 0 } else { seen.wording };
                self.counted.push(Cell { cluster: seen.cluster, wording, events, exposure });
            }
            Reading::Unknown => self.unknown.push(seen.cluster),
            Reading::Outside => {}
        }
    }

    fn finish(mut self) -> Table {
        // Sorted by value too, so that sums do not depend on the order of the answers, not even in their last bit.
        self.counted.sort_unstable_by(|left, right| {
            let key = |cell: &Cell| (cell.cluster, cell.wording);
            key(left).cmp(&key(right)).then(left.events.total_cmp(&right.events)).then(left.exposure.total_cmp(&right.exposure))
        });
        let answers = self.counted.len() as u64;
        let mut sums: BTreeMap<usize, ClusterSum> = BTreeMap::new();
        let empty = |cluster| ClusterSum { cluster, events: 0.0, exposure: 0.0, unknown: 0.0 };
        let mut cells: Vec<Cell> = Vec::new();
        for answer in self.counted {
            match cells.last_mut() {
                Some(cell) if (cell.cluster, cell.wording) == (answer.cluster, answer.wording) => {
                    cell.events += answer.events;
                    cell.exposure += answer.exposure;
                }
                _ => cells.push(answer),
            }
        }
        for cell in &cells {
            let sum = sums.entry(cell.cluster).or_insert_with(|| empty(cell.cluster));
            sum.events += cell.events;
            sum.exposure += cell.exposure;
        }
        for cluster in self.unknown {
            sums.entry(cluster).or_insert_with(|| empty(cluster)).unknown += 1.0;
        }
        Table { cells, clusters: sums.into_values().collect(), answers }
    }
}

/// Which part of a study's answers a row speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Part {
    /// One placement alone.
    pub(crate) placement: Option<usize>,
    /// One wording language alone.
    pub(crate) language: Option<usize>,
}

impl Part {
    /// Whether it is the whole.
    pub(crate) fn is_whole(self) -> bool {
        self == Part::default()
    }

    fn holds(self, seen: &Observation) -> bool {
        self.placement.is_none_or(|place| place == seen.placement)
            && self.language.is_none_or(|language| language == seen.language)
    }
}

/// The tables of every arm under one endpoint.
#[derive(Debug)]
pub(crate) struct Arms {
    pub(crate) endpoint: &'static Endpoint,
    pub(crate) part: Part,
    personas: usize,
    tables: Vec<Table>,
}

impl Arms {
    /// Collapses a study's observations; those of unknown subjects or personas are left out.
    pub(crate) fn collect(design: &Design, observations: &[Observation], endpoint: &'static Endpoint, part: Part) -> Arms {
        let personas = design.personas.len();
        let mut drafts: Vec<Draft> = (0..design.subjects.len() * personas).map(|_| Draft::default()).collect();
        for seen in observations.iter().filter(|seen| part.holds(seen) && seen.persona < personas) {
            if let Some(draft) = drafts.get_mut(seen.subject * personas + seen.persona) {
                draft.add(seen, endpoint, design.fixed_texts);
            }
        }
        Arms { endpoint, part, personas, tables: drafts.into_iter().map(Draft::finish).collect() }
    }

    /// The table of one arm.
    pub(crate) fn table(&self, subject: usize, persona: usize) -> Option<&Table> {
        self.tables.get(subject * self.personas + persona)
    }

    /// Whether any arm has a counted answer.
    pub(crate) fn any_answer(&self) -> bool {
        self.tables.iter().any(|table| table.answers > 0)
    }

    /// Whether any arm has an event.
    pub(crate) fn any_event(&self) -> bool {
        self.tables.iter().any(|table| table.totals().0 > 0.0)
    }
}
