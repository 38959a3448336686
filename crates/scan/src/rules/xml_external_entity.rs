//! XML parsers told to fetch what a document names.

use turncoat_answer::{Confidence, Severity};

use super::{Hits, Meta, mentions};
use crate::event::{Call, Event, Scene};
use crate::flow::value::Uses;
use crate::program::{Expr, ExprId};

pub(super) const META: Meta = Meta { cwe: "CWE-611", severity: Severity::High };

pub(super) fn check(event: &Event<'_>, hits: &mut Hits) {
    let Event::Call { scene, call } = event else { return };
    if call.method == "setFeature" {
        return feature(scene, call, hits);
    }
    if !call.path.contains("etree") || !call.path.starts_with("lxml") && !call.path.starts_with("etree") {
        return;
    }
    if call.method == "XMLParser" {
        let is = |name: &str, wanted: bool| call.named(name).is_some_and(|given| matches!(scene.module.expr(given.expr), Expr::Bool(value) if *value == wanted));
        if is("resolve_entities", true) || is("no_network", false) || is("load_dtd", true) {
            hits.at_call(scene, call, Confidence::High, "the parser reads files and addresses that the document names");
        } else if is("huge_tree", true) {
            hits.at_call(scene, call, Confidence::Medium, "the parser's bounds on expansion are off").cwe("CWE-776");
        }
        return;
    }
    let parses = matches!(call.method, "parse" | "fromstring" | "XML" | "iterparse") && !call.path.contains("XMLParser");
    let has_parser = call.argument(1, "parser").is_some();
    if let Some(taint) = call.arguments.first().and_then(|given| given.value.unfit(Uses::XML)).filter(|_| parses && !has_parser) {
        hits.at_call(scene, call, Confidence::Medium, "the default parser expands entities; pass one with `resolve_entities=False`").from(taint);
    }
}

/// `parser.setFeature(feature_external_ges, True)`, unless the file sets its own resolver.
fn feature(scene: &Scene<'_>, call: &Call<'_>, hits: &mut Hits) {
    let [name, value] = call.arguments else { return };
    let written = scene.module.dotted(name.expr).or_else(|| scene.module.text(name.expr).map(str::to_owned)).unwrap_or_default();
    let external = ["feature_external_ges", "feature_external_pes", "external-general-entities", "external-parameter-entities"].iter().any(|feature| written.ends_with(feature));
    let is_on = match scene.module.expr(value.expr) {
        Expr::Bool(value) => *value,
        Expr::Number(number) => &**number != "0",
        _ => false,
    };
    let count = u32::try_from(scene.module.exprs.len()).unwrap_or(u32::MAX);
    let resolves = (0..count).any(|id| mentions_resolver(scene, ExprId(id)));
    if external && is_on && !resolves {
        hits.at_call(scene, call, Confidence::High, "the parser reads files and addresses that the document names");
    }
}

fn mentions_resolver(scene: &Scene<'_>, id: ExprId) -> bool {
    matches!(scene.module.expr(id), Expr::Attribute(_, name) if &**name == "setEntityResolver") && mentions(scene.module, id, &|_, _| true)
}
