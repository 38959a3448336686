//! Reading what makes a probe fire.

use serde_json::Value;
use turncoat_study::source::{Section, Value as Raw};

use super::step::{call, pattern, pointers, statuses};
use super::value;
use crate::model::{Argument, Growth, Oracle, Predictable, RowsWanted};

/// Reads `fires`: one table, or a list of tables of which one suffices.
pub(super) fn fires(section: &Section<'_>) -> Vec<Vec<Oracle>> {
    let tables = match section.get("fires").map(|node| &node.value) {
        Some(Raw::Table(_)) => section.section_if_any("fires").into_iter().collect(),
        Some(Raw::Array(_)) => section.sections("fires"),
        Some(_) => {
            section.report("fires", "expected a table or a list of tables", None);
            return Vec::new();
        }
        None => {
            section.report("fires", "is missing: nothing would make the probe fire", None);
            return Vec::new();
        }
    };
    tables.into_iter().map(table).collect()
}

/// One text or a list of them.
fn texts(section: &Section<'_>, key: &str) -> Vec<String> {
    match section.get(key).map(|node| &node.value) {
        Some(Raw::Array(_)) => section.strings_if_any(key).unwrap_or_default().into_iter().map(|(text, _)| text).collect(),
        _ => vec![section.string(key)],
    }
}

/// The oracles that are tables themselves.
const INNER: [&str; 9] =
    ["file_contains", "file_mode", "bytes_over", "rows", "tool_argv", "requested", "cell", "predictable", "growth"];
/// The others.
const PLAIN: [&str; 12] = [
    "reply_contains",
    "reply_equals",
    "reply_matches",
    "reply_json",
    "reply_longer_than",
    "status",
    "not_raised",
    "unescaped",
    "file_exists",
    "file_missing",
    "file_outside",
    "equal_replies",
];

fn table(section: Section<'_>) -> Vec<Oracle> {
    let mut oracles = Vec::new();
    // Asked for once, so that all of them are named when a field is unknown.
    for name in PLAIN.iter().chain(&INNER) {
        let _known = section.get(name);
    }
    for key in section.keys() {
        let found = match key {
            "reply_contains" => Some(Oracle::ReplyContains(texts(&section, key))),
            "reply_equals" => value(&section, key).map(Oracle::ReplyEquals),
            "reply_matches" => pattern(&section, key).map(Oracle::ReplyMatches),
            "reply_json" => Some(Oracle::ReplyJson(pointers(&section, key))),
            "reply_longer_than" => section
                .count_if_any(key, 1..=u32::MAX)
                .map(|count| Oracle::ReplyLongerThan(usize::try_from(count).unwrap_or(usize::MAX))),
            "status" => Some(Oracle::Status(statuses(&section, key))),
            "not_raised" => section.boolean_if_any(key).map(|_| Oracle::NotRaised),
            "unescaped" => Some(Oracle::Unescaped(section.string(key))),
            "file_exists" => Some(Oracle::FileExists(texts(&section, key))),
            "file_missing" => Some(Oracle::FileMissing(section.string(key))),
            "file_outside" => Some(Oracle::FileOutside(texts(&section, key))),
            "equal_replies" => section.boolean_if_any(key).map(|_| Oracle::EqualReplies),
            "bytes_over" if matches!(section.get(key).map(|node| &node.value), Some(Raw::Integer(_))) => section
                .integer_if_any(key, 1..=i64::MAX)
                .map(|bytes| Oracle::BytesOver { path: String::new(), bytes: bytes.unsigned_abs() }),
            _ => inner(&section, key),
        };
        oracles.extend(found);
    }
    if section.keys().is_empty() {
        section.report("", "a table without oracles never fires", None);
    }
    section.done();
    oracles
}

fn inner(section: &Section<'_>, key: &str) -> Option<Oracle> {
    if !INNER.contains(&key) {
        // An unknown field is told when the table ends.
        return None;
    }
    let table = section.section_if_any(key)?;
    let whole = |key: &str| table.integer_if_any(key, 0..=i64::MAX).map(i64::unsigned_abs);
    let found = match key {
        "file_contains" => Some(Oracle::FileContains { path: table.string("path"), text: table.string("text") }),
        "file_mode" => Some(Oracle::FileMode {
            path: table.string("path"),
            mask: whole("mask").and_then(|mask| u32::try_from(mask).ok()).unwrap_or(0),
        }),
        "bytes_over" => Some(Oracle::BytesOver { path: table.string("path"), bytes: whole("bytes").unwrap_or(u64::MAX) }),
        "rows" => rows(&table),
        "tool_argv" => tool_argv(&table),
        "requested" => Some(Oracle::Requested {
            host: table.string("host").to_ascii_lowercase(),
            path: table.string_if_any("path"),
            port: table.count_if_any("port", 1..=65535).and_then(|port| u16::try_from(port).ok()),
        }),
        "cell" => Some(Oracle::Cell { starts: table.string("starts"), path: table.string_if_any("path") }),
        "predictable" => Some(Oracle::Predictable(Predictable {
            call: call(&table),
            draws: table.count_if_any("draws", 10..=10_000).unwrap_or(1000),
            bits: table.number_if_any("bits", 1.0..=1024.0).unwrap_or(64.0),
            from: table.string_if_any("from"),
        })),
        _ => growth(&table),
    };
    table.done();
    found
}

fn rows(table: &Section<'_>) -> Option<Oracle> {
    let (equal, contain) = (value(table, "equals"), table.string_if_any("contains"));
    let wanted = match (equal, contain) {
        (Some(rows), None) => RowsWanted::Equal(rows),
        (None, Some(text)) => RowsWanted::Contain(text),
        _ => {
            table.report("equals", "expected either `equals` or `contains`", None);
            return None;
        }
    };
    Some(Oracle::Rows { db: table.string("db"), sql: table.string("sql"), wanted })
}

fn tool_argv(table: &Section<'_>) -> Option<Oracle> {
    let given = [
        table.string_if_any("arg").map(Argument::Equals),
        table.string_if_any("contains").map(Argument::Contains),
        table.string_if_any("starts").map(Argument::Starts),
    ];
    let mut given: Vec<Argument> = given.into_iter().flatten().collect();
    if given.len() != 1 {
        table.report("arg", "expected one of `arg`, `contains`, `starts`", None);
    }
    Some(Oracle::ToolArgv { tool: table.string("tool"), argument: given.pop()? })
}

fn growth(table: &Section<'_>) -> Option<Oracle> {
    let sizes: Vec<u32> = value(table, "sizes")
        .and_then(|list| {
            list.as_array()
                .map(|items| items.iter().filter_map(Value::as_u64).filter_map(|size| u32::try_from(size).ok()).collect())
        })
        .unwrap_or_default();
    if sizes.len() < 2 || !sizes.is_sorted() {
        table.report("sizes", "expected at least two sizes in rising order", None);
    }
    Some(Oracle::Growth(Growth {
        call: call(table),
        sizes,
        ratio: table.number_if_any("ratio", 1.0..=1e6).unwrap_or(10.0),
        cpu_s: table.number_if_any("cpu_s", 0.01..=60.0).unwrap_or(0.3),
    }))
}
