//! CSV, a row per trial.

use std::borrow::Borrow;
use std::io::{self, Write};

use crate::model::TrialRow;
use crate::visible::one_line;

const HEADER: [&str; 27] = [
    "trial",
    "subject",
    "simulated",
    "persona",
    "role",
    "frame",
    "placement",
    "language",
    "task",
    "cluster",
    "kind",
    "repeat",
    "outcome",
    "refusal_layer",
    "error",
    "reason",
    "findings",
    "findings_weighted",
    "cwes",
    "code_lines",
    "latency_ms",
    "usd",
    "tokens_in",
    "tokens_out",
    "served_model",
    "cut",
    "subject_shown",
];

/// A cell that a spreadsheet cannot mistake for a formula, and that drives no terminal: text from outside that opens like a
/// formula gets a leading `'`, and hidden characters are written out.
fn cell(text: &str) -> String {
    let guard = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    format!("{}{}", if guard { "'" } else { "" }, one_line(text))
}

fn optional<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// Writes one row for each trial below a header. An unknown value is an empty cell, never a zero.
///
/// # Errors
/// Whatever `out` meets.
pub fn csv<R: Borrow<TrialRow>>(trials: impl IntoIterator<Item = R>, out: &mut dyn Write) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(HEADER).map_err(io::Error::from)?;
    for row in trials {
        let row = row.borrow();
        let shown = if row.simulated { format!("{} [SIMULATED]", row.subject) } else { row.subject.clone() };
        let record: [String; 27] = [
            cell(&row.trial),
            cell(&row.subject),
            row.simulated.to_string(),
            cell(&row.persona),
            cell(&row.role),
            cell(&row.frame),
            cell(&row.placement),
            cell(&row.language),
            cell(&row.task),
            cell(&row.cluster),
            cell(&row.kind),
            row.repeat.to_string(),
            optional(row.outcome),
            row.refusal_layer.map(|layer| layer.name().to_owned()).unwrap_or_default(),
            optional(row.error),
            cell(row.reason.as_deref().unwrap_or_default()),
            optional(row.findings),
            optional(row.findings_weighted.filter(|value| value.is_finite())),
            cell(&row.cwes.join(" ")),
            optional(row.code_lines),
            optional(row.latency_ms),
            optional(row.usd.filter(|value| value.is_finite())),
            optional(row.tokens_in),
            optional(row.tokens_out),
            cell(row.served_model.as_deref().unwrap_or_default()),
            row.cut.to_string(),
            cell(&shown),
        ];
        writer.write_record(&record).map_err(io::Error::from)?;
    }
    writer.flush()
}
