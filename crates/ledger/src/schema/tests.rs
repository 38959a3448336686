//! Opening, migrating and refusing database files.

use super::*;

const FIRST: &str = "CREATE TABLE thing (id INTEGER PRIMARY KEY, name TEXT) STRICT;";
const SECOND: &str = "ALTER TABLE thing ADD COLUMN size INTEGER;";

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn an_older_database_is_copied_and_brought_up_to_date() {
    let folder = folder();
    let path = folder.path();
    let old = open_writer(path, &[FIRST]).unwrap();
    old.execute("INSERT INTO thing (name) VALUES ('kept')", []).unwrap();
    drop(old);
    assert!(!path.join("ledger.db.backup-0").exists(), "an empty database needs no copy");

    let new = open_writer(path, &[FIRST, SECOND]).unwrap();
    let row: (String, Option<i64>) =
        new.query_row("SELECT name, size FROM thing", [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    assert_eq!(row, ("kept".to_owned(), None));

    let copy = Connection::open(path.join("ledger.db.backup-1")).unwrap();
    let name: String = copy.query_row("SELECT name FROM thing", [], |row| row.get(0)).unwrap();
    assert_eq!(name, "kept");
    assert!(copy.prepare("SELECT size FROM thing").is_err(), "the copy has the old schema");
}

#[test]
fn a_failing_migration_changes_nothing() {
    let folder = folder();
    let path = folder.path();
    drop(open_writer(path, &[FIRST]).unwrap());
    assert!(matches!(open_writer(path, &[FIRST, SECOND, "nonsense"]), Err(LedgerError::Store { .. })));
    let again = open_writer(path, &[FIRST]).unwrap();
    assert!(again.prepare("SELECT size FROM thing").is_err());
}

#[test]
fn a_newer_schema_is_refused_by_writer_and_reader() {
    let folder = folder();
    let path = folder.path();
    drop(open_writer(path, &[FIRST, SECOND]).unwrap());
    let expected = LedgerError::Newer { path: path.to_path_buf(), found: 2, known: 1 };
    assert_eq!(open_writer(path, &[FIRST]).unwrap_err(), expected);
    assert_eq!(open_reader(path, &[FIRST]).unwrap_err(), expected);
}

#[test]
fn settings_are_those_that_keep_answers() {
    let folder = folder();
    let connection = open_writer(folder.path(), MIGRATIONS).unwrap();
    let pragma = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(pragma("synchronous"), 2, "FULL");
    assert_eq!(pragma("page_size"), 16384);
    assert_eq!(pragma("application_id"), i64::from(APPLICATION));
    let mode: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
}

#[test]
fn other_files_are_told_from_ledgers() {
    let folder = folder();
    let path = folder.path();
    assert!(matches!(open_reader(path, MIGRATIONS), Err(LedgerError::Missing { .. })));

    std::fs::write(
        file(path),
        "this is a text, and a long one, too: more than a hundred bytes of it, so that it cannot pass for empty".repeat(9),
    )
    .unwrap();
    assert!(matches!(open_writer(path, MIGRATIONS), Err(LedgerError::NotALedger { .. })));
    std::fs::remove_file(file(path)).unwrap();

    let other = Connection::open(file(path)).unwrap();
    other.execute_batch("CREATE TABLE their_own (x)").unwrap();
    drop(other);
    assert!(matches!(open_writer(path, MIGRATIONS), Err(LedgerError::NotALedger { .. })));
    assert!(matches!(open_reader(path, MIGRATIONS), Err(LedgerError::NotALedger { .. })));
}

#[test]
fn a_damaged_database_is_told() {
    let folder = folder();
    let path = folder.path();
    drop(open_writer(path, MIGRATIONS).unwrap());
    let mut bytes = std::fs::read(file(path)).unwrap();
    for byte in &mut bytes[110..16384] {
        *byte = 0xa5;
    }
    std::fs::write(file(path), bytes).unwrap();
    assert!(matches!(open_writer(path, MIGRATIONS), Err(LedgerError::Corrupt { .. } | LedgerError::NotALedger { .. })));
}
