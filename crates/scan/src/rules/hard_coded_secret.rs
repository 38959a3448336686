//! Secrets written into the code.

use turncoat_answer::{Confidence, Severity};

use super::{Hits, Meta, last_name};
use crate::event::Event;

pub(super) const META: Meta = Meta { cwe: "CWE-798", severity: Severity::High };

pub(super) fn check(event: &Event<'_>, hits: &mut Hits) {
    match event {
        Event::Assign { scene, target, expr, .. } => {
            let (Some(name), Some(text)) = (last_name(scene.module, *target), scene.module.text(*expr)) else { return };
            if names_credential(&name) && is_secret_text(&name, text) {
                hits.add(scene.line, scene.line, Confidence::High, format!("`{name}` is written into the code; read it from the environment or a store"));
            }
        }
        Event::Call { scene, call } => {
            // `os.environ.get("SECRET_KEY", "dev")`: the fallback is a secret too.
            if call.is(&["os.environ.get", "os.getenv"]) {
                let [name, fallback] = call.arguments else { return };
                let (Some(name), Some(text)) = (scene.module.text(name.expr), scene.module.text(fallback.expr)) else { return };
                if names_credential(name) && is_secret_text(name, text) {
                    hits.at_call(scene, call, Confidence::Medium, format!("without `{name}` in the environment a secret from the code is used"));
                }
            }
            if call.is(&["jwt.encode", "jwt.decode"]) && call.argument(1, "key").is_some_and(|key| scene.module.text(key.expr).is_some_and(|text| !text.is_empty())) {
                hits.at_call(scene, call, Confidence::High, "the key is written into the code");
            }
        }
        _ => {}
    }
}

fn names_credential(name: &str) -> bool {
    let name = name.to_lowercase();
    let tells = ["password", "passwd", "secret", "api_key", "apikey", "private_key", "access_key", "auth_token", "access_token", "signing_key", "encryption_key", "jwt_key", "hmac_key"]
        .iter()
        .any(|word| name.contains(word))
        || matches!(name.as_str(), "token" | "key" | "pwd" | "pepper" | "secret_key");
    let is_about = ["_url", "_field", "_header", "_name", "_type", "_prompt", "_path", "_file", "_env", "_pattern", "_regex", "_message", "_hash", "_length", "_param", "_id", "_label", "_column", "_query"]
        .iter()
        .any(|end| name.ends_with(end));
    tells && !is_about && name != "key"
}

/// Whether a literal is a secret rather than a placeholder, a name or a sentence.
fn is_secret_text(name: &str, text: &str) -> bool {
    let lower = text.to_lowercase();
    let placeholder = ["your", "<", "example", "placeholder", "xxx", "${", "{{", "...", "todo", "none", "null", "***"].iter().any(|mark| lower.contains(mark));
    let is_name = lower == name.to_lowercase() || lower.replace(['-', '_'], "") == name.to_lowercase().replace('_', "") || matches!(lower.as_str(), "password" | "token" | "secret" | "api_key" | "string" | "bearer");
    text.len() >= 6 && !text.contains([' ', '\n', '/', '%']) && !placeholder && !is_name
}
