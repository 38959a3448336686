//! Connections that take any certificate.

use turncoat_answer::{Confidence, Severity};

use super::{Hits, Meta, last_name};
use crate::event::Event;
use crate::program::Expr;

pub(super) const META: Meta = Meta { cwe: "CWE-295", severity: Severity::High };

pub(super) fn check(event: &Event<'_>, hits: &mut Hits) {
    match event {
        Event::Call { scene, call } => {
            let is_off = |name: &str| call.named(name).is_some_and(|given| matches!(scene.module.expr(given.expr), Expr::Bool(false)));
            let off = (is_off("verify") && !call.path.starts_with("jwt.")) || is_off("verify_ssl") || is_off("check_hostname") || (is_off("ssl") && call.path.contains("aiohttp"));
            if off || call.path == "ssl._create_unverified_context" {
                hits.at_call(scene, call, Confidence::High, "any certificate is taken, so anyone on the way can answer");
            }
        }
        Event::Assign { scene, target, expr, .. } => {
            let name = last_name(scene.module, *target).unwrap_or_default();
            let dotted = scene.module.dotted(*expr).unwrap_or_default();
            let off = match name.as_str() {
                "check_hostname" | "verify" => matches!(scene.module.expr(*expr), Expr::Bool(false)) && matches!(scene.module.expr(*target), Expr::Attribute(..)),
                "verify_mode" => dotted.ends_with("CERT_NONE"),
                "_create_default_https_context" => dotted.ends_with("_create_unverified_context"),
                _ => false,
            };
            if off {
                hits.add(scene.line, scene.line, Confidence::High, "any certificate is taken, so anyone on the way can answer");
            }
        }
        _ => {}
    }
}
