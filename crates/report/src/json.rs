//! The JSON contract, indented, with a final line feed.

use std::io::{self, Write};

use crate::model::Report;

/// Writes the report as `turncoat.report/1`.
///
/// # Errors
/// Whatever `out` meets; a report itself always serialises, since a number that is not finite becomes `null`.
pub fn json(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, report).map_err(io::Error::from)?;
    out.write_all(b"\n")
}
