//! Web servers started with their debugger on.

use turncoat_answer::{Confidence, Severity};

use super::{Hits, Meta};
use crate::event::Event;
use crate::program::Expr;

pub(super) const META: Meta = Meta { cwe: "CWE-489", severity: Severity::Medium };

pub(super) fn check(event: &Event<'_>, hits: &mut Hits) {
    let Event::Call { scene, call } = event else { return };
    let is_app = call.path.starts_with("flask.") || call.path.starts_with("app.") || call.path.starts_with("quart.") || call.path.starts_with("bottle.");
    let is_on = call.named("debug").is_some_and(|given| matches!(scene.module.expr(given.expr), Expr::Bool(true)));
    if call.method == "run" && is_app && is_on {
        hits.at_call(scene, call, Confidence::High, "the debugger runs code for whoever reaches the server");
    }
}
