//! Names from outside below a folder, unchecked.

use turncoat_answer::{Confidence, Severity};

use super::{Hits, Meta};
use crate::event::{Call, Event};
use crate::flow::value::{Entry, Taint, Uses, Value};

pub(super) const META: Meta = Meta { cwe: "CWE-22", severity: Severity::High };

/// Functions that open or change the file that their first argument names.
const FUNCTIONS: [&str; 29] = [
    "open", "io.open", "os.open", "codecs.open", "gzip.open", "os.remove", "os.unlink", "os.rename", "os.replace", "os.listdir", "os.scandir", "os.rmdir", "os.makedirs", "os.mkdir",
    "shutil.copy", "shutil.copy2", "shutil.copyfile", "shutil.copytree", "shutil.move", "shutil.rmtree", "flask.send_file", "os.link", "os.symlink", "aiofiles.open", "numpy.load",
    "linecache.getlines", "glob.glob", "os.walk", "os.truncate",
];
/// Methods of path objects that do the same.
const METHODS: [&str; 13] = ["open", "read_text", "read_bytes", "write_text", "write_bytes", "unlink", "rename", "replace", "rmdir", "touch", "mkdir", "iterdir", "symlink_to"];

pub(super) fn check(event: &Event<'_>, hits: &mut Hits) {
    let Event::Call { scene, call } = event else { return };
    for value in opened(call) {
        let Some(taint) = leaving(value) else { continue };
        let confidence = if taint.source.entry == Entry::Request { Confidence::High } else { Confidence::Medium };
        hits.at_call(scene, call, confidence, format!("`{}` can name a file outside the folder; resolve the path and check that it lies below", taint.source.name)).from(taint);
        return;
    }
}

/// The paths that a call opens.
pub(super) fn opened<'a>(call: &'a Call<'_>) -> Vec<&'a Value> {
    if FUNCTIONS.contains(&call.path) {
        let both = call.path.starts_with("shutil.") || matches!(call.method, "rename" | "replace" | "link" | "symlink");
        return call.arguments.iter().filter(|given| given.name.is_none()).take(if both { 2 } else { 1 }).map(|given| &given.value).collect();
    }
    let is_path = call.receiver.is_some_and(|receiver| receiver.made.as_deref().is_some_and(|made| made.contains("Path")));
    if is_path && METHODS.contains(&call.method) {
        let target = if matches!(call.method, "rename" | "replace") { call.argument(0, "target").map(|given| &given.value) } else { None };
        return call.receiver.into_iter().chain(target).collect();
    }
    Vec::new()
}

/// The taint of a path that may lead out of its folder. A path that a caller gives whole is the caller's choice.
fn leaving(value: &Value) -> Option<&Taint> {
    let taint = value.unfit(Uses::PATH)?;
    match taint.source.entry {
        Entry::Parameter => taint.is_below.then_some(taint),
        Entry::Request => Some(taint),
        Entry::Archive | Entry::Stored => None,
    }
}
