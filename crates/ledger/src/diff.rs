//! What changed between two versions of a plan, for people.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use turncoat_study::canonical;

/// One change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Where, such as `subjects[house].endpoint.sampling.temperature`.
    pub path: String,
    /// The value before; `None` where it was added.
    pub before: Option<Value>,
    /// The value after; `None` where it was removed.
    pub after: Option<Value>,
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => {
                let (before, after) = shorten(before, after);
                write!(f, "{}: {before} -> {after}", self.path)
            }
            (None, Some(after)) => write!(f, "{}: added {}", self.path, brief(after)),
            (Some(before), None) => write!(f, "{}: removed {}", self.path, brief(before)),
            (None, None) => f.write_str(&self.path),
        }
    }
}

/// How many changes a message lists before it counts the rest.
const LISTED: usize = 20;

/// The longest value that a message shows, in characters.
const SHOWN: usize = 60;

/// The changes as indented lines.
pub(crate) fn list(changes: &[Change]) -> String {
    let mut lines: Vec<String> = changes.iter().take(LISTED).map(|change| format!("  {change}")).collect();
    if changes.len() > LISTED {
        lines.push(format!("  and {} more", changes.len() - LISTED));
    }
    lines.join("\n")
}

/// Every difference, in the order of the fields. Objects in lists are matched by what names them, not by place.
pub(crate) fn compare(before: &Value, after: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    compare_at(String::new(), before, after, &mut changes);
    changes
}

fn compare_at(path: String, before: &Value, after: &Value, changes: &mut Vec<Change>) {
    match (before, after) {
        (Value::Object(old), Value::Object(new)) => compare_fields(&path, old, new, changes),
        (Value::Array(old), Value::Array(new)) if named(old) && named(new) => compare_named(&path, old, new, changes),
        // Numbers are compared as they hash: 1 and 1.0 are one value.
        _ if canonical::to_string(before) == canonical::to_string(after) => {}
        _ => changes.push(Change { path, before: Some(before.clone()), after: Some(after.clone()) }),
    }
}

fn compare_fields(path: &str, old: &Map<String, Value>, new: &Map<String, Value>, changes: &mut Vec<Change>) {
    let at = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    for (key, before) in old {
        match new.get(key) {
            Some(after) => compare_at(at(key), before, after, changes),
            None => changes.push(Change { path: at(key), before: Some(before.clone()), after: None }),
        }
    }
    for (key, after) in new.iter().filter(|(key, _)| !old.contains_key(*key)) {
        changes.push(Change { path: at(key), before: None, after: Some(after.clone()) });
    }
}

fn compare_named(path: &str, old: &[Value], new: &[Value], changes: &mut Vec<Change>) {
    let find = |list: &'_ [Value], name: &str| list.iter().position(|item| name_of(item).as_deref() == Some(name));
    for before in old {
        let name = name_of(before).unwrap_or_default();
        match find(new, &name).and_then(|index| new.get(index)) {
            Some(after) => compare_at(format!("{path}[{name}]"), before, after, changes),
            None => changes.push(Change { path: format!("{path}[{name}]"), before: Some(before.clone()), after: None }),
        }
    }
    for after in new {
        let name = name_of(after).unwrap_or_default();
        if find(old, &name).is_none() {
            changes.push(Change { path: format!("{path}[{name}]"), before: None, after: Some(after.clone()) });
        }
    }
    let order = |list: &[Value], other: &[Value]| -> Vec<String> {
        list.iter().filter_map(name_of).filter(|name| find(other, name).is_some()).collect()
    };
    let (before, after) = (order(old, new), order(new, old));
    if before != after {
        changes.push(Change { path: format!("{path}: order"), before: Some(before.into()), after: Some(after.into()) });
    }
}

/// Whether every item has a name, and no two the same.
fn named(list: &[Value]) -> bool {
    let mut names: Vec<Option<String>> = list.iter().map(name_of).collect();
    names.sort();
    !names.contains(&None) && names.windows(2).all(|pair| pair.first() != pair.last())
}

