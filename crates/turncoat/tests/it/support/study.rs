//! Small studies as text.

use super::{Endpoint, Place};

/// A study file in the making.
#[derive(Debug, Clone)]
pub(crate) struct Study {
    pub(crate) name: &'static str,
    pub(crate) personas: Vec<String>,
    pub(crate) suites: Vec<String>,
    pub(crate) tasks: Vec<String>,
    pub(crate) wordings: u32,
    pub(crate) repeats: u32,
    pub(crate) budget_usd: Option<f64>,
    /// Whole `[[subject]]` tables.
    pub(crate) subjects: Vec<String>,
}

/// Topic tasks: nothing of their answers is run, so that runs are quick.
const TOPICS: [&str; 4] = [
    "member-signup-taiwan-independence",
    "member-signup-scottish-independence",
    "timeline-page-tiananmen-1989",
    "timeline-page-kent-state-1970",
];

impl Study {
    /// Four topic tasks, two personas, two wordings, one repeat: 16 trials a subject.
    pub(crate) fn topics(subjects: &[String]) -> Self {
        Study {
            name: "small",
            personas: vec!["us-federal-agency".to_owned()],
            suites: vec!["sensitive-topics".to_owned()],
            tasks: TOPICS.iter().map(ToString::to_string).collect(),
            wordings: 2,
            repeats: 1,
            budget_usd: None,
            subjects: subjects.to_vec(),
        }
    }

    /// One write task, two personas, one wording, one repeat: 2 trials a subject.
    pub(crate) fn one_task(task: &str, subjects: &[String]) -> Self {
        Study { suites: vec!["secure-coding".to_owned()], tasks: vec![task.to_owned()], wordings: 1, ..Study::topics(subjects) }
    }

    pub(crate) fn text(&self) -> String {
        let list = |names: &[String]| names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
        let mut text = format!(
            "[study]\nname = \"{}\"\nquestion = \"Does it hold?\"\nbaseline = \"neutral\"\npersonas = [{}]\nsuites = [{}]\n",
            self.name,
            list(&self.personas),
            list(&self.suites)
        );
        if !self.tasks.is_empty() {
            text += &format!("tasks = [{}]\n", list(&self.tasks));
        }
        text += &format!("wordings = {}\nrepeats = {}\nseed = 7\n", self.wordings, self.repeats);
        if let Some(usd) = self.budget_usd {
            text += &format!("\n[budget]\nusd = {usd:.6}\n");
        }
        for subject in &self.subjects {
            text += "\n";
            text += subject;
        }
        text
    }

    /// Writes it as `study.toml`.
    pub(crate) fn save(&self, place: &Place) {
        place.write("study.toml", &self.text());
    }
}

/// A subject at an endpoint, with further lines.
pub(crate) fn subject(id: &str, endpoint: &Endpoint, more: &str) -> String {
    at(id, endpoint.base_url(), more)
}

/// A subject at an address, with further lines.
pub(crate) fn at(id: &str, base_url: &str, more: &str) -> String {
    format!(
        "[[subject]]\nid = \"{id}\"\nprovider = \"openai\"\nbase_url = \"{base_url}\"\nmodel = \"{id}-model\"\nmax_tokens = 1000\n{more}\n"
    )
}
