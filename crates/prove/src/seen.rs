//! What one step showed, and whether it meets what a case expects.

use serde_json::Value;

use crate::model::{Expect, Raises, Source};
use crate::value::{Scope, same, type_name};

/// How much of a reply a transcript shows.
const SHOWN: usize = 600;

/// What one step showed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    /// The value: what a call returned, a body read as JSON (else its text), rows, lists.
    pub(crate) value: Option<Value>,
    /// The text: a body, a text value as it is, other values as JSON.
    pub(crate) text: String,
    /// HTTP status.
    pub(crate) status: Option<u16>,
    /// HTTP headers, names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// Names of an exception's classes, nearest first, and its message.
    pub(crate) raised: Option<(Vec<String>, String)>,
    /// No answer at all: ended, timed out, not reachable.
    pub(crate) failed: Option<String>,
}

impl Seen {
    /// A step that gave a value.
    pub(crate) fn of(value: Value) -> Seen {
        let text = match &value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        Seen { value: Some(value), text, ..Seen::default() }
    }

    /// A step that got no answer.
    pub(crate) fn failed(why: impl Into<String>) -> Seen {
        Seen { failed: Some(why.into()), ..Seen::default() }
    }

    /// A step that raised.
    pub(crate) fn raised(names: Vec<String>, message: String) -> Seen {
        Seen { raised: Some((names, message)), ..Seen::default() }
    }

    /// Whether a reply came that is no exception (for HTTP: below 400).
    pub(crate) fn came_back(&self) -> bool {
        self.failed.is_none() && self.raised.is_none() && self.status.is_none_or(|status| status < 400)
    }

    /// For a transcript.
    pub(crate) fn show(&self) -> String {
        if let Some(why) = &self.failed {
            return format!("no answer: {why}");
        }
        if let Some((names, message)) = &self.raised {
            return cut(&format!("raised {}: {message}", names.first().map_or("?", String::as_str)));
        }
        match self.status {
            Some(status) => cut(&format!("{status} {}", self.text)),
            None => cut(&self.value.as_ref().map_or_else(String::new, Value::to_string)),
        }
    }

