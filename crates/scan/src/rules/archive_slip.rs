//! Archives unpacked by the names they hold.

use turncoat_answer::{Confidence, Severity};

use super::{Hits, Meta, path_traversal};
use crate::event::{Call, Event, Scene};
use crate::flow::value::{Entry, Uses};

pub(super) const META: Meta = Meta { cwe: "CWE-22", severity: Severity::High };

pub(super) fn check(event: &Event<'_>, hits: &mut Hits) {
    let Event::Call { scene, call } = event else { return };
    for value in path_traversal::opened(call) {
        let archive = value.unfit(Uses::PATH).filter(|taint| taint.source.entry == Entry::Archive && taint.is_below);
        if let Some(taint) = archive {
            hits.at_call(scene, call, Confidence::High, "a name in the archive can lead outside the target folder").from(taint);
            return;
        }
    }
    let is_tar = call.receiver.is_some_and(|receiver| receiver.made.as_deref().is_some_and(|made| made.starts_with("tarfile.")));
    let unpacks = is_tar && matches!(call.method, "extractall" | "extract");
    if (!unpacks && call.path != "shutil.unpack_archive") || is_filtered(scene, call) {
        return;
    }
    let checked = call.receiver.is_some_and(|receiver| receiver.unfit(Uses::PATH).is_none());
    let member_checked = call.method == "extract" && call.arguments.first().is_some_and(|given| given.value.unfit(Uses::PATH).is_none());
    let chosen = call.named("members").is_some();
    if unpacks && (checked || member_checked || chosen) {
        return;
    }
    let confidence = if unpacks { Confidence::High } else { Confidence::Medium };
    hits.at_call(scene, call, confidence, "members may be written outside the target folder; pass `filter=\"data\"` or check each name");
}

/// Whether a filter is given that keeps members inside.
fn is_filtered(scene: &Scene<'_>, call: &Call<'_>) -> bool {
    let Some(filter) = call.named("filter") else { return false };
    let name = scene.module.text(filter.expr).map(str::to_owned).or_else(|| scene.module.dotted(filter.expr)).unwrap_or_default();
    !name.contains("fully_trusted")
}
