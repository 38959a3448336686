//! From what a ledger remembers to a report: observations for the statistics, and the facts beside their rows.

mod claims;
mod detection;
mod drill;
mod head;
mod imported;
mod material;
mod observe;

use std::path::Path;

use serde::Deserialize;
use serde_json::json;
use turncoat_ledger::{Ledger, LedgerKind, Reader};
use turncoat_report::Report;

pub(crate) use claims::claims;
pub(crate) use drill::{Answers, csv};
pub(crate) use head::{CONTROL_NOTE, SANDBOX_NOTE, SCANNER_NOTE};
pub(crate) use material::Material;

use crate::failure::Failure;
use crate::ledgers;
use crate::screen::Screen;

/// The remark that holds what an import was told: name, question, baseline.
pub(crate) const IMPORT_NOTE: &str = "import";

/// The remark that holds the newest report, so that showing it again costs nothing.
const REPORT_NOTE: &str = "report";

/// A report on record, and what it was made from.
#[derive(Deserialize)]
struct Kept {
    stamp: String,
    report: Report,
}

/// The report of a ledger: the one on record if nothing changed since, else made anew.
pub(crate) fn report(folder: &Path) -> Result<Report, Failure> {
    let reader = ledgers::read(folder)?;
    match on_record(&reader)? {
        Some(report) => Ok(report),
        None => make(&reader),
    }
}

/// Makes the report anew and keeps it in the ledger.
pub(crate) fn refresh(folder: &Path, screen: &Screen) -> Result<Report, Failure> {
    let ledger = ledgers::open(folder, "turncoat analyse")?;
    refresh_in(&ledger, screen)
}

/// Makes the report anew through a ledger that is open already.
pub(crate) fn refresh_in(ledger: &Ledger, screen: &Screen) -> Result<Report, Failure> {
    let reader = ledger.reader().map_err(|error| ledgers::failure(&error))?;
    screen.say("analysing");
    let report = make(&reader)?;
    let value =
        serde_json::to_value(&report).map_err(|error| Failure::bug(format!("the report cannot be written as JSON: {error}")))?;
    let stamp = stamp(&reader)?;
    ledger
        .replace_note(REPORT_NOTE, &json!({ "stamp": stamp, "report": value }))
        .map_err(|error| ledgers::failure_midway(&error))?;
    Ok(report)
}

/// The report on record, if nothing it depends on changed since: answers, scores, plan, and this program's version.
fn on_record(reader: &Reader) -> Result<Option<Report>, Failure> {
    let Some(text) = reader.newest_note_text(REPORT_NOTE).map_err(|error| ledgers::failure(&error))? else { return Ok(None) };
    // One of another version may look otherwise; then it is simply made anew.
    let Ok(kept) = serde_json::from_str::<Kept>(&text) else { return Ok(None) };
    Ok((kept.stamp == stamp(reader)?).then_some(kept.report))
}

/// Changes whenever something does that a report is made from.
fn stamp(reader: &Reader) -> Result<String, Failure> {
    let revision = reader.revision().map_err(|error| ledgers::failure(&error))?;
    Ok(format!("{}/{revision}", env!("CARGO_PKG_VERSION")))
}

fn make(reader: &Reader) -> Result<Report, Failure> {
    match reader.kind().map_err(|error| ledgers::failure(&error))? {
        LedgerKind::Study => {
            let material = Material::gather(reader)?;
            let (design, observations) = observe::observe(&material);
            let analysis = turncoat_stats::analyse(&design, &observations);
            head::assemble(reader, &material, analysis)
        }
        LedgerKind::Import => imported::assemble(reader),
    }
}
