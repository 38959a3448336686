//! Tokens believed without their signature.

use turncoat_answer::{Confidence, Severity};

use super::{Hits, Meta, last_name, mentions};
use crate::event::Event;
use crate::program::{Action, Comparison, Expr};

pub(super) const META: Meta = Meta { cwe: "CWE-347", severity: Severity::High };

pub(super) fn check(event: &Event<'_>, hits: &mut Hits) {
    match event {
        Event::Call { scene, call } if call.is(&["jwt.decode", "jose.jwt.decode", "jwt.JWT().decode"]) => {
            let verify_off = call.named("verify").is_some_and(|given| matches!(scene.module.expr(given.expr), Expr::Bool(false)));
            let option_off = call.named("options").is_some_and(|given| match scene.module.expr(given.expr) {
                Expr::Map(pairs) => pairs.iter().any(|(key, value)| {
                    key.and_then(|key| scene.module.text(key)) == Some("verify_signature") && matches!(scene.module.expr(*value), Expr::Bool(false))
                }),
                _ => false,
            });
            let admits_none = call.named("algorithms").is_some_and(|given| mentions(scene.module, given.expr, &|_, expr| matches!(expr, Expr::Text(text) if text.eq_ignore_ascii_case("none"))));
            if verify_off || option_off || admits_none {
                hits.at_call(scene, call, Confidence::High, "the token's signature is not checked");
            }
        }
        // `if header["alg"] == "none":` followed by anything but a refusal.
        Event::Branch { scene, condition, yes } => {
            let Expr::Compare(left, rest) = scene.module.expr(*condition) else { return };
            let [(Comparison::Equal, right)] = rest.as_slice() else { return };
            let is_none = scene.module.text(*right).is_some_and(|text| text.eq_ignore_ascii_case("none"));
            let of_algorithm = last_name(scene.module, *left).is_some_and(|name| name.to_lowercase().contains("alg"));
            let refuses = yes.iter().any(|stmt| match &stmt.action {
                Action::Raise(_) | Action::Return(None) => true,
                Action::Return(Some(value)) => matches!(scene.module.expr(*value), Expr::None | Expr::Bool(false)),
                _ => false,
            });
            if is_none && of_algorithm && !refuses {
                hits.add(scene.line, scene.line, Confidence::Medium, "a token that names the algorithm `none` is believed unsigned");
            }
        }
        _ => {}
    }
}
