//! The study file: reads `study.toml` and everything it names into a [`Plan`].

mod arms;
mod subjects;

use crate::persona::{self, Persona, Placement, Role};
use crate::plan::{AnalysisPlan, Plan, SuiteSource};
use crate::source::{Document, Place, Problem, Problems, Section, allowed_hint, nearest};
use crate::suite::{self, SuiteFolder};
use crate::task::{Kind, Task};

pub use subjects::LOCAL_MODEL;

/// A text with the name it is shown by in messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedText {
    /// How the file is shown.
    pub file: String,
    /// Its content.
    pub text: String,
}

/// Where named texts come from: the embedded data, or files and folders that a path names.
pub trait Shelf {
    /// A persona file by built-in name or path.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    fn persona(&self, name: &str) -> Result<NamedText, ShelfError>;

    /// A suite's folder by built-in name or path.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    fn suite(&self, name: &str) -> Result<SuiteFolder, ShelfError>;

    /// A subject preset by built-in name or path.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    fn preset(&self, name: &str) -> Result<NamedText, ShelfError>;

    /// Another file that a study names, such as a mole's configuration.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    fn file(&self, name: &str) -> Result<NamedText, ShelfError>;
}

/// Why a named text is not to be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShelfError {
    /// Nothing of that name.
    #[error("there is no {what} `{name}`")]
    Missing {
        /// `persona`, `suite` ...
        what: &'static str,
        /// The name asked for.
        name: String,
        /// The built-in names there are.
        known: Vec<String>,
    },
    /// It is there and cannot be read.
    #[error("{what} `{name}` cannot be read: {cause}")]
    Unreadable {
        /// `persona`, `suite` ...
        what: &'static str,
        /// The name asked for.
        name: String,
        /// Why.
        cause: String,
    },
}

impl ShelfError {
    fn help(&self) -> Option<String> {
        match self {
            ShelfError::Missing { name, known, .. } if !known.is_empty() => {
                let list = known.iter().map(|one| format!("`{one}`")).collect::<Vec<_>>().join(", ");
                let near = nearest(name, known.iter().map(String::as_str)).map(|near| format!("did you mean `{near}`? "));
                Some(format!("{}built in: {list}; a path may stand for a name", near.unwrap_or_default()))
            }
            ShelfError::Missing { .. } => Some("paths are taken from the study file's folder".to_owned()),
            ShelfError::Unreadable { .. } => None,
        }
    }
}

/// A study that was read, with what its author should know.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The plan.
    pub plan: Plan,
    /// Doubtful points that are no mistakes.
    pub warnings: Vec<Problem>,
}

/// The endpoints a study may declare primary.
pub const ENDPOINTS: [&str; 6] = ["exploitable", "hidden", "secure_pass", "findings", "refusal", "audit_recall"];

/// The tiers, with their wordings and repeats.
pub const TIERS: [(&str, u32, u32); 3] = [("smoke", 1, 1), ("standard", 8, 2), ("full", 8, 4)];

/// Reads a study file and everything it names.
///
/// # Errors
/// Every mistake in the study file and in the files it names, each with its place.
pub fn load(file: &str, text: &str, shelf: &dyn Shelf) -> Result<Loaded, Problems> {
    let document = Document::parse(file, text);
    let mut reading = Reading { shelf, document: &document, elsewhere: Vec::new(), warnings: Vec::new() };
    let plan = reading.plan();
    let (mut problems, warnings) = (reading.elsewhere, reading.warnings);
    if let Err(found) = document.finish() {
        problems.splice(0..0, found.0);
    }
    match plan {
        Some(plan) if problems.is_empty() => Ok(Loaded { plan, warnings }),
        _ => Err(Problems(problems)),
    }
}

/// The state of reading one study.
struct Reading<'a> {
    shelf: &'a dyn Shelf,
    document: &'a Document,
    /// Mistakes in the files that the study names.
    elsewhere: Vec<Problem>,
    warnings: Vec<Problem>,
}

