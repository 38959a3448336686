//! SQLite files: made for worlds, and asked after a run. They stand in temporary files that only the judge sees.

use std::fs;

use rusqlite::config::DbConfig;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

use crate::value::bytes_value;

/// The most rows a question returns.
const MOST_ROWS: usize = 10_000;
/// Steps of SQLite's machine after which a question is given up.
const MOST_STEPS: i32 = 50_000_000;

/// Makes a database by a script and returns its file.
pub(crate) fn make(script: &str) -> Result<Vec<u8>, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let path = folder.path().join("made.db");
    let connection = Connection::open(&path).map_err(|error| error.to_string())?;
    connection.execute_batch(script).map_err(|error| error.to_string())?;
    connection.close().map_err(|(_, error)| error.to_string())?;
    fs::read(&path).map_err(|error| error.to_string())
}

/// Asks a database that an answer left behind. The file is hostile: it is a copy, its schema is not trusted, and work is bounded.
pub(crate) fn ask(file: &[u8], log: Option<&[u8]>, sql: &str) -> Result<Value, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let path = folder.path().join("left.db");
    fs::write(&path, file).map_err(|error| error.to_string())?;
    if let Some(log) = log {
        fs::write(folder.path().join("left.db-wal"), log).map_err(|error| error.to_string())?;
    }
    rows(&path, sql).map_err(|error| error.to_string())
}

fn rows(path: &std::path::Path, sql: &str) -> rusqlite::Result<Value> {
    let mut connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    let mut left = MOST_STEPS / 1000;
    connection.progress_handler(
        1000,
        Some(move || {
            left -= 1;
            left <= 0
        }),
    )?;
    let mut statement = connection.prepare(sql)?;
    let columns = statement.column_count();
    let mut found = Vec::new();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if found.len() >= MOST_ROWS {
            break;
        }
        let cells = (0..columns).map(|at| row.get_ref(at).map(cell)).collect::<rusqlite::Result<Vec<_>>>()?;
        found.push(Value::Array(cells));
    }
    Ok(Value::Array(found))
}

fn cell(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => number.into(),
        ValueRef::Real(number) => serde_json::Number::from_f64(number).map_or(Value::Null, Value::Number),
        ValueRef::Text(text) => Value::String(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => bytes_value(bytes),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_made_can_be_asked() {
        let file = make("create table t(a, b); insert into t values (1, 'x'), (null, x'00ff');").unwrap();
        assert_eq!(ask(&file, None, "select a, b from t").unwrap(), json!([[1, "x"], [null, { "$bytes": "AP8=" }]]));
    }

    #[test]
    fn a_file_that_is_none_and_endless_work_are_errors() {
        assert!(ask(b"no database at all, just text", None, "select 1 from t").is_err());
        let file = make("create table t(a); insert into t values (1);").unwrap();
        let endless = "with recursive c(x) as (select 1 union all select x + 1 from c) select count(*) from c";
        assert!(ask(&file, None, endless).unwrap_err().contains("interrupt"));
    }
}
