//! What changed between two resolved studies, in words that name the field.

use serde_json::Value;

/// One changed field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its path; list entries are named by `id`, `suite/id` or `frame` where they have one: `subjects[house].endpoint.model`.
    pub path: String,
    /// What it was, shortened; `None` for an addition.
    pub before: Option<String>,
    /// What it is, shortened; `None` for a removal.
    pub after: Option<String>,
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => write!(f, "{}: {before} -> {after}", self.path),
            (None, Some(after)) => write!(f, "{}: added {after}", self.path),
            (Some(before), None) => write!(f, "{}: removed {before}", self.path),
            (None, None) => f.write_str(&self.path),
        }
    }
}

/// The changes from one set of resolved questions ([`crate::Plan::questions`]) to another, in order of path.
#[must_use]
pub fn changes(before: &Value, after: &Value) -> Vec<Change> {
    let mut found = Vec::new();
    compare("", before, after, &mut found);
    found
}

fn compare(path: &str, before: &Value, after: &Value, found: &mut Vec<Change>) {
    match (before, after) {
        (Value::Object(old), Value::Object(new)) => {
            for (key, value) in old {
                let path = join(path, key);
                match new.get(key) {
                    Some(other) => compare(&path, value, other, found),
                    None => found.push(Change { path, before: Some(short(value)), after: None }),
                }
            }
            for (key, value) in new {
                if !old.contains_key(key) {
                    found.push(Change { path: join(path, key), before: None, after: Some(short(value)) });
                }
            }
        }
        (Value::Array(old), Value::Array(new)) if named(old) && named(new) => {
            for item in old {
                let path = format!("{path}[{}]", name(item).unwrap_or_default());
                match new.iter().find(|other| name(other) == name(item)) {
                    Some(other) => compare(&path, item, other, found),
                    None => found.push(Change { path, before: Some(short(item)), after: None }),
                }
            }
            for item in new {
                if !old.iter().any(|other| name(other) == name(item)) {
                    let path = format!("{path}[{}]", name(item).unwrap_or_default());
                    found.push(Change { path, before: None, after: Some(short(item)) });
                }
            }
        }
        _ if before == after => {}
        _ => found.push(Change { path: path.to_owned(), before: Some(short(before)), after: Some(short(after)) }),
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn named(items: &[Value]) -> bool {
    items.iter().all(|item| name(item).is_some())
}

/// What tells one entry of a list from the others.
fn name(item: &Value) -> Option<String> {
    let text = |key: &str| item.get(key).and_then(Value::as_str);
    match (text("suite"), text("id"), text("frame")) {
        (Some(suite), Some(id), _) => Some(format!("{suite}/{id}")),
        (None, Some(id), _) => Some(id.to_owned()),
        (_, None, Some(frame)) => {
            Some(format!("{frame}/{}/{}", text("placement").unwrap_or_default(), text("language").unwrap_or_default()))
        }
        _ => None,
    }
}

/// A value on one line of at most 60 characters; objects are left to their name in the path.
fn short(value: &Value) -> String {
    let text = match value {
        Value::Object(_) => return "{...}".to_owned(),
        Value::String(text) => format!("\"{}\"", text.replace('\n', "\\n")),
        other => other.to_string(),
    };
    if text.chars().count() <= 60 { text } else { text.chars().take(57).chain("...".chars()).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn entries_are_matched_by_their_name_and_not_by_their_position() {
        let before = json!({ "seed": 1, "subjects": [{ "id": "a", "t": 0.7 }, { "id": "b", "t": 0.7 }] });
        let after = json!({ "seed": 1, "subjects": [{ "id": "b", "t": 0.2 }, { "id": "c", "t": 0.7 }, { "id": "a", "t": 0.7 }] });
        let lines: Vec<String> = changes(&before, &after).iter().map(ToString::to_string).collect();
        assert_eq!(lines, ["subjects[b].t: 0.7 -> 0.2", "subjects[c]: added {...}"]);
    }

    #[test]
    fn equal_studies_have_no_changes() {
        let study = json!({ "personas": [{ "id": "n", "wordings": [{ "frame": "f", "placement": "system", "text": "x" }] }] });
        assert_eq!(changes(&study, &study), Vec::new());
    }
}
