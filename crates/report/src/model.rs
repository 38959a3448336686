//! The report as data: the JSON contract `turncoat.report/1`, and what the page needs beyond it.
//!
//! A number that cannot be given is `None`, with a reason beside it; no field ever holds NaN or infinity on purpose.

use serde::{Deserialize, Serialize};
use turncoat_answer::{ErrorKind, Outcome, RefusalLayer};
use turncoat_stats::rows::AaRow;
use turncoat_stats::{Analysis, BetweenRow, Contrast, FindingRow, InteractionRow, RateRow, RefusalRow, Verdict};

/// The name and version of the contract.
pub const SCHEMA: &str = "turncoat.report/1";

/// A study's report: what `turncoat report --format json` prints. Fields may be added, none is ever renamed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// The study and its size.
    pub study: StudyHead,
    /// The subjects, in the order of the study.
    pub subjects: Vec<SubjectRow>,
    /// Outcomes of each arm.
    pub outcomes: Vec<OutcomeRow>,
    /// Absolute rates of each arm.
    pub rates: Vec<RateRow>,
    /// Personas against the baseline.
    pub contrasts: Vec<Contrast>,
    /// Subjects against each other.
    pub between: Vec<BetweenRow>,
    /// Persona effects against each other.
    pub interactions: Vec<InteractionRow>,
    /// Refusals by topic.
    pub refusals: Vec<RefusalRow>,
    /// Static findings by weakness.
    pub findings: Vec<FindingRow>,
    /// Baseline against placebo: the size of a difference where there is none.
    #[serde(default)]
    pub aa: Vec<AaRow>,
    /// What must be known about the run before its numbers are read.
    #[serde(default)]
    pub quality: Quality,
    /// For simulated subjects: what was set and what was seen.
    #[serde(default)]
    pub mole: Option<Detection>,
    /// How the numbers came about and how to make them again.
    #[serde(default)]
    pub method: Method,
    /// What the study cannot show, one sentence each.
    #[serde(default)]
    pub limits: Vec<String>,
}

impl Report {
    /// A report of that schema whose rows are those of `analysis`; everything else is empty.
    #[must_use]
    pub fn new(study: StudyHead, analysis: Analysis) -> Report {
        Report {
            schema: SCHEMA.to_owned(),
            study,
            rates: analysis.rates,
            contrasts: analysis.contrasts,
            between: analysis.between,
            interactions: analysis.interactions,
            refusals: analysis.refusals,
            findings: analysis.findings,
            aa: analysis.aa,
            ..Report::default()
        }
    }

    /// Whether the subject of that id is simulated, so that it is marked wherever it is named.
    #[must_use]
    pub fn is_simulated(&self, subject: &str) -> bool {
        self.subjects.iter().any(|row| row.simulated && row.id == subject)
    }

    /// The name under which a subject is shown: its id, marked `SIMULATED` where it is.
    #[must_use]
    pub fn shown_name(&self, subject: &str) -> String {
        if self.is_simulated(subject) { format!("{subject} [SIMULATED]") } else { subject.to_owned() }
    }
}

/// The study and its size.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StudyHead {
    /// Its name.
    pub name: String,
    /// SHA-256 of the resolved questions, lower-case hex.
    pub plan_hash: String,
    /// `smoke`, `standard`, `full` or `import`.
    pub tier: String,
    /// Trials of the plan.
    pub trials_planned: u64,
    /// Trials with an answer.
    pub answers: u64,
    /// Trials without an answer.
    pub errors: u64,
    /// Changes after the plan was fixed.
    pub deviations: Vec<Deviation>,
    /// The question in words.
    #[serde(default)]
    pub question: String,
    /// The persona that every other is compared with.
    #[serde(default)]
    pub baseline: String,
    /// Personas in the order of the study, the baseline among them.
    #[serde(default)]
    pub personas: Vec<String>,
    /// The primary endpoint.
    #[serde(default)]
    pub primary: String,
    /// Two-sided level; intervals of contrasts cover `1 - alpha`.
    #[serde(default)]
    pub alpha: f64,
    /// Equivalence margin on the ratio scale.
    #[serde(default)]
    pub margin: f64,
    /// Equivalence margin on the difference scale.
    #[serde(default)]
    pub margin_difference: f64,
    /// `holm` or `none`.
    #[serde(default)]
    pub adjust: String,
    /// Seed of order and resampling.
    #[serde(default)]
    pub seed: u64,
    /// When the first call started, RFC 3339, where the ledger knows.
    #[serde(default)]
    pub started: Option<String>,
    /// When the last answer came, RFC 3339, where the ledger knows.
    #[serde(default)]
    pub finished: Option<String>,
    /// The arms are fixed texts without wordings.
    #[serde(default)]
    pub this_text_only: bool,
    /// The version of Turncoat that made the report.
    #[serde(default)]
    pub version: String,
}

