//! Changes and reads by id that never ask whose they are.

use std::collections::BTreeSet;

use turncoat_answer::{Confidence, Severity};

use super::{Hits, Meta, last_name, parts};
use crate::event::Event;
use crate::flow::last_line;
use crate::program::{Expr, ExprId, Function, Module};

pub(super) const META: Meta = Meta { cwe: "CWE-862", severity: Severity::High };

/// Names of parameters that say who asks.
const ACTORS: [&str; 15] = [
    "user", "user_id", "current_user", "current_user_id", "actor", "actor_id", "requester", "requester_id", "caller", "caller_id", "viewer_id", "acting_user", "tenant_id", "tenant", "username",
];

pub(super) fn check(event: &Event<'_>, hits: &mut Hits) {
    let Event::Function { scene, function } = event else { return };
    let Some(actor) = function.parameters.iter().find(|parameter| ACTORS.contains(&&*parameter.name)) else { return };
    let by_id = function.parameters.iter().find(|parameter| parameter.name != actor.name && names_thing(&parameter.name));
    let Some(thing) = by_id else { return };
    let body = Body::of(scene.module, function);
    if !body.touches_store(scene.module) || body.judges_by(scene.module, &actor.name) {
        return;
    }
    let message = format!("`{}` is reached by `{}` without a look at `{}`; check that they may", thing.name, thing.name, actor.name);
    hits.add(function.line, function.line, Confidence::Medium, message);
}

fn names_thing(name: &str) -> bool {
    name == "id" || name.ends_with("_id") || matches!(name, "note" | "document" | "order" | "invoice" | "account" | "message" | "file_name" | "record" | "item" | "identifier" | "number")
}

/// The expressions of a function's body.
struct Body {
    ids: Vec<ExprId>,
}

impl Body {
    fn of(module: &Module, function: &Function) -> Body {
        let end = last_line(&function.body, function.line);
        let first = function.body.first().map_or(function.line, |stmt| stmt.line);
        let inside = |id: &ExprId| (first..=end).contains(&module.node(*id).line);
        Body { ids: (0..u32::try_from(module.exprs.len()).unwrap_or(u32::MAX)).map(ExprId).filter(inside).collect() }
    }

    /// Whether it asks or changes a store.
    fn touches_store(&self, module: &Module) -> bool {
        self.ids.iter().any(|id| match module.expr(*id) {
            Expr::Call(callee, _) => last_name(module, *callee).is_some_and(|name| matches!(name.as_str(), "execute" | "query" | "get_or_404" | "delete" | "update" | "save" | "commit" | "pop")),
            _ => false,
        })
    }

    /// Whether the actor is compared, looked up by, or handed to anything but a log.
    fn judges_by(&self, module: &Module, actor: &str) -> bool {
        let mut logged: BTreeSet<ExprId> = BTreeSet::new();
        for id in &self.ids {
            if let Expr::Call(callee, _) = module.expr(*id) {
                let path = module.dotted(*callee).unwrap_or_default();
                if ["log", "print", "logger", "logging", "audit"].iter().any(|word| path.split('.').any(|part| part.starts_with(word))) {
                    let mut open = parts(module.expr(*id));
                    while let Some(id) = open.pop() {
                        open.extend(parts(module.expr(id)));
                        logged.insert(id);
                    }
                }
            }
        }
        self.ids.iter().any(|id| !logged.contains(id) && matches!(module.expr(*id), Expr::Name(name) if &**name == actor))
    }
}
