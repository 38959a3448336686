//! Values: forms that the judge computes before sending, bytes beyond JSON, comparison.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use crate::archive::Archive;
use crate::words::Words;

/// What forms may refer to: the words and the files beside the tests.
#[derive(Debug)]
pub(crate) struct Scope<'a> {
    pub(crate) words: &'a Words,
    pub(crate) attachments: &'a BTreeMap<String, Vec<u8>>,
}

/// Bytes as a value.
pub(crate) fn bytes_value(bytes: &[u8]) -> Value {
    json!({ "$bytes": STANDARD.encode(bytes) })
}

/// The bytes of a text or of a bytes value.
pub(crate) fn to_bytes(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::String(text) => Some(text.as_bytes().to_vec()),
        Value::Object(fields) => STANDARD.decode(fields.get("$bytes")?.as_str()?).ok(),
        _ => None,
    }
}

impl Scope<'_> {
    /// Fills words and computes forms.
    pub(crate) fn resolve(&self, value: &Value) -> Result<Value, String> {
        match value {
            Value::String(text) => Ok(Value::String(self.words.fill(text))),
            Value::Array(items) => items.iter().map(|item| self.resolve(item)).collect(),
            Value::Object(fields) => match fields.iter().find(|(key, _)| key.starts_with('$')) {
                Some((form, inner)) => self.form(form, inner, fields),
                None => {
                    Ok(Value::Object(fields.iter().map(|(key, item)| Ok((key.clone(), self.resolve(item)?))).collect::<Result<
                        Map<_, _>,
                        String,
                    >>(
                    )?))
                }
            },
            other => Ok(other.clone()),
        }
    }

    /// A text of the world or of a request: a string, or any form that yields text or bytes.
    pub(crate) fn bytes(&self, value: &Value) -> Result<Vec<u8>, String> {
        to_bytes(&self.resolve(value)?).ok_or_else(|| format!("`{value}` is neither text nor bytes"))
    }

    fn form(&self, form: &str, inner: &Value, fields: &Map<String, Value>) -> Result<Value, String> {
        let encoded = |encode: fn(&[u8]) -> String| Ok(Value::String(encode(&self.bytes(inner)?)));
        match form {
            "$null" => Ok(Value::Null),
            "$bytes" => {
                let text = self.resolve(inner)?;
                let decoded = text.as_str().and_then(|text| STANDARD.decode(text).ok());
                decoded.map(|bytes| bytes_value(&bytes)).ok_or_else(|| format!("`{text}` is no base64"))
            }
            "$set" | "$map" => Ok(json!({ form: self.resolve(inner)? })),
            "$repeat" => {
                let text = self.bytes(inner)?;
                let times = number(&self.resolve(fields.get("times").unwrap_or(&Value::Null))?).ok_or("`times` is missing")?;
                Ok(Value::String(String::from_utf8_lossy(&text.repeat(times.min(64 << 20))).into_owned()))
            }
            "$join" => {
                let parts = inner.as_array().ok_or("`$join` takes a list")?;
                let joined = parts.iter().map(|part| self.bytes(part)).collect::<Result<Vec<_>, _>>()?.concat();
                Ok(String::from_utf8(joined).map_or_else(|error| bytes_value(error.as_bytes()), Value::String))
            }
            "$json" => Ok(Value::String(self.resolve(inner)?.to_string())),
            "$base64" => encoded(|bytes| STANDARD.encode(bytes)),
            "$base64url" => encoded(|bytes| URL_SAFE_NO_PAD.encode(bytes)),
            "$hex" => encoded(|bytes| bytes.iter().map(|byte| format!("{byte:02x}")).collect()),
            "$text" => Ok(Value::String(String::from_utf8_lossy(&self.bytes(inner)?).into_owned())),
            "$utf8" => Ok(bytes_value(&self.bytes(inner)?)),
            "$pickle_write" => {
                let part = |name: &str| {
                    inner
                        .get(name)
                        .and_then(Value::as_str)
                        .map(|text| self.words.fill(text))
                        .ok_or(format!("`{name}` is missing"))
                };
                Ok(bytes_value(&pickle_that_writes(&part("path")?, &part("text")?)))
            }
            "$laughs" => Ok(Value::String(laughs(number(&self.resolve(inner)?).ok_or("`$laughs` takes a number")?))),
            "$file" => {
                let name = inner.as_str().unwrap_or_default();
                self.attachments
                    .get(name)
                    .map(|bytes| bytes_value(bytes))
                    .ok_or_else(|| format!("there is no file `tests/{name}`"))
            }
            "$archive" => Ok(bytes_value(&Archive::from_value(inner)?.build(self)?)),
            _ => Err(format!("`{form}` is no form")),
        }
    }
}

/// Every form there is, to check a file before anything runs.
pub(crate) const FORMS: [&str; 16] = [
    "$null",
    "$bytes",
    "$set",
    "$map",
    "$repeat",
    "$join",
    "$json",
    "$base64",
    "$base64url",
    "$hex",
    "$text",
    "$utf8",
    "$pickle_write",
    "$laughs",
    "$file",
    "$archive",
];