impl Default for StudyHead {
    fn default() -> StudyHead {
        StudyHead {
            name: String::new(),
            plan_hash: String::new(),
            tier: String::new(),
            trials_planned: 0,
            answers: 0,
            errors: 0,
            deviations: Vec::new(),
            question: String::new(),
            baseline: String::new(),
            personas: Vec::new(),
            primary: "exploitable".to_owned(),
            alpha: 0.05,
            margin: 1.25,
            margin_difference: 0.05,
            adjust: "holm".to_owned(),
            seed: 0,
            started: None,
            finished: None,
            this_text_only: false,
            version: String::new(),
        }
    }
}

/// A change after the plan was fixed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deviation {
    /// When, RFC 3339, where known.
    pub at: Option<String>,
    /// The reason given with `--amend`.
    pub reason: String,
    /// What changed, a line each.
    pub changes: Vec<String>,
}

/// One subject.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SubjectRow {
    /// The study's name for it.
    pub id: String,
    /// The dialect or engine, such as `openai`; `import` for outcomes made elsewhere.
    pub provider: String,
    /// The model id that was asked for.
    pub model: String,
    /// Whether it is a mole: marked wherever it is named.
    pub simulated: bool,
    /// The model ids that the server says it served.
    pub served_models: Vec<String>,
    /// Spent, in USD.
    pub usd: Option<f64>,
    /// Spent for each answer that worked and held, in USD.
    pub usd_per_secure_pass: Option<f64>,
    /// Tokens sent.
    pub tokens_in: Option<u64>,
    /// Tokens received.
    pub tokens_out: Option<u64>,
    /// Why a number above is missing.
    #[serde(default)]
    pub reason: Option<String>,
    /// Who built the model, where known.
    #[serde(default)]
    pub developer: Option<String>,
    /// Country of the developer's seat, where known.
    #[serde(default)]
    pub jurisdiction: Option<String>,
}

/// How the answers of one arm came out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of the documented JSON contract")]
pub struct OutcomeRow {
    pub subject: String,
    pub persona: String,
    pub exploitable: u64,
    pub safe: u64,
    pub broken: u64,
    pub refused: u64,
    pub no_code: u64,
    pub unproven: u64,
    pub answered: u64,
    /// Cells without an answer.
    pub error: u64,
}

/// A named count.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// What is counted.
    pub name: String,
    /// How many.
    pub count: u64,
}

/// A named thing and its value, both for people.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
}

/// One check that the instrument was alive.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What was checked.
    pub name: String,
    /// Whether it held.
    pub passed: bool,
    /// What was seen, for people.
    pub note: Option<String>,
}

/// What must be known about the run before its numbers are read. `None` is "not known", never zero.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Quality {
    /// Cells of the plan.
    pub planned: u64,
    /// Cells with an answer.
    pub answered: u64,
    /// Cells without an answer, by kind of error.
    pub errors: Vec<Count>,
    /// Answers that declined.
    pub refusals: Option<u64>,
    /// Answers that met the token limit.
    pub cut_answers: Option<u64>,
    /// Answers to coding tasks that held no code.
    pub without_code: Option<u64>,
    /// Answers whose code could not be run.
    pub unproven: Option<u64>,
    /// Why, with counts.
    pub unproven_reasons: Vec<Count>,
    /// Calls in flight when the program died: spent for, perhaps, and asked again.
    pub unknown_attempts: Option<u64>,
    /// Which model ids were served, to see an endpoint change under a study.
    pub served: Vec<Served>,
    /// The sandbox that code ran in: its tier, in words.
    pub sandbox_tier: Option<String>,
    /// What the sandbox was seen to withhold.
    pub sandbox_probes: Vec<Check>,
    /// Known-bad and known-good code that was run beside the answers.
    pub controls: Vec<Check>,
    /// Known-bad code that the scanner was shown: whether it was alive.
    pub scanner: Vec<Check>,
    /// Static findings against proofs.
    pub agreement: Vec<Agreement>,
    /// Anything else a reader must know first, one sentence each.
    pub remarks: Vec<String>,
}

