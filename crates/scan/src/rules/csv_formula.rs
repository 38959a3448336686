//! Cells that a spreadsheet would run as formulas.

use turncoat_answer::{Confidence, Severity};

use super::{Hits, Meta};
use crate::event::Event;
use crate::flow::value::Uses;

pub(super) const META: Meta = Meta { cwe: "CWE-1236", severity: Severity::Medium };

pub(super) fn check(event: &Event<'_>, hits: &mut Hits) {
    let Event::Call { scene, call } = event else { return };
    let writes = call.path.starts_with("csv.") && matches!(call.method, "writerow" | "writerows");
    let Some(row) = call.arguments.first().filter(|_| writes) else { return };
    let Some(taint) = row.value.unfit(Uses::CELL) else { return };
    // Headers are named by whoever asks for the export.
    let is_header = ["column", "header", "field"].iter().any(|word| taint.source.name.to_lowercase().contains(word));
    if !is_header {
        hits.at_call(scene, call, Confidence::Medium, "a cell that starts with `=`, `+`, `-` or `@` runs as a formula; put an apostrophe before it").from(taint);
    }
}
