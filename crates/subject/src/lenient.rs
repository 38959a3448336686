//! JSON as servers really write it: what strict parsing refuses but a reader still understands.

use serde_json::Value;

/// Why a body is no JSON even when read leniently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoJson {
    /// It ends too early.
    CutShort,
    /// It is something else.
    Garbage,
}

/// Parses a document; where strict parsing fails, again with broken text repaired: bytes that are no UTF-8, half surrogate pairs,
/// raw control characters in strings, `NaN` and `Infinity`.
pub(crate) fn parse(body: &[u8]) -> Result<Value, NoJson> {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    serde_json::from_slice(body).or_else(|_strict| {
        serde_json::from_str(&repair(&String::from_utf8_lossy(body)))
            .map_err(|error| if error.is_eof() { NoJson::CutShort } else { NoJson::Garbage })
    })
}

/// Rewrites what strict parsers refuse; text without such flaws comes out the same.
fn repair(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let (mut rest, mut in_string) = (text, false);
    while let Some(character) = rest.chars().next() {
        let (mut taken, mut written) = (character.len_utf8(), None);
        match (in_string, character) {
            (_, '"') => in_string = !in_string,
            (true, '\\') => {
                if let Some(unit) = escaped_unit(rest) {
                    let low = rest.get(6..).and_then(escaped_unit);
                    match (unit, low) {
                        (0xD800..=0xDBFF, Some(0xDC00..=0xDFFF)) => taken = 12,
                        (0xD800..=0xDFFF, _) => (taken, written) = (6, Some("\\ufffd".to_owned())),
                        _ => taken = 6,
                    }
                } else {
                    taken = 1 + rest.chars().nth(1).map_or(0, char::len_utf8);
                }
            }
            (true, control) if control < ' ' => written = Some(format!("\\u{:04x}", u32::from(control))),
            (false, 'N' | 'I' | '-') => {
                if let Some(word) = ["NaN", "Infinity", "-Infinity"].iter().find(|word| rest.starts_with(**word)) {
                    (taken, written) = (word.len(), Some("null".to_owned()));
                }
            }
            _ => {}
        }
        // The cut is at a character's end: escapes are ASCII, and other steps take whole characters.
        let (head, tail) = rest.split_at_checked(taken).unwrap_or((rest, ""));
        out.push_str(written.as_deref().unwrap_or(head));
        rest = tail;
    }
    out
}

/// The code unit of a `\uXXXX` escape at the start of a text.
fn escaped_unit(text: &str) -> Option<u16> {
    u16::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_what_strict_parsers_refuse() {
        for (body, value) in [
            (&b"{\"a\":\"x\\ud83d\"}"[..], json!({"a": "x\u{fffd}"})),
            (b"{\"a\":\"\\ude00y\\ud83d\\ude00\"}", json!({"a": "\u{fffd}y😀"})),
            (b"{\"a\":\"one\ntwo\"}", json!({"a": "one\ntwo"})),
            (b"{\"a\":\"\xff\"}", json!({"a": "\u{fffd}"})),
            (b"{\"a\":NaN,\"b\":[-Infinity,-1]}", json!({"a": null, "b": [null, -1]})),
            (b"\xEF\xBB\xBF {\"a\":\"NaN \\\\\"}", json!({"a": "NaN \\"})),
        ] {
            assert_eq!(parse(body), Ok(value));
        }
    }

    #[test]
    fn tells_a_cut_document_from_garbage() {
        assert_eq!(parse(b"{\"a\":\"b"), Err(NoJson::CutShort));
        assert_eq!(parse(b""), Err(NoJson::CutShort));
        assert_eq!(parse(b"<html>"), Err(NoJson::Garbage));
    }

    proptest! {
        #[test]
        fn sound_documents_are_left_alone(text in ".{0,60}", number in any::<i64>()) {
            let document = json!({ "text": text, "list": [number, null, true, -0.5] }).to_string();
            prop_assert_eq!(repair(&document), document);
        }

        #[test]
        fn nothing_makes_it_fail(text in "[\\\\u\"dD8cC0-9NaIf \n-]{0,60}") {
            let _read_or_refused = parse(text.as_bytes()).is_ok();
        }
    }
}