/// A model id that one subject's server says it served.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Served {
    /// The subject.
    pub subject: String,
    /// The served id as it came.
    pub model: String,
    /// The server's fingerprint as it came.
    pub fingerprint: Option<String>,
    /// Answers under it.
    pub answers: u64,
}

/// Static findings against proofs, among answers whose function cases passed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreement {
    /// The weakness, or `any`.
    pub cwe: String,
    /// An exploit worked and the scanner had raised it.
    pub proven_and_flagged: u64,
    /// An exploit worked and no analyzer had raised anything.
    pub proven_only: u64,
    /// Raised by the scanner, no exploit worked.
    pub flagged_only: u64,
    /// Neither.
    pub neither: u64,
}

/// What simulated subjects were set to, and what the study saw of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Detection {
    /// Set and observed shares of each arm.
    pub shares: Vec<SetShare>,
    /// How often a study of this design shows an effect of a given size.
    pub curve: Vec<CurvePoint>,
}

/// One arm of a simulated subject: the share it was set to and the share that was measured.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SetShare {
    /// The simulated subject.
    pub subject: String,
    /// The persona.
    pub persona: String,
    /// `exploitable`, `broken` or `refusal`.
    pub endpoint: String,
    /// The share it was set to, 0 to 1.
    pub set: f64,
    /// The share that was measured.
    pub observed: Option<f64>,
    /// Lower end of its interval.
    pub ci_low: Option<f64>,
    /// Upper end of its interval.
    pub ci_high: Option<f64>,
    /// The ratio to the baseline that was set, for personas other than the baseline.
    pub set_ratio: Option<f64>,
    /// What the study said of this persona.
    pub verdict: Option<Verdict>,
    /// Why a number is missing.
    pub reason: Option<String>,
}

/// A point of the detection curve.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// The true ratio of shares.
    pub ratio: f64,
    /// The baseline's true share.
    pub baseline_share: f64,
    /// Share of studies of this design that called it different.
    pub shown: f64,
    /// Studies simulated.
    pub studies: u64,
}

/// How the numbers came about and how to make them again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Method {
    /// The command line that reproduces the report, as one would type it; further lines follow it.
    pub commands: Vec<String>,
    /// Programs, rules, tests and models with their versions or hashes.
    pub versions: Vec<Named>,
    /// Seeds and what each decides.
    pub seeds: Vec<Named>,
    /// How answers were scored and numbers estimated, one sentence each.
    pub sentences: Vec<String>,
}

/// One trial, flat: a row of the CSV.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TrialRow {
    /// The trial's key, lower-case hex; for imports anything unique.
    pub trial: String,
    /// The subject.
    pub subject: String,
    /// Whether the subject is simulated.
    pub simulated: bool,
    /// The persona.
    pub persona: String,
    /// The persona's role.
    pub role: String,
    /// The wording's frame.
    pub frame: String,
    /// Where the wording stands.
    pub placement: String,
    /// Language of the wording.
    pub language: String,
    /// The task as `suite/id`.
    pub task: String,
    /// The task's cluster.
    pub cluster: String,
    /// `write`, `modify`, `audit` or `topic`.
    pub kind: String,
    /// The repeat, from 0.
    pub repeat: u32,
    /// What the answer amounts to; `None` where none came.
    pub outcome: Option<Outcome>,
    /// In which way it declined.
    pub refusal_layer: Option<RefusalLayer>,
    /// Why no answer came.
    pub error: Option<ErrorKind>,
    /// Why the outcome is unproven or broken, for people.
    pub reason: Option<String>,
    /// Static findings; `None` where nothing was scanned.
    pub findings: Option<u64>,
    /// Their severity-weighted sum.
    pub findings_weighted: Option<f64>,
    /// Weaknesses found or proven, each once.
    pub cwes: Vec<String>,
    /// Lines of code in the answer.
    pub code_lines: Option<u64>,
    /// From sending to the last byte, in milliseconds.
    pub latency_ms: Option<u64>,
    /// Cost in USD.
    pub usd: Option<f64>,
    /// Prompt tokens.
    pub tokens_in: Option<u64>,
    /// Answer tokens.
    pub tokens_out: Option<u64>,
    /// The model id that the server says it served.
    pub served_model: Option<String>,
    /// Whether the answer met the token limit.
    pub cut: bool,
}
