//! The table of outcomes: CSV with a header line, or JSON Lines.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use serde_json::Value;
use turncoat_answer::Outcome;
use turncoat_ledger::Imported;
use turncoat_study::source::{allowed_hint, nearest};
use turncoat_study::{Problem, Problems};

use super::cell;
use crate::failure::Failure;
use crate::files;

/// Columns that mean something; others are kept as they are.
const COLUMNS: [&str; 7] = ["subject", "persona", "wording", "task", "cluster", "repeat", "outcome"];
/// Columns that must be there.
const REQUIRED: [&str; 4] = ["subject", "persona", "task", "outcome"];
/// More mistakes than this are not worth listing.
const MOST_PROBLEMS: usize = 20;

/// Outcomes as they were read.
#[derive(Debug)]
pub(super) struct Table {
    /// One a cell.
    pub(super) rows: Vec<Imported>,
    /// Rows whose outcome is `error`: cells without an answer.
    pub(super) errors: u64,
}

/// One row by column name, with its line.
struct Row {
    line: usize,
    fields: BTreeMap<String, String>,
}

/// Reads a table.
pub(super) fn read(path: &Path) -> Result<Table, Failure> {
    let text = files::read(path)?;
    let file = path.display().to_string();
    let json_lines = path.extension().is_some_and(|ending| ending == "jsonl" || ending == "ndjson" || ending == "json");
    let rows = if json_lines { json_rows(&file, &text)? } else { csv_rows(&file, &text)? };
    Ok(interpret(&file, rows)?)
}

fn problem(file: &str, line: usize, field: &str, message: impl Into<String>, help: Option<String>) -> Problem {
    Problem { file: file.to_owned(), line, column: 1, field: field.to_owned(), message: message.into(), help }
}

fn csv_rows(file: &str, text: &str) -> Result<Vec<Row>, Problems> {
    let mut reader = csv::ReaderBuilder::new().flexible(false).trim(csv::Trim::All).from_reader(text.as_bytes());
    let broken = |error: &csv::Error| {
        let line = error.position().map_or(1, |position| usize::try_from(position.line()).unwrap_or(0));
        Problems(vec![problem(file, line, "", format!("not valid CSV: {error}"), None)])
    };
    let header: Vec<String> = reader
        .headers()
        .map_err(|error| broken(&error))?
        .iter()
        .map(|name| name.trim_start_matches('\u{feff}').to_owned())
        .collect();
    let absent: Vec<Problem> = REQUIRED
        .iter()
        .filter(|column| !header.iter().any(|name| name == *column))
        .map(|column| {
            let near = nearest(column, header.iter().map(String::as_str)).map(|near| format!("is it `{near}`? "));
            let help = format!("{}columns: {}", near.unwrap_or_default(), COLUMNS.join(", "));
            problem(file, 1, column, "the column is missing", Some(help))
        })
        .collect();
    if !absent.is_empty() {
        return Err(Problems(absent));
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| broken(&error))?;
        let line = record.position().map_or(0, |position| usize::try_from(position.line()).unwrap_or(0));
        let fields = header.iter().cloned().zip(record.iter().map(str::to_owned)).collect();
        rows.push(Row { line, fields });
    }
    Ok(rows)
}

fn json_rows(file: &str, text: &str) -> Result<Vec<Row>, Problems> {
    let mut rows = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let place = number + 1;
        let value: Value = serde_json::from_str(line)
            .map_err(|error| Problems(vec![problem(file, place, "", format!("not valid JSON: {error}"), None)]))?;
        let Value::Object(object) = value else {
            return Err(Problems(vec![problem(file, place, "", "expected an object a line", None)]));
        };
        let plain = |value: Value| match value {
            Value::String(text) => text,
            Value::Null => String::new(),
            other => other.to_string(),
        };
        rows.push(Row { line: place, fields: object.into_iter().map(|(name, value)| (name, plain(value))).collect() });
    }
    Ok(rows)
}