fn number(value: &Value) -> Option<usize> {
    match value {
        Value::Number(number) => number.as_u64().and_then(|number| usize::try_from(number).ok()),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// A pickle of protocol 0 that calls `eval` on an expression which writes a file.
fn pickle_that_writes(path: &str, text: &str) -> Vec<u8> {
    let quoted = |text: &str| {
        format!("bytes.fromhex(\"{}\").decode()", text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>())
    };
    let expression = format!("open({}, \"w\").write({})", quoted(path), quoted(text));
    format!("cbuiltins\neval\n(V{expression}\ntR.").into_bytes()
}

/// An XML document whose root's text is ten to the power of `levels` words.
fn laughs(levels: usize) -> String {
    let levels = levels.clamp(1, 12);
    let mut text = String::from("<?xml version=\"1.0\"?>\n<!DOCTYPE r [ <!ENTITY l0 \"lol\">");
    for level in 1..=levels {
        let parts = format!("&l{};", level - 1).repeat(10);
        text.push_str(&format!(" <!ENTITY l{level} \"{parts}\">"));
    }
    text.push_str(&format!(" ]>\n<r>&l{levels};</r>"));
    text
}

/// Whether two values are the same: numbers by value, booleans apart from numbers, lists in order unless `unordered`.
pub(crate) fn same(expected: &Value, seen: &Value, unordered: bool) -> bool {
    match (expected, seen) {
        (Value::Number(one), Value::Number(other)) => {
            let near = |one: f64, other: f64| (one - other).abs() <= 1e-9 * one.abs().max(other.abs());
            // Whole numbers compare exactly; the tolerance is for what floating point rounds.
            one == other
                || ((one.is_f64() || other.is_f64())
                    && matches!((one.as_f64(), other.as_f64()), (Some(one), Some(other)) if near(one, other)))
        }
        (Value::Array(one), Value::Array(other)) if unordered => same_bag(one, other),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other, unordered))
        }
        (Value::Object(one), Value::Object(other)) => {
            if let (Some(Value::Array(one)), Some(Value::Array(other))) = (one.get("$set"), other.get("$set")) {
                return same_bag(one, other);
            }
            one.len() == other.len()
                && one.iter().all(|(key, item)| other.get(key).is_some_and(|found| same(item, found, unordered)))
        }
        (one, other) => one == other,
    }
}

fn same_bag(one: &[Value], other: &[Value]) -> bool {
    let mut left: Vec<&Value> = other.iter().collect();
    let all_found = one.iter().all(|item| match left.iter().position(|candidate| same(item, candidate, true)) {
        Some(at) => {
            left.swap_remove(at);
            true
        }
        None => false,
    });
    all_found && left.is_empty()
}

/// The name of a value's type as tests write it.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(fields) if fields.contains_key("$bytes") => "bytes",
        Value::Object(fields) if fields.contains_key("$set") => "set",
        Value::Object(fields) if fields.contains_key("$object") => "object",
        Value::Object(_) => "dict",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(value: Value) -> Value {
        let words = Words::new(1);
        let attachments = BTreeMap::from([("a.bin".to_owned(), vec![1, 2])]);
        Scope { words: &words, attachments: &attachments }.resolve(&value).unwrap()
    }

    #[test]
    fn forms_are_computed_and_nest() {
        assert_eq!(resolve(json!({ "$repeat": "ab", "times": 3 })), json!("ababab"));
        assert_eq!(resolve(json!({ "$base64": { "$bytes": "AAE=" } })), json!("AAE="));
        assert_eq!(resolve(json!({ "$hex": "{world}" })), json!("2f776f726c64"));
        assert_eq!(resolve(json!([{ "$null": true }, { "$file": "a.bin" }])), json!([null, { "$bytes": "AQI=" }]));
        assert_eq!(resolve(json!({ "$join": ["a", { "$repeat": "b", "times": 2 }] })), json!("abb"));
        assert_eq!(resolve(json!({ "$json": { "a": "{work}" } })), json!("{\"a\":\"/work\"}"));
        assert_eq!(resolve(json!({ "$laughs": 1 })).as_str().unwrap().matches("&l0;").count(), 10);
    }

    #[test]
    fn numbers_compare_by_value_and_booleans_do_not() {
        assert!(same(&json!(1), &json!(1.0), false));
        assert!(!same(&json!(1), &json!(true), false));
        assert!(!same(&json!(10_000_000_000_000_i64), &json!(10_000_000_000_001_i64), false));
        assert!(same(&json!(0.3), &json!(0.1 + 0.2), false));
        assert!(!same(&json!({ "a": 1 }), &json!({ "a": 1, "b": 2 }), false));
        assert!(same(&json!([1, 2, 2]), &json!([2, 1, 2]), true));
        assert!(!same(&json!([1, 2, 2]), &json!([2, 1, 1]), true));
        assert!(!same(&json!([1, 2]), &json!([2, 1]), false));
    }
}
