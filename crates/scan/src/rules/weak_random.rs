//! Secrets made by a generator that can be predicted.

use turncoat_answer::{Confidence, Severity};

use super::{Hits, Meta, mentions, names_secret};
use crate::event::Event;
use crate::flow::last_line;
use crate::program::{Expr, ExprId, Function, Module};

pub(super) const META: Meta = Meta { cwe: "CWE-338", severity: Severity::High };

const GENERATORS: [&str; 12] = [
    "random.random", "random.randint", "random.randrange", "random.choice", "random.choices", "random.sample", "random.getrandbits", "random.uniform", "random.shuffle", "random.randbytes",
    "numpy.random.randint", "numpy.random.bytes",
];
const CLOCKS: [&str; 6] = ["time.time", "time.time_ns", "datetime.datetime.now", "datetime.datetime.utcnow", "time.monotonic", "uuid.uuid1"];
const HASHES: [&str; 5] = ["hashlib.md5", "hashlib.sha1", "hashlib.sha256", "hashlib.sha512", "uuid.uuid5"];

pub(super) fn check(event: &Event<'_>, hits: &mut Hits) {
    match event {
        Event::Call { scene, call } => {
            let generates = GENERATORS.contains(&call.path) || call.path.starts_with("random.Random().") || call.path == "uuid.uuid1";
            if generates && names_secret(&scene.names()) {
                let message = format!("`{}` can be predicted from earlier values; use the `secrets` module", call.path);
                hits.at_call(scene, call, Confidence::High, message);
            }
        }
        Event::Function { scene, function } => from_clock(scene.module, function, hits),
        _ => {}
    }
}

/// A function that makes a secret by hashing what the clock says, with nothing random in it.
fn from_clock(module: &Module, function: &Function, hits: &mut Hits) {
    if !names_secret(&function.name) || function.name.contains("verify") || function.name.contains("check") {
        return;
    }
    let end = last_line(&function.body, function.line);
    let mut calls: Vec<(ExprId, u32, u32, String)> = Vec::new();
    for (index, node) in (0_u32..).zip(&module.exprs) {
        if let Expr::Call(callee, _) = &node.expr
            && node.line > function.line && node.line <= end {
                calls.extend(module.dotted(*callee).map(|path| (ExprId(index), node.line, node.end_line, path)));
            }
    }
    let is_random = calls.iter().any(|(_, _, _, path)| path.starts_with("secrets.") || path == "os.urandom" || path == "uuid.uuid4" || path.starts_with("random.") || path.starts_with("hmac."));
    let has_clock = calls.iter().any(|(_, _, _, path)| CLOCKS.contains(&path.as_str()));
    if is_random || !has_clock {
        return;
    }
    for (id, line, end_line, path) in calls {
        let fed = mentions(module, id, &|_, expr| matches!(expr, Expr::Name(_) | Expr::Call(..)));
        if HASHES.contains(&path.as_str()) && fed {
            hits.add(line, end_line, Confidence::Medium, "a secret made by hashing the clock and known values can be guessed; use the `secrets` module").cwe("CWE-330");
            return;
        }
    }
}