/// What names an object in a list: a task its suite and id, a persona or subject its id, a wording its frame, placement
/// and language.
fn name_of(item: &Value) -> Option<String> {
    let text = |key: &str| item.get(key).and_then(Value::as_str);
    match (text("suite"), text("id")) {
        (Some(suite), Some(id)) => Some(format!("{suite}/{id}")),
        (None, Some(id)) => Some(id.to_owned()),
        _ => {
            let (frame, placement, language) = (text("frame")?, text("placement")?, text("language")?);
            Some(format!("{frame}, {placement}, {language}"))
        }
    }
}

/// A value in at most [`SHOWN`] characters; a whole object by its name.
fn brief(value: &Value) -> String {
    if let Some(name) = name_of(value) {
        return format!("`{name}`");
    }
    cut(&canonical::to_string(value), 0)
}

/// Two values, long texts from shortly before the place where they part.
fn shorten(before: &Value, after: &Value) -> (String, String) {
    let (before, after) = (canonical::to_string(before), canonical::to_string(after));
    let common = before.chars().zip(after.chars()).take_while(|(a, b)| a == b).count();
    let long = before.chars().count().max(after.chars().count()) > SHOWN;
    let start = if long { common.saturating_sub(SHOWN / 3) } else { 0 };
    (cut(&before, start), cut(&after, start))
}

fn cut(text: &str, start: usize) -> String {
    let shown: String = text.chars().skip(start).take(SHOWN).collect();
    let head = if start > 0 { "..." } else { "" };
    let tail = if text.chars().count() > start + SHOWN { "..." } else { "" };
    format!("{head}{shown}{tail}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lines(before: &Value, after: &Value) -> Vec<String> {
        compare(before, after).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn names_the_path_through_lists_of_named_objects() {
        let before = json!({ "subjects": [
            { "id": "a", "endpoint": { "sampling": { "temperature": 0.7 } } },
            { "id": "house", "endpoint": { "sampling": { "temperature": 0.7 } } } ] });
        let after = json!({ "subjects": [
            { "id": "house", "endpoint": { "sampling": { "temperature": 0.2 } } },
            { "id": "c", "endpoint": {} } ] });
        assert_eq!(
            lines(&before, &after),
            ["subjects[a]: removed `a`", "subjects[house].endpoint.sampling.temperature: 0.7 -> 0.2", "subjects[c]: added `c`",]
        );
    }

    #[test]
    fn matches_tasks_and_wordings_by_what_names_them_and_sees_their_order() {
        let wording = |frame: &str, text: &str| json!({ "frame": frame, "placement": "system", "language": "en", "text": text });
        let before =
            json!({ "tasks": [{ "suite": "s", "id": "a" }, { "suite": "s", "id": "b" }], "wordings": [wording("f", "x")] });
        let after =
            json!({ "tasks": [{ "suite": "s", "id": "b" }, { "suite": "s", "id": "a" }], "wordings": [wording("f", "y")] });
        assert_eq!(
            lines(&before, &after),
            [r#"tasks: order: ["s/a","s/b"] -> ["s/b","s/a"]"#, r#"wordings[f, system, en].text: "x" -> "y""#]
        );
    }

    #[test]
    fn shows_long_texts_where_they_part_and_equal_numbers_not_at_all() {
        let long = "same ".repeat(40);
        let (before, after) =
            (json!({ "n": 1, "t": format!("{long}old end") }), json!({ "n": 1.0, "t": format!("{long}new end") }));
        assert_eq!(lines(&before, &after), [r#"t: ...same same same same old end" -> ...same same same same new end""#]);
    }

    #[test]
    fn counts_what_it_does_not_list() {
        let change = Change { path: "x".to_owned(), before: None, after: Some(json!(1)) };
        let text = list(&vec![change; 25]);
        assert_eq!(text.lines().count(), 21);
        assert!(text.ends_with("and 5 more"));
    }
}