impl Reading<'_> {
    fn plan(&mut self) -> Option<Plan> {
        let root = self.document.root();
        let study = root.section("study")?;
        let name = study.string("name");
        check_name(&study, &name);
        let question = study.string_if_any("question").unwrap_or_default();
        let tier = study.choice_if_any("tier", &TIERS.map(|(tier, ..)| tier)).unwrap_or_else(|| "standard".to_owned());
        let (_, tier_wordings, tier_repeats) = TIERS.into_iter().find(|(one, ..)| *one == tier).unwrap_or(TIERS[1]);
        let wordings = study.count_if_any("wordings", 1..=1_000).unwrap_or(tier_wordings);
        let repeats = study.count_if_any("repeats", 1..=10_000).unwrap_or(tier_repeats);
        let seed = study.integer_if_any("seed", 0..=i64::MAX).unwrap_or(1).unsigned_abs();
        let hint = study.boolean_if_any("hint").unwrap_or(false);
        let placements = self.placements(&study);
        let languages: Vec<String> =
            study.strings_if_any("languages").unwrap_or_default().into_iter().map(|(language, _)| language).collect();
        let (suites, tasks) = self.suites(&study);
        let (baseline, personas) = self.personas(&study);
        let personas = self.arms(&study, personas, &placements, &languages, wordings);
        study.done();
        let analysis = read_analysis(&root);
        let budget_usd = root.section_if_any("budget").and_then(|budget| {
            let usd = budget.number_if_any("usd", 0.0..=1e9);
            budget.done();
            usd
        });
        let subjects = self.subjects(&root, budget_usd);
        root.done();
        Some(Plan {
            name,
            question,
            tier,
            seed,
            wordings,
            repeats,
            hint,
            baseline,
            placements,
            personas,
            tasks,
            subjects,
            analysis,
            budget_usd,
            suites,
        })
    }

    fn placements(&self, study: &Section<'_>) -> Vec<Placement> {
        let allowed = Placement::ALL.map(Placement::name);
        let Some(names) = study.strings_if_any("placement") else { return vec![Placement::System] };
        let mut placements = Vec::new();
        for (name, place) in &names {
            match Placement::ALL.into_iter().find(|one| one.name() == name) {
                Some(placement) if placements.contains(&placement) => {
                    self.document.report(*place, "study.placement", format!("`{name}` stands twice"), None);
                }
                Some(placement) => placements.push(placement),
                None => {
                    let message = format!("unknown placement `{name}`");
                    self.document.report(*place, "study.placement", message, Some(allowed_hint(name, &allowed)));
                }
            }
        }
        if names.is_empty() {
            study.report("placement", "is empty", Some(allowed_hint("", &allowed)));
        }
        placements
    }

    /// Reads the suites and keeps the tasks that `tasks` and `kinds` ask for.
    fn suites(&mut self, study: &Section<'_>) -> (Vec<SuiteSource>, Vec<Task>) {
        let mut sources = Vec::new();
        let mut tasks: Vec<Task> = Vec::new();
        for (name, place) in study.strings("suites") {
            match self.shelf.suite(&name) {
                Ok(folder) => {
                    let path = (folder.name != name).then(|| name.clone());
                    if sources.iter().any(|source: &SuiteSource| source.name == folder.name) {
                        self.document.report(place, "study.suites", format!("a suite `{}` stands twice", folder.name), None);
                        continue;
                    }
                    sources.push(SuiteSource { name: folder.name.clone(), path });
                    match suite::parse(&folder) {
                        Ok(found) => tasks.extend(found),
                        Err(problems) => self.elsewhere.extend(problems.0),
                    }
                }
                Err(error) => self.document.report(place, "study.suites", error.to_string(), error.help()),
            }
        }
        self.choose_kinds(study, &mut tasks);
        self.choose_tasks(study, &mut tasks);
        tasks.sort_by(|a, b| (&a.suite, &a.id).cmp(&(&b.suite, &b.id)));
        if tasks.is_empty() && self.elsewhere.is_empty() && self.document.is_clean() {
            study.report("suites", "no task is left to ask", None);
        }
        (sources, tasks)
    }

    fn choose_kinds(&self, study: &Section<'_>, tasks: &mut Vec<Task>) {
        let Some(names) = study.strings_if_any("kinds") else { return };
        let allowed = Kind::ALL.map(Kind::name);
        for (name, place) in &names {
            if !allowed.contains(&name.as_str()) {
                let message = format!("unknown kind `{name}`");
                self.document.report(*place, "study.kinds", message, Some(allowed_hint(name, &allowed)));
            }
        }
        tasks.retain(|task| names.iter().any(|(name, _)| name == task.kind.name()));
    }

    fn choose_tasks(&self, study: &Section<'_>, tasks: &mut Vec<Task>) {
        let Some(names) = study.strings_if_any("tasks") else { return };
        for (name, place) in &names {
            if !tasks.iter().any(|task| task.id == *name || task.path() == *name) {
                let near = nearest(name, tasks.iter().map(|task| task.id.as_str())).map(|near| format!("did you mean `{near}`?"));
                self.document.report(*place, "study.tasks", format!("no suite of the study holds a task `{name}`"), near);
            }
        }
        tasks.retain(|task| names.iter().any(|(name, _)| task.id == *name || task.path() == *name));
    }

    /// Reads the baseline and the other personas, the baseline first.
    fn personas(&mut self, study: &Section<'_>) -> (String, Vec<(Place, Persona)>) {
        let baseline_name = study.string_if_any("baseline").unwrap_or_else(|| "neutral".to_owned());
        let baseline_place = study.get("baseline").map_or(study.place(), |node| node.place);
        let mut named = vec![(baseline_name, baseline_place, "study.baseline")];
        named.extend(study.strings("personas").into_iter().map(|(name, place)| (name, place, "study.personas")));
        let mut personas: Vec<(Place, Persona)> = Vec::new();
        for (number, (name, place, field)) in named.into_iter().enumerate() {
            let text = match self.shelf.persona(&name) {
                Ok(text) => text,
                Err(error) => {
                    self.document.report(place, field, error.to_string(), error.help());
                    continue;
                }
            };
            match persona::parse(&text.file, &text.text) {
                Ok(persona) if personas.iter().any(|(_, other)| other.id == persona.id) => {
                    self.document.report(place, field, format!("persona `{}` stands twice", persona.id), None);
                }
                Ok(mut persona) => {
                    persona.role = match (number, persona.role) {
                        (0, _) => Role::Baseline,
                        // A second baseline in one study is compared with the first: an A/A arm.
                        (_, Role::Baseline) => Role::Placebo,
                        (_, role) => role,
                    };
                    personas.push((place, persona));
                }
                Err(problems) => self.elsewhere.extend(problems.0),
            }
        }
        let baseline = personas.first().map(|(_, persona)| persona.id.clone()).unwrap_or_default();
        (baseline, personas)
    }
}

