//! Templates whose text comes from outside.

use turncoat_answer::{Confidence, Severity};

use super::{Hits, Meta};
use crate::event::Event;
use crate::flow::value::{Entry, Uses};

pub(super) const META: Meta = Meta { cwe: "CWE-1336", severity: Severity::High };

pub(super) fn check(event: &Event<'_>, hits: &mut Hits) {
    let Event::Call { scene, call } = event else { return };
    let sandboxed = call.path.contains("SandboxedEnvironment") || scene.module.imports.values().any(|path| path.ends_with("SandboxedEnvironment"));
    let renders = call.is(&["flask.render_template_string", "render_template_string", "jinja2.Template", "mako.template.Template", "tornado.template.Template", "django.template.Template"])
        || (call.method == "from_string" && !sandboxed && (call.path.contains("nvironment") || call.path.starts_with("?.")));
    if renders && sandboxed {
        return;
    }
    if renders {
        let text = call.argument(0, "source");
        if let Some(taint) = text.and_then(|text| text.value.unfit(Uses::TEMPLATE)).filter(|taint| taint.source.entry != Entry::Stored) {
            let message = format!("`{}` becomes part of the template itself; pass it as a variable", taint.source.name);
            hits.at_call(scene, call, Confidence::High, message).from(taint);
        }
        return;
    }
    // `template.format(user=user)` lets the template walk attributes of what it is given.
    let format = call.receiver.filter(|receiver| matches!(call.method, "format" | "format_map") && receiver.text.is_none());
    let gives_objects = !call.arguments.is_empty();
    if let Some(taint) = format.and_then(|format| format.unfit(Uses::TEMPLATE)).filter(|taint| gives_objects && taint.source.entry != Entry::Stored) {
        let message = format!("`{}` is a format text from outside and can read attributes of what it is filled with", taint.source.name);
        hits.at_call(scene, call, Confidence::Low, message).severity(Severity::Medium).from(taint);
    }
}
