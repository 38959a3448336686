//! Hashes too weak or too fast for what they protect.

use turncoat_answer::{Confidence, Severity};

use super::{Hits, Meta, mentions};
use crate::event::{Call, Event, Scene};
use crate::program::Expr;

pub(super) const META: Meta = Meta { cwe: "CWE-328", severity: Severity::Medium };

pub(super) fn check(event: &Event<'_>, hits: &mut Hits) {
    let Event::Call { scene, call } = event else { return };
    if call.method == "new" && call.path.contains("Cipher") {
        return cipher(scene, call, hits);
    }
    let Some(name) = algorithm(scene, call) else { return };
    if call.named("usedforsecurity").is_some_and(|given| matches!(scene.module.expr(given.expr), Expr::Bool(false))) {
        return;
    }
    let about = format!("{} {}", scene.names(), fed_names(scene, call));
    let of_password = ["password", "passwd", "pwd", "passphrase"].iter().any(|word| about.contains(word)) && !["strength", "breach", "pwned"].iter().any(|word| about.contains(word));
    let is_broken = matches!(name.as_str(), "md5" | "sha1" | "md4");
    if of_password {
        hits.at_call(scene, call, Confidence::High, format!("`{name}` is too fast for passwords; use scrypt, argon2 or PBKDF2 with a salt")).cwe("CWE-916").severity(Severity::High);
    } else if is_broken && ["token", "sign", "secret", "auth", "hmac", "verify", "session"].iter().any(|word| about.contains(word)) {
        hits.at_call(scene, call, Confidence::Medium, format!("`{name}` is broken; use SHA-256 or better"));
    }
}

/// The fast hash that a call makes, if it does.
fn algorithm(scene: &Scene<'_>, call: &Call<'_>) -> Option<String> {
    let name = match call.path.strip_prefix("hashlib.")? {
        "new" => scene.module.text(call.argument(0, "name")?.expr)?.to_lowercase().replace('-', ""),
        name => name.to_lowercase(),
    };
    let is_fast = ["md4", "md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3_256", "sha3_512", "blake2b", "blake2s"].contains(&name.as_str());
    is_fast.then_some(name)
}

/// The names in a call's arguments, lower case.
fn fed_names(scene: &Scene<'_>, call: &Call<'_>) -> String {
    let mut out = String::new();
    for given in call.arguments {
        if let Some(taint) = &given.value.taint {
            out.push_str(&taint.source.name.to_lowercase());
            out.push(' ');
        }
        let is_password = mentions(scene.module, given.expr, &|_, expr| matches!(expr, Expr::Name(name) if name.to_lowercase().contains("password")));
        if is_password {
            out.push_str("password ");
        }
    }
    out
}

/// Block ciphers in a mode or of a kind that gives no secrecy.
fn cipher(scene: &Scene<'_>, call: &Call<'_>, hits: &mut Hits) {
    let weak = [".DES.", ".DES3.", ".ARC4.", ".ARC2.", ".Blowfish."].iter().find(|kind| call.path.contains(**kind));
    let is_ecb = call.arguments.iter().any(|given| scene.module.dotted(given.expr).is_some_and(|name| name.ends_with("MODE_ECB")));
    if is_ecb || weak.is_some() {
        let what = if is_ecb { "ECB shows equal blocks as equal" } else { "the cipher is broken" };
        hits.at_call(scene, call, Confidence::High, format!("{what}; use AES in an authenticated mode")).cwe("CWE-327").severity(Severity::High);
    }
}
