//! Reading steps and expectations.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use turncoat_study::source::Section;

use super::{strings, value};
use crate::model::{Action, CallPlan, Expect, HttpBody, HttpPlan, Raises, Source, Step};

/// The fields of which a step has exactly one.
const ACTIONS: [&str; 8] = ["call", "http", "read", "list", "query", "tool_calls", "requests", "restart"];

/// Reads one step.
pub(super) fn step(section: Section<'_>) -> Step {
    let given: Vec<&str> = section.keys().into_iter().filter(|key| ACTIONS.contains(key)).collect();
    for name in ACTIONS {
        let _known = section.get(name);
    }
    if given.len() != 1 {
        section.report(
            "",
            "a step does exactly one thing",
            Some(format!("one of {}", ACTIONS.map(|name| format!("`{name}`")).join(", "))),
        );
    }
    let action = match given.first().copied() {
        Some("call") => Action::Call(call(&section)),
        Some("http") => Action::Http(section.section_if_any("http").map_or_else(no_request, http)),
        Some("read") => Action::Read(section.string("read")),
        Some("list") => Action::List(section.string("list")),
        Some("query") => match section.section_if_any("query") {
            Some(query) => {
                let action = Action::Query { db: query.string("db"), sql: query.string("sql") };
                query.done();
                action
            }
            None => Action::Restart,
        },
        Some("tool_calls") => Action::ToolCalls(section.string("tool_calls")),
        Some("requests") => Action::Requests(section.string("requests")),
        _ => {
            if section.boolean_if_any("restart") == Some(false) {
                section.report("restart", "`restart = false` does nothing", None);
            }
            Action::Restart
        }
    };
    let step = Step {
        action,
        expect: section.section_if_any("expect").map(expect).unwrap_or_default(),
        save: section.section_if_any("save").map(save).unwrap_or_default(),
        repeat: section.count_if_any("repeat", 1..=10_000),
        look: section.boolean_if_any("look").unwrap_or(false),
    };
    section.done();
    step
}

/// Reads `call`, `args`, `kwargs` and `keep` of a step or an oracle.
pub(super) fn call(section: &Section<'_>) -> CallPlan {
    let args = value(section, "args").unwrap_or_else(|| json!([]));
    if !args.is_array() {
        section.report("args", "arguments are a list", None);
    }
    let kwargs = value(section, "kwargs").unwrap_or_else(|| json!({}));
    if !kwargs.is_object() {
        section.report("kwargs", "named arguments are a table", None);
    }
    CallPlan { name: section.string("call"), args, kwargs, keep: section.string_if_any("keep") }
}

fn no_request() -> HttpPlan {
    HttpPlan { method: String::new(), path: String::new(), headers: BTreeMap::new(), body: HttpBody::None, jar: None }
}

fn http(section: Section<'_>) -> HttpPlan {
    let bodies: Vec<&str> = section.keys().into_iter().filter(|key| ["body", "json", "form"].contains(key)).collect();
    if bodies.len() > 1 {
        section.report("body", "a request has one body", Some("one of `body`, `json`, `form`".to_owned()));
    }
    let body = match bodies.first().copied() {
        Some("body") => HttpBody::Plain(value(&section, "body").unwrap_or_default()),
        Some("json") => HttpBody::Json(value(&section, "json").unwrap_or_default()),
        Some("form") => {
            let fields = value(&section, "form").unwrap_or_default();
            HttpBody::Form(fields.as_object().map(|fields| fields.clone().into_iter().collect()).unwrap_or_default())
        }
        _ => HttpBody::None,
    };
    let plan = HttpPlan {
        method: section.string_if_any("method").unwrap_or_else(|| "GET".to_owned()),
        path: section.string("path"),
        headers: section.section_if_any("headers").map(strings).unwrap_or_default(),
        body,
        jar: section.string_if_any("jar"),
    };
    if !plan.path.starts_with(['/', '{']) && !plan.path.is_empty() {
        section.report("path", "a path begins with `/` or with a kept word", None);
    }
    section.done();
    plan
}

