//! Values that a started program may take for an option.

use turncoat_answer::{Confidence, Severity};

use super::command_injection::STARTS;
use super::{Hits, Meta};
use crate::event::Event;
use crate::flow::value::{Entry, HOLE, Uses};

pub(super) const META: Meta = Meta { cwe: "CWE-88", severity: Severity::Medium };

pub(super) fn check(event: &Event<'_>, hits: &mut Hits) {
    let Event::Call { scene, call } = event else { return };
    if !STARTS.contains(&call.path) {
        return;
    }
    let Some(items) = call.argument(0, "args").and_then(|first| first.value.items.clone()) else { return };
    let names_program = items.first().is_some_and(|program| program.constant_text().is_some());
    for item in items.iter().skip(1).take_while(|item| item.constant_text() != Some("--")) {
        let Some(taint) = item.unfit(Uses::ARGUMENT).filter(|taint| taint.source.entry != Entry::Stored && !taint.is_below) else { continue };
        let starts_open = item.text.as_deref().is_none_or(|text| text.starts_with(HOLE));
        let is_shell = items.iter().any(|item| item.constant_text() == Some("-c"));
        if names_program && starts_open && !is_shell {
            hits.at_call(scene, call, Confidence::Low, format!("`{}` may start with `-` and be taken for an option; put `--` before it", taint.source.name)).from(taint);
            return;
        }
    }
}
