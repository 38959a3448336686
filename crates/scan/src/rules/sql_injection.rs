//! Values joined into the text of a query.

use turncoat_answer::{Confidence, Severity};

use super::{Hits, Meta, confidence_of};
use crate::event::Event;
use crate::flow::value::{Entry, Uses, Value};

pub(super) const META: Meta = Meta { cwe: "CWE-89", severity: Severity::High };

/// Methods and functions whose first argument is the text of a query.
const SINKS: [&str; 9] = ["execute", "executemany", "executescript", "raw", "exec_driver_sql", "read_sql", "read_sql_query", "text", "mogrify"];

pub(super) fn check(event: &Event<'_>, hits: &mut Hits) {
    let Event::Call { scene, call } = event else { return };
    if !SINKS.contains(&call.method) || (call.method == "text" && !call.path.starts_with("sqlalchemy")) {
        return;
    }
    let query = ["sql", "query", "statement"].iter().find_map(|name| call.named(name)).or_else(|| call.argument(0, "operation"));
    let Some(query) = query else { return };
    let Some(taint) = query.value.unfit(Uses::SQL).filter(|taint| taint.source.entry != Entry::Stored) else { return };
    let message = format!("the value of `{}` becomes part of the query's text; bind it as a parameter", taint.source.name);
    if taint.joined_at.is_some() {
        let confidence = if looks_like_query(&query.value) { confidence_of(taint) } else { Confidence::Medium };
        hits.at_call(scene, call, confidence, message).from(taint);
    } else if taint.source.entry != Entry::Parameter {
        // A parameter that is a whole query is a wrapper's business; a request that is one is not.
        hits.at_call(scene, call, Confidence::High, message).from(taint);
    }
}

fn looks_like_query(value: &Value) -> bool {
    let text = value.text.as_deref().unwrap_or_default().to_uppercase();
    ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WHERE ", "ORDER BY", "CREATE ", "DROP ", "ALTER ", "PRAGMA "].iter().any(|word| text.contains(word))
}