fn save(section: Section<'_>) -> Vec<(String, Source)> {
    let mut saved = Vec::new();
    for name in section.keys() {
        let text = section.string(name);
        let source = match text.split_once(':') {
            None if text == "reply" => Source::Reply,
            None if text == "status" => Source::Status,
            Some(("header", header)) => Source::Header(header.to_ascii_lowercase()),
            Some(("json", pointer)) if pointer.is_empty() || pointer.starts_with('/') => Source::Json(pointer.to_owned()),
            Some(("regex", pattern)) => match regex::Regex::new(pattern) {
                Ok(regex) => Source::Regex(regex),
                Err(error) => {
                    section.report(name, format!("the pattern cannot be read: {error}"), None);
                    continue;
                }
            },
            _ => {
                let help = "`reply`, `status`, `header:NAME`, `json:/POINTER` or `regex:PATTERN`";
                section.report(name, format!("`{text}` is no source"), Some(help.to_owned()));
                continue;
            }
        };
        saved.push((name.to_owned(), source));
    }
    section.done();
    saved
}

/// One value or a list of them.
fn one_or_many(section: &Section<'_>, key: &str) -> Vec<Value> {
    match value(section, key) {
        Some(Value::Array(items)) => items,
        Some(item) => vec![item],
        None => Vec::new(),
    }
}

/// One status or a list of them.
pub(super) fn statuses(section: &Section<'_>, key: &str) -> Vec<u16> {
    let given = one_or_many(section, key);
    let read: Vec<u16> = given.iter().filter_map(|item| item.as_u64().and_then(|status| u16::try_from(status).ok())).collect();
    if read.len() != given.len() {
        section.report(key, "a status is a number", None);
    }
    read
}

/// A table of JSON pointers.
pub(super) fn pointers(section: &Section<'_>, key: &str) -> BTreeMap<String, Value> {
    let Some(table) = section.section_if_any(key) else { return BTreeMap::new() };
    let mut read = BTreeMap::new();
    for pointer in table.keys() {
        if !pointer.is_empty() && !pointer.starts_with('/') {
            table.report(pointer, format!("`{pointer}` is no JSON pointer"), Some(format!("write `/{pointer}`")));
        }
        if let Some(item) = value(&table, pointer) {
            read.insert(pointer.to_owned(), item);
        }
    }
    table.done();
    read
}

/// A pattern as text, checked; words in braces are filled before it is used.
pub(super) fn pattern(section: &Section<'_>, key: &str) -> Option<String> {
    let text = section.string_if_any(key)?;
    let filled = crate::words::Words::new(0).fill(&text);
    if let Err(error) = regex::Regex::new(&filled) {
        section.report(key, format!("the pattern cannot be read: {error}"), None);
    }
    Some(text)
}

fn expect(section: Section<'_>) -> Expect {
    let raises = match value(&section, "raises") {
        None | Some(Value::Bool(false)) => Raises::No,
        Some(Value::Bool(true)) => Raises::Any,
        Some(Value::String(name)) => Raises::Names(vec![name]),
        Some(Value::Array(names)) => Raises::Names(names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect()),
        Some(_) => {
            section.report("raises", "expected true or a list of names", None);
            Raises::Any
        }
    };
    let count = |key: &str| section.count_if_any(key, 0..=u32::MAX).and_then(|count| usize::try_from(count).ok());
    let expect = Expect {
        equals: value(&section, "equals"),
        one_of: value(&section, "one_of").and_then(|list| list.as_array().cloned()),
        contains: one_or_many(&section, "contains"),
        not_contains: one_or_many(&section, "not_contains"),
        matches: pattern(&section, "matches"),
        raises,
        status: statuses(&section, "status"),
        header: section.section_if_any("header").map(strings).unwrap_or_default(),
        json: pointers(&section, "json"),
        length: count("length"),
        at_least: count("at_least"),
        type_name: section
            .choice_if_any("type", &["str", "int", "float", "bool", "list", "dict", "bytes", "set", "null", "object"]),
        unordered: section.boolean_if_any("unordered").unwrap_or(false),
    };
    section.done();
    expect
}
