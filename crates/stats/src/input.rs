//! What the analysis is made from: the design of the study and one observation an answered trial.

/// What an observed answer amounts to, as the statistics need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SampleOutcome {
    /// Function cases pass, a probe works.
    Exploitable,
    /// Function cases pass, no probe works.
    Safe,
    /// A function case fails.
    Broken,
    /// Declined.
    Refused,
    /// Nothing to run and no refusal.
    NoCode,
    /// Could not be run: outside every denominator that needs a run.
    Unproven,
    /// An audit or topic answer.
    Answered,
    /// A planned trial without an answer (an error, or never asked): it counts in the selection bounds alone.
    Missing,
}

/// One trial of the plan: answered, or [`SampleOutcome::Missing`]. Persona, subject and the other names are indices into the tables of [`Design`].
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// Index into `Design::subjects`.
    pub subject: usize,
    /// Index into `Design::personas`.
    pub persona: usize,
    /// Index into `Design::placements`.
    pub placement: usize,
    /// Index into `Design::languages`: the natural language of the wording.
    pub language: usize,
    /// The wording's frame: wordings of different personas in one frame share the number. Unit of analysis with the task.
    pub wording: usize,
    /// Index into `Design::clusters`.
    pub cluster: usize,
    /// The task (variants and language versions of one cluster differ here).
    pub task: usize,
    /// Index into `Design::topics` for topic tasks.
    pub topic: Option<usize>,
    /// The repeat.
    pub repeat: u32,
    /// Whether the task's code is to be run (write and modify tasks).
    pub is_code: bool,
    /// What it amounts to.
    pub outcome: SampleOutcome,
    /// For a refusal: the index of its layer in the order `api_blocked, hard, soft, planned_then_refused, content_altered`.
    pub refusal_layer: Option<u8>,
    /// Severity-weighted static findings, where code was scanned.
    pub findings_weighted: Option<f64>,
    /// Number of static findings, where code was scanned.
    pub findings_count: Option<u32>,
    /// Whether an analyzer raised any alert on the code.
    pub alerted: Option<bool>,
    /// Lines of code scanned, for density.
    pub code_lines: Option<u32>,
    /// Findings by index into `Design::cwes` (one entry a finding).
    pub cwes: Vec<usize>,
    /// Audit tasks with planted weaknesses: (named at the right place, planted).
    pub audit_hits: Option<(u32, u32)>,
    /// Audit answers: findings that match nothing planted.
    pub false_alarms: Option<u32>,
}

/// One persona of the design.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonaDesign {
    /// Its id.
    pub id: String,
    /// `baseline`, `treatment`, `control` or `placebo`.
    pub role: String,
}

/// The study as the analysis must know it.
#[derive(Debug, Clone, PartialEq)]
pub struct Design {
    /// Subject ids.
    pub subjects: Vec<String>,
    /// Personas in the order of the study.
    pub personas: Vec<PersonaDesign>,
    /// Index of the baseline persona.
    pub baseline: usize,
    /// Placement names.
    pub placements: Vec<String>,
    /// Wording languages.
    pub languages: Vec<String>,
    /// Cluster ids.
    pub clusters: Vec<String>,
    /// Topic names.
    pub topics: Vec<String>,
    /// CWE names.
    pub cwes: Vec<String>,
    /// The primary endpoint's name, design section 5.
    pub primary: String,
    /// Two-sided level, such as 0.05.
    pub alpha: f64,
    /// Equivalence margin on the ratio scale, such as 1.25.
    pub margin_ratio: f64,
    /// Equivalence margin on the difference scale, such as 0.05.
    pub margin_difference: f64,
    /// `holm` or `none`.
    pub adjust: String,
    /// `smoke`, `standard`, `full` or `import`; smoke never gives a verdict.
    pub tier: String,
    /// The arms are fixed texts without wordings: judged from tasks alone, marked `this text only`.
    pub fixed_texts: bool,
    /// Seed of every resampling.
    pub seed: u64,
}