    /// The value a `save` asks for.
    pub(crate) fn take(&self, source: &Source) -> Option<String> {
        let plain = |value: &Value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        match source {
            Source::Reply => (self.failed.is_none() && self.raised.is_none()).then(|| self.text.clone()),
            Source::Status => self.status.map(|status| status.to_string()),
            Source::Header(name) => self.header(name).map(str::to_owned),
            Source::Json(pointer) => self.value.as_ref()?.pointer(pointer).map(plain),
            Source::Regex(regex) => {
                let found = regex.captures(&self.text)?;
                Some(found.get(1).or_else(|| found.get(0))?.as_str().to_owned())
            }
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// What does not meet the expectation, if anything; an `Err` inside `resolve` is a mistake of the tests.
    pub(crate) fn differs(&self, expect: &Expect, scope: &Scope<'_>) -> Result<Option<String>, String> {
        if let Some(why) = &self.failed {
            return Ok(Some(format!("no answer: {why}")));
        }
        match (&self.raised, &expect.raises) {
            (Some(_), Raises::Any) => {}
            (Some((names, _)), Raises::Names(wanted)) if wanted.iter().any(|one| names.contains(one)) => {}
            (Some(_), Raises::Names(wanted)) => return Ok(Some(format!("expected {}, {}", wanted.join(" or "), self.show()))),
            (Some(_), Raises::No) => return Ok(Some(self.show())),
            (None, Raises::No) => {}
            (None, Raises::Any | Raises::Names(_)) => return Ok(Some(format!("expected a raise, got {}", self.show()))),
        }
        if !expect.status.is_empty() && !self.status.is_some_and(|status| expect.status.contains(&status)) {
            return Ok(Some(format!("expected status {:?}, got {}", expect.status, self.show())));
        }
        for (name, wanted) in &expect.header {
            let wanted = scope.words.fill(wanted).to_lowercase();
            if !self.header(name).is_some_and(|value| value.to_lowercase().contains(&wanted)) {
                return Ok(Some(format!("the header `{name}` does not hold `{wanted}`")));
            }
        }
        self.differs_in_value(expect, scope)
    }

    fn differs_in_value(&self, expect: &Expect, scope: &Scope<'_>) -> Result<Option<String>, String> {
        let null = Value::Null;
        let value = self.value.as_ref().unwrap_or(&null);
        let is =
            |wanted: &Value| same(wanted, value, expect.unordered) || matches!(wanted, Value::String(text) if *text == self.text);
        let other = |what: String| Ok(Some(format!("{what}, got {}", self.show())));
        if let Some(wanted) = &expect.equals {
            let wanted = scope.resolve(wanted)?;
            if !is(&wanted) {
                return other(format!("expected {}", cut(&wanted.to_string())));
            }
        }
        if let Some(list) = &expect.one_of {
            let list = list.iter().map(|one| scope.resolve(one)).collect::<Result<Vec<_>, _>>()?;
            if !list.iter().any(is) {
                return other(format!("expected one of {}", cut(&Value::Array(list).to_string())));
            }
        }
        for (pointer, wanted) in &expect.json {
            let wanted = scope.resolve(wanted)?;
            if !value.pointer(pointer).is_some_and(|found| same(&wanted, found, expect.unordered)) {
                return other(format!("expected {wanted} at `{pointer}`"));
            }
        }
        for wanted in &expect.contains {
            let wanted = scope.resolve(wanted)?;
            if !self.holds(value, &wanted) {
                return other(format!("expected {wanted} within"));
            }
        }
        for unwanted in &expect.not_contains {
            let unwanted = scope.resolve(unwanted)?;
            if self.holds(value, &unwanted) {
                return other(format!("did not expect {unwanted} within"));
            }
        }
        if let Some(pattern) = &expect.matches {
            let regex = regex::Regex::new(&scope.words.fill(pattern)).map_err(|error| error.to_string())?;
            if !regex.is_match(&self.text) {
                return other(format!("expected a match of `{pattern}`"));
            }
        }
        let length = match value {
            Value::Array(items) => items.len(),
            Value::Object(fields) => fields.len(),
            _ => self.text.chars().count(),
        };
        if expect.length.is_some_and(|wanted| wanted != length) || expect.at_least.is_some_and(|least| length < least) {
            return other(format!("expected another length than {length}"));
        }
        if let Some(wanted) = expect.type_name.as_ref().filter(|wanted| wanted.as_str() != type_name(value)) {
            return other(format!("expected a {wanted}"));
        }
        Ok(None)
    }

    /// Substring of a text, element of a list, key of a table.
    fn holds(&self, value: &Value, wanted: &Value) -> bool {
        let in_text = |text: &str| matches!(wanted, Value::String(part) if text.contains(part.as_str()));
        match value {
            Value::Array(items) => items.iter().any(|item| same(wanted, item, false)),
            Value::Object(fields) => wanted.as_str().is_some_and(|key| fields.contains_key(key)),
            _ => in_text(&self.text),
        }
    }
}

/// Cuts a text to what a transcript shows; control characters are replaced, since transcripts reach terminals.
pub(crate) fn cut(text: &str) -> String {
    let at = text.floor_char_boundary(SHOWN);
    let (head, tail) = text.split_at_checked(at).unwrap_or((text, ""));
    let harmless: String = head
        .chars()
        .map(|letter| if letter.is_control() && letter != '\n' && letter != '\t' { '\u{fffd}' } else { letter })
        .collect();
    if tail.is_empty() { harmless } else { format!("{harmless}... ({} bytes)", text.len()) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::words::Words;

    fn differs(seen: &Seen, expect: &Expect) -> bool {
        let (words, attachments) = (Words::new(1), BTreeMap::new());
        seen.differs(expect, &Scope { words: &words, attachments: &attachments }).unwrap().is_some()
    }

    #[test]
    fn transcripts_hold_no_control_characters_and_are_short() {
        assert_eq!(cut("a\u{1b}[31mb\n"), "a\u{fffd}[31mb\n");
        assert!(cut(&"x".repeat(5000)).ends_with("... (5000 bytes)"));
        assert!(cut(&"ä".repeat(5000)).len() < 700);
    }

    #[test]
    fn every_given_expectation_must_hold() {
        let seen = Seen::of(json!([{ "id": 1 }, { "id": 2 }]));
        let meets = |expect: Expect| !differs(&seen, &expect);
        assert!(meets(Expect { length: Some(2), type_name: Some("list".to_owned()), ..Expect::default() }));
        assert!(!meets(Expect { length: Some(3), ..Expect::default() }));
        assert!(!meets(Expect { equals: Some(json!([{ "id": 2 }, { "id": 1 }])), ..Expect::default() }));
        assert!(meets(Expect { equals: Some(json!([{ "id": 2 }, { "id": 1 }])), unordered: true, ..Expect::default() }));
        assert!(meets(Expect { contains: vec![json!({ "id": 2 })], ..Expect::default() }));
        assert!(!meets(Expect { not_contains: vec![json!({ "id": 2 })], ..Expect::default() }));
        assert!(!meets(Expect { json: BTreeMap::from([("/5/id".to_owned(), json!(1))]), ..Expect::default() }));
        assert!(!meets(Expect { raises: Raises::Any, ..Expect::default() }));
        assert!(!meets(Expect { status: vec![200], ..Expect::default() }));
    }

    #[test]
    fn a_raise_meets_only_what_expects_it() {
        let seen = Seen::raised(vec!["FileNotFoundError".to_owned(), "OSError".to_owned()], "no".to_owned());
        let names = |name: &str| Expect { raises: Raises::Names(vec![name.to_owned()]), ..Expect::default() };
        assert!(!differs(&seen, &names("OSError")));
        assert!(differs(&seen, &names("ValueError")));
        assert!(differs(&seen, &Expect::default()));
        assert!(differs(&Seen::failed("gone"), &Expect { raises: Raises::Any, ..Expect::default() }));
    }
}
