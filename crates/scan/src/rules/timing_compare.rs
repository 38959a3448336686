//! Secrets compared in a time that tells how much was right.

use turncoat_answer::{Confidence, Severity};

use super::{Hits, Meta, last_name};
use crate::event::{Event, Scene};
use crate::flow::value::Value;
use crate::program::{Comparison, Expr, ExprId};

pub(super) const META: Meta = Meta { cwe: "CWE-208", severity: Severity::Low };

pub(super) fn check(event: &Event<'_>, hits: &mut Hits) {
    let Event::Compare { scene, how: Comparison::Equal | Comparison::Unequal, left, left_value, right, right_value } = event else { return };
    let sides = [(*left, *left_value), (*right, *right_value)];
    if sides.iter().any(|(id, value)| is_plain(scene, *id, value)) {
        return;
    }
    let names = sides.iter().filter_map(|(id, _)| last_name(scene.module, *id)).collect::<Vec<_>>().join(" ").to_lowercase();
    let about = format!("{} {names}", scene.names());
    if ["checksum", "etag", "md5", "file", "cache", "content", "chunk", "block"].iter().any(|word| about.contains(word)) {
        return;
    }
    let by_digest = sides.iter().any(|(_, value)| value.made.as_deref().is_some_and(|made| made.starts_with("hmac.") && made.ends_with("digest()")));
    let by_name = ["signature", "digest", "hmac", "csrf", "api_key", "password_hash", "hashed"].iter().any(|word| names.contains(word)) || names.split(' ').any(|name| matches!(name, "sig" | "mac" | "expected_sig"));
    if by_digest || by_name {
        let confidence = if by_digest { Confidence::High } else { Confidence::Medium };
        hits.add(scene.line, scene.line, confidence, "the comparison's time tells how much was right; use `hmac.compare_digest`");
    }
}

/// Constants and counts hold no secret.
fn is_plain(scene: &Scene<'_>, id: ExprId, value: &Value) -> bool {
    matches!(scene.module.expr(id), Expr::Text(_) | Expr::Number(_) | Expr::None | Expr::Bool(_)) || value.constant_text().is_some() || value.made_by("len")
}
