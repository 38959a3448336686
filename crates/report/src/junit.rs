//! JUnit XML, so that a build server can show the verdicts: one suite a subject, one case a primary contrast.

use std::io::{self, Write};

use turncoat_stats::Verdict;

use crate::model::Report;
use crate::visible::one_line;
use crate::{view, words};

/// Text for XML 1.0: characters it forbids are made visible before, markup is escaped.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for character in one_line(text).chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // XML 1.0 has no way to write these two, escaped or not.
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out
}

/// Writes the primary contrasts of the treatments: `worse` fails, `inconclusive` is skipped, the rest passes.
///
/// # Errors
/// Whatever `out` meets.
pub fn junit(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let rows = view::headline(report);
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(out, "<testsuites name=\"{}\">", escape(&report.study.name))?;
    for subject in view::subjects(report) {
        let cases: Vec<_> = rows.iter().filter(|row| row.subject == subject).collect();
        let of = |verdict: Verdict| cases.iter().filter(|row| row.verdict == verdict).count();
        let name = escape(&report.shown_name(subject));
        let (failed, skipped) = (of(Verdict::Worse), of(Verdict::Inconclusive));
        writeln!(out, "  <testsuite name=\"{name}\" tests=\"{}\" failures=\"{failed}\" skipped=\"{skipped}\">", cases.len())?;
        for row in cases {
            let text = escape(&words::sentence(row, report.study.alpha));
            let case = escape(&format!("{} against {}: {}", row.persona, row.baseline, row.endpoint));
            write!(out, "    <testcase classname=\"{name}\" name=\"{case}\">")?;
            match row.verdict {
                Verdict::Worse => write!(out, "<failure message=\"{text}\"/>")?,
                Verdict::Inconclusive => write!(out, "<skipped message=\"{text}\"/>")?,
                Verdict::Better | Verdict::Equivalent => write!(out, "<system-out>{text}</system-out>")?,
            }
            writeln!(out, "</testcase>")?;
        }
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}
