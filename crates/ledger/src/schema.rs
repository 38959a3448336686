//! The database file: how it is opened, what marks it as ours, and how an older one is brought up to date.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::error::LedgerError;

/// Name of the database in a ledger's folder.
const FILE: &str = "ledger.db";

/// `TCLD` in ASCII: marks the file as a ledger of this program (`PRAGMA application_id`).
const APPLICATION: i32 = 0x5443_4c44;

/// The numbered migrations; the schema's version is how many of them were applied (`PRAGMA user_version`). Append only.
pub(crate) const MIGRATIONS: &[&str] = &[include_str!("migrations/0001.sql")];

/// Where a ledger's database lies.
pub(crate) fn file(folder: &Path) -> PathBuf {
    folder.join(FILE)
}

/// Opens the database for writing, makes it if needed, and brings it up to date.
pub(crate) fn open_writer(folder: &Path, migrations: &[&str]) -> Result<Connection, LedgerError> {
    let wrong = |error: rusqlite::Error| LedgerError::from_sql(folder, "opening the database", &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(file(folder), flags).map_err(wrong)?;
    connection.busy_timeout(Duration::from_secs(10)).map_err(wrong)?;
    // The page size counts only before the first table is made.
    connection
        .execute_batch("PRAGMA page_size = 16384; PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY;")
        .map_err(wrong)?;
    let version = identify(folder, &connection, migrations.len())?;
    // The mode is answered as a row; a file system without shared memory would keep another.
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(wrong)?;
    if mode != "wal" {
        return Err(LedgerError::Store {
            path: folder.to_path_buf(),
            what: "opening the database",
            detail: format!("the file system does not allow a write-ahead log (mode {mode}); use a local disk"),
        });
    }
    connection.execute_batch("PRAGMA synchronous = FULL;").map_err(wrong)?;
    connection.set_prepared_statement_cache_capacity(64);
    migrate(folder, &mut connection, version, migrations)?;
    Ok(connection)
}

/// Opens the database for reading; one on a read-only disk, which has no log beside it, as an unchanging file.
pub(crate) fn open_reader(folder: &Path, migrations: &[&str]) -> Result<Connection, LedgerError> {
    let path = file(folder);
    if !path.is_file() {
        return Err(LedgerError::Missing { path: folder.to_path_buf() });
    }
    let wrong = |error: rusqlite::Error| LedgerError::from_sql(folder, "opening the database", &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(&path, flags).map_err(wrong)?;
    let readable = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0));
    if readable.is_err_and(|error| error.sqlite_error_code() == Some(rusqlite::ErrorCode::CannotOpen)) {
        let address = format!("file:{}?immutable=1", address_path(&path));
        connection = Connection::open_with_flags(address, flags | OpenFlags::SQLITE_OPEN_URI).map_err(wrong)?;
    }
    connection.busy_timeout(Duration::from_secs(10)).map_err(wrong)?;
    connection.execute_batch("PRAGMA cache_size = -8192; PRAGMA temp_store = MEMORY;").map_err(wrong)?;
    connection.set_prepared_statement_cache_capacity(64);
    let version = identify(folder, &connection, migrations.len())?;
    if version < migrations.len() {
        return Err(LedgerError::Store {
            path: folder.to_path_buf(),
            what: "opening the database",
            detail: format!(
                "its schema {version} is older than this program's; `turncoat run` or `turncoat analyse` brings it up to date"
            ),
        });
    }
    Ok(connection)
}

/// A path inside an SQLite address: `%`, `?` and `#` have a meaning there.
fn address_path(path: &Path) -> String {
    path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23")
}

/// The schema version of a database that is ours; 0 for an empty one.
fn identify(folder: &Path, connection: &Connection, known: usize) -> Result<usize, LedgerError> {
    let wrong = |error: rusqlite::Error| LedgerError::from_sql(folder, "opening the database", &error);
    let application: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(wrong)?;
    let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(wrong)?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(wrong)?;
    if application != APPLICATION && (application != 0 || version != 0 || tables != 0) {
        let detail = "its database was made by another program".to_owned();
        return Err(LedgerError::NotALedger { path: file(folder), detail });
    }
    let known_version = u32::try_from(known).unwrap_or(u32::MAX);
    if version > known_version {
        return Err(LedgerError::Newer { path: folder.to_path_buf(), found: version, known: known_version });
    }
    Ok(version as usize)
}

/// Applies what is missing, all or nothing. A database that holds something is copied first.
fn migrate(folder: &Path, connection: &mut Connection, version: usize, migrations: &[&str]) -> Result<(), LedgerError> {
    let missing = migrations.get(version..).unwrap_or_default();
    if missing.is_empty() {
        return Ok(());
    }
    if version > 0 {
        back_up(folder, connection, version)?;
    }
    let wrong = |error: rusqlite::Error| LedgerError::from_sql(folder, "bringing the schema up to date", &error);
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Exclusive).map_err(wrong)?;
    for migration in missing {
        transaction.execute_batch(migration).map_err(wrong)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION).map_err(wrong)?;
    transaction.pragma_update(None, "user_version", migrations.len() as i64).map_err(wrong)?;
    transaction.commit().map_err(wrong)
}

/// Copies the database to `ledger.db.backup-<schema version>` beside it.
fn back_up(folder: &Path, connection: &Connection, version: usize) -> Result<(), LedgerError> {
    let target = folder.join(format!("{FILE}.backup-{version}"));
    let temporary = folder.join(format!("{FILE}.backup.tmp"));
    let wrong_io = |error: std::io::Error| LedgerError::from_io(folder, "backing the database up", &error);
    if temporary.exists() {
        std::fs::remove_file(&temporary).map_err(wrong_io)?;
    }
    connection
        .execute("VACUUM INTO ?1", [temporary.to_string_lossy()])
        .map_err(|error| LedgerError::from_sql(folder, "backing the database up", &error))?;
    std::fs::File::open(&temporary)
        .and_then(|copy| copy.sync_all())
        .and_then(|()| std::fs::rename(&temporary, &target))
        .and_then(|()| crate::blob::sync_folder(folder))
        .map_err(wrong_io)
}

#[cfg(test)]
mod tests;
