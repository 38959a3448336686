//! Temporary files that others can foresee.

use turncoat_answer::{Confidence, Severity};

use super::{Hits, Meta};
use crate::event::Event;

pub(super) const META: Meta = Meta { cwe: "CWE-377", severity: Severity::Medium };

pub(super) fn check(event: &Event<'_>, hits: &mut Hits) {
    let Event::Call { scene, call } = event else { return };
    if call.is(&["tempfile.mktemp", "os.tempnam", "os.tmpnam"]) {
        hits.at_call(scene, call, Confidence::High, "another process can make the file first; use `tempfile.NamedTemporaryFile` or `mkstemp`");
        return;
    }
    if call.path == "open" {
        let path = call.argument(0, "file").and_then(|given| given.value.text.clone());
        let mode = call.argument(1, "mode").and_then(|given| scene.module.text(given.expr)).unwrap_or("r");
        let is_shared = path.is_some_and(|path| path.starts_with("/tmp/") || path.starts_with("/var/tmp/"));
        if is_shared && (mode.contains('w') || mode.contains('a')) {
            hits.at_call(scene, call, Confidence::Medium, "the name can be foreseen in a folder that all may write; use the `tempfile` module");
        }
    }
}
