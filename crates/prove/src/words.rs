//! Words in braces: what stands for a path, a canary, a port or a kept value in the strings of a test.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

/// The words of one case or probe.
#[derive(Debug, Clone)]
pub(crate) struct Words {
    seed: u128,
    known: BTreeMap<String, String>,
}

impl Words {
    /// Words of a fresh run; canaries come from the seed, which nobody inside the box knows.
    pub(crate) fn new(seed: u128) -> Words {
        let known = [("world", "/world"), ("work", "/work")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        Words { seed, known: known.into_iter().collect() }
    }

    /// Keeps a value under a name.
    pub(crate) fn keep(&mut self, name: &str, value: String) {
        self.known.insert(name.to_owned(), value);
    }

    /// The canary of a name: letters and digits alone, so that it survives any encoding.
    pub(crate) fn canary(&self, name: &str) -> String {
        let digest = Sha256::new().chain_update(self.seed.to_le_bytes()).chain_update(name.as_bytes()).finalize();
        let digits: String = digest.iter().take(10).map(|byte| format!("{byte:02x}")).collect();
        format!("cny{digits}")
    }

    fn lookup(&self, name: &str) -> Option<String> {
        if name == "canary" {
            return Some(self.canary(""));
        }
        if let Some(rest) = name.strip_prefix("canary:") {
            return Some(self.canary(rest));
        }
        self.known.get(name).cloned()
    }

    /// Replaces every known word; other text in braces stays.
    pub(crate) fn fill(&self, text: &str) -> String {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            let word = after.split_once('}').and_then(|(name, tail)| Some((self.lookup(name)?, tail)));
            match word {
                Some((value, tail)) => {
                    filled.push_str(&value);
                    rest = tail;
                }
                None => {
                    filled.push('{');
                    rest = after;
                }
            }
        }
        filled.push_str(rest);
        filled
    }

    /// Replaces words in every text of a value; keys stay as they are.
    pub(crate) fn fill_value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.fill(text)),
            Value::Array(items) => items.iter().map(|item| self.fill_value(item)).collect(),
            Value::Object(fields) => {
                Value::Object(fields.iter().map(|(key, item)| (key.clone(), self.fill_value(item))).collect::<Map<_, _>>())
            }
            other => other.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_words_are_replaced_and_others_stay() {
        let mut words = Words::new(7);
        words.keep("token", "t1".to_owned());
        assert_eq!(words.fill("{world}/a {name} {token}{ {x"), "/world/a {name} t1{ {x");
        assert_eq!(words.fill("{1,64}"), "{1,64}");
        assert_eq!(words.fill("{{token}}"), "{t1}");
    }

    #[test]
    fn canaries_differ_by_run_and_name() {
        let (one, two) = (Words::new(1), Words::new(2));
        assert_ne!(one.canary(""), two.canary(""));
        assert_ne!(one.canary(""), one.canary("js"));
        assert_eq!(one.fill("{canary}"), one.canary(""));
        assert!(one.canary("").chars().all(|letter| letter.is_ascii_alphanumeric()));
    }
}