/// The name becomes part of the ledger folder's name.
fn check_name(study: &Section<'_>, name: &str) {
    let fits = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.');
    if study.get("name").is_some() && (name.is_empty() || name.starts_with('.') || !name.chars().all(fits)) {
        let help = "letters, digits, `-`, `_` and `.`: the ledger's folder is named after it";
        study.report("name", format!("`{name}` cannot name a study"), Some(help.to_owned()));
    }
}

fn read_analysis(root: &Section<'_>) -> AnalysisPlan {
    let mut plan = AnalysisPlan {
        primary: "exploitable".to_owned(),
        alpha: 0.05,
        margin: 1.25,
        margin_difference: 0.05,
        adjust: "holm".to_owned(),
    };
    if let Some(section) = root.section_if_any("analysis") {
        plan.primary = section.choice_if_any("primary", &ENDPOINTS).unwrap_or(plan.primary);
        plan.alpha = section.number_if_any("alpha", 1e-6..=0.5).unwrap_or(plan.alpha);
        plan.margin = section.number_if_any("margin", 1.0..=10.0).unwrap_or(plan.margin);
        plan.margin_difference = section.number_if_any("margin_difference", 0.0..=1.0).unwrap_or(plan.margin_difference);
        plan.adjust = section.choice_if_any("adjust", &["holm", "none"]).unwrap_or(plan.adjust);
        section.done();
    }
    plan
}

#[cfg(test)]
mod tests;