fn interpret(file: &str, rows: Vec<Row>) -> Result<Table, Problems> {
    let mut problems = Vec::new();
    let mut table = Table { rows: Vec::with_capacity(rows.len()), errors: 0 };
    let mut seen: HashMap<_, usize> = HashMap::new();
    let mut with_wording = None;
    for row in rows {
        if problems.len() >= MOST_PROBLEMS {
            break;
        }
        let line = row.line;
        match interpret_row(file, row) {
            Err(problem) => problems.push(problem),
            Ok(None) => table.errors += 1,
            Ok(Some(read)) => {
                if *with_wording.get_or_insert(read.wording.is_some()) != read.wording.is_some() {
                    let help = "give every row a wording, or none";
                    problems.push(problem(
                        file,
                        line,
                        "wording",
                        "some rows have a wording and some have none",
                        Some(help.to_owned()),
                    ));
                }
                if let Some(first) = seen.insert(cell(&read), line) {
                    let message = format!("the same subject, persona, wording, task and repeat stand in line {first} too");
                    problems.push(problem(file, line, "repeat", message, Some("number the repeats".to_owned())));
                }
                table.rows.push(read);
            }
        }
    }
    if table.rows.is_empty() && problems.is_empty() {
        problems.push(problem(file, 0, "", "holds no outcome", None));
    }
    if problems.is_empty() { Ok(table) } else { Err(Problems(problems)) }
}

/// One row as an outcome; `None` for a cell without an answer.
fn interpret_row(file: &str, mut row: Row) -> Result<Option<Imported>, Problem> {
    let line = row.line;
    let mut take = |name: &str| row.fields.remove(name).filter(|text| !text.is_empty());
    let missing = |name: &str| problem(file, line, name, "is empty", None);
    let subject = take("subject").ok_or_else(|| missing("subject"))?;
    let persona = take("persona").ok_or_else(|| missing("persona"))?;
    let task = take("task").ok_or_else(|| missing("task"))?;
    let cluster = take("cluster").unwrap_or_else(|| task.clone());
    let wording = take("wording");
    let repeat = match take("repeat") {
        None => 0,
        Some(text) => text.parse().map_err(|_| problem(file, line, "repeat", format!("`{text}` is no whole number"), None))?,
    };
    let outcome = take("outcome").ok_or_else(|| missing("outcome"))?;
    if outcome == "error" {
        return Ok(None);
    }
    let Some(outcome) = Outcome::from_name(&outcome) else {
        let mut allowed: Vec<&str> = Outcome::ALL.iter().map(|outcome| outcome.name()).collect();
        allowed.push("error");
        let help = allowed_hint(&outcome, &allowed);
        return Err(problem(file, line, "outcome", format!("`{outcome}` is no outcome"), Some(help)));
    };
    Ok(Some(Imported { subject, persona, wording, task, cluster, repeat, outcome, extra: row.fields }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn csv(text: &str) -> Result<Table, Problems> {
        interpret("t.csv", csv_rows("t.csv", text)?)
    }

    #[test]
    fn reads_csv_and_json_lines_alike() {
        let table = csv("subject,persona,task,repeat,outcome,language\nm,gen,t1,0,safe,py\nm,gen,t1,1,error,py\n").unwrap();
        assert_eq!((table.rows.len(), table.errors), (1, 1));
        assert_eq!(table.rows[0].cluster, "t1");
        assert_eq!(table.rows[0].extra["language"], "py");
        let lines =
            "{\"subject\":\"m\",\"persona\":\"gen\",\"task\":\"t1\",\"repeat\":0,\"outcome\":\"safe\",\"language\":\"py\"}\n";
        let same = interpret("t.jsonl", json_rows("t.jsonl", lines).unwrap()).unwrap();
        assert_eq!(same.rows, table.rows);
    }

    #[test]
    fn mistakes_are_located() {
        let text = csv("subject,persona,task,outcome\nm,gen,t1,saef\n").unwrap_err().to_string();
        assert!(text.contains("t.csv:2:1: `outcome`: `saef` is no outcome") && text.contains("did you mean `safe`?"), "{text}");
        let text = csv("subject,person,task,outcome\n").unwrap_err().to_string();
        assert!(text.contains("`persona`: the column is missing") && text.contains("is it `person`?"), "{text}");
        let text = csv("subject,persona,task,outcome\nm,g,t,safe\nm,g,t,safe\n").unwrap_err().to_string();
        assert!(text.contains("t.csv:3:1: `repeat`") && text.contains("line 2"), "{text}");
        let text = csv("subject,persona,wording,task,outcome\nm,g,w,t,safe\nm,g,,u,safe\n").unwrap_err().to_string();
        assert!(text.contains("some rows have a wording"), "{text}");
    }
}
