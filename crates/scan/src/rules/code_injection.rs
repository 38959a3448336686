//! Text from outside run as code.

use turncoat_answer::{Confidence, Severity};

use super::{Hits, Meta, confidence_of};
use crate::event::Event;
use crate::flow::value::{Entry, Uses};

pub(super) const META: Meta = Meta { cwe: "CWE-95", severity: Severity::Critical };

pub(super) fn check(event: &Event<'_>, hits: &mut Hits) {
    let Event::Call { scene, call } = event else { return };
    if !call.is(&["eval", "exec", "execfile", "builtins.eval", "builtins.exec", "code.InteractiveInterpreter().runcode", "numexpr.evaluate", "pandas.eval"]) {
        return;
    }
    let Some(code) = call.arguments.first() else { return };
    let Some(taint) = code.value.unfit(Uses::CODE).filter(|taint| taint.source.entry != Entry::Stored) else { return };
    // Emptied builtins do not stop attribute walks, so a second argument changes nothing.
    let confidence = confidence_of(taint).max(Confidence::Medium);
    let message = format!("`{}` is run as code; parse it, and admit known kinds of nodes only", taint.source.name);
    let hit = hits.at_call(scene, call, confidence.max(Confidence::High), message).from(taint);
    if call.method == "exec" {
        hit.cwe("CWE-94");
    }
}
