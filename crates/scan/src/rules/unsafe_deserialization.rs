//! Loaders that build any object their input names.

use turncoat_answer::{Confidence, Severity};

use super::{Hits, Meta};
use crate::event::{Call, Event, Scene};
use crate::flow::value::Uses;
use crate::program::Expr;

pub(super) const META: Meta = Meta { cwe: "CWE-502", severity: Severity::High };

const LOADERS: [&str; 22] = [
    "pickle.loads", "pickle.load", "pickle.Unpickler", "cPickle.loads", "cPickle.load", "_pickle.loads", "dill.loads", "dill.load", "cloudpickle.loads", "cloudpickle.load", "marshal.loads",
    "marshal.load", "jsonpickle.decode", "jsonpickle.loads", "yaml.unsafe_load", "yaml.unsafe_load_all", "joblib.load", "pandas.read_pickle", "shelve.open", "torch.load", "numpy.load",
    "jsonpickle.unpickler.decode",
];

pub(super) fn check(event: &Event<'_>, hits: &mut Hits) {
    let Event::Call { scene, call } = event else { return };
    let is_loader = LOADERS.contains(&call.path) || is_unsafe_yaml(scene, call);
    if !is_loader || is_restricted(scene, call) {
        return;
    }
    let Some(input) = call.arguments.first() else { return };
    if input.value.taint.is_some() && input.value.unfit(Uses::OBJECT).is_none() {
        return;
    }
    let message = format!("`{}` builds whatever objects its input names; use a format that holds data only", call.path);
    match input.value.unfit(Uses::OBJECT) {
        Some(taint) => hits.at_call(scene, call, Confidence::High, message).from(taint),
        None if input.value.constant_text().is_some() => return,
        None => hits.at_call(scene, call, Confidence::Medium, message),
    };
}

/// `yaml.load` without a loader, or with one that builds objects. `FullLoader` has kept to plain data since PyYAML 5.4.
fn is_unsafe_yaml(scene: &Scene<'_>, call: &Call<'_>) -> bool {
    if !call.is(&["yaml.load", "yaml.load_all"]) {
        return false;
    }
    match call.argument(1, "Loader") {
        Some(loader) => scene.module.dotted(loader.expr).is_some_and(|name| matches!(name.rsplit('.').next(), Some("Loader" | "UnsafeLoader" | "CLoader"))),
        None => true,
    }
}

/// Whether an option keeps the loader to data.
fn is_restricted(scene: &Scene<'_>, call: &Call<'_>) -> bool {
    let is = |name: &str, wanted: bool| call.named(name).is_some_and(|given| matches!(scene.module.expr(given.expr), Expr::Bool(value) if *value == wanted));
    match call.path {
        "torch.load" => is("weights_only", true),
        "numpy.load" => !is("allow_pickle", true),
        _ => false,
    }
}
