//! Large contents in files of their own, named by hash: written beside, synced, renamed, so that a name means a whole file.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use turncoat_study::canonical;

use crate::error::LedgerError;

/// Name of their folder in a ledger's folder.
const FOLDER: &str = "blobs";

/// Ending of files that are being written.
const TEMPORARY: &str = "tmp";

fn place(folder: &Path, hash: &[u8]) -> PathBuf {
    folder.join(FOLDER).join(format!("{}.zst", canonical::hex(hash)))
}

/// Writes a content that is not there yet; durable when this returns.
pub(crate) fn write(folder: &Path, hash: &[u8], bytes: &[u8]) -> Result<(), LedgerError> {
    let target = place(folder, hash);
    if target.exists() {
        return Ok(());
    }
    let wrong = |error: std::io::Error| LedgerError::from_io(folder, "writing a large content", &error);
    let parent = folder.join(FOLDER);
    if !parent.exists() {
        fs::create_dir_all(&parent).and_then(|()| sync_folder(folder)).map_err(wrong)?;
    }
    // Two callers may write the same content at once: each has its own file, and the last rename wins.
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let temporary = parent.join(format!("{}-{number}.{TEMPORARY}", std::process::id()));
    let written = File::create(&temporary)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&temporary, &target))
        .and_then(|()| sync_folder(&parent));
    written.map_err(|error| {
        // Half a file is of no use; if it cannot be removed, the next opening does.
        let _half = fs::remove_file(&temporary);
        wrong(error)
    })
}

/// Reads a content.
pub(crate) fn read(folder: &Path, hash: &[u8]) -> Result<Vec<u8>, LedgerError> {
    let place = place(folder, hash);
    fs::read(&place).map_err(|error| LedgerError::Corrupt {
        path: folder.to_path_buf(),
        detail: format!("the file {} of a large content cannot be read: {error}", place.display()),
    })
}

/// Removes what a dead writer left half written. Only the holder of the folder's lock may.
pub(crate) fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder.join(FOLDER)) else { return };
    for entry in entries.flatten() {
        if entry.path().extension().is_some_and(|ending| ending == TEMPORARY) {
            // What stays behind costs space, nothing else.
            let _stays = fs::remove_file(entry.path());
        }
    }
}

/// Makes names in a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_written_files_are_swept_and_whole_ones_stay() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &[1; 16], b"whole").unwrap();
        let half = folder.path().join(FOLDER).join("1-1.tmp");
        fs::write(&half, b"ha").unwrap();
        sweep(folder.path());
        assert!(!half.exists());
        assert_eq!(read(folder.path(), &[1; 16]).unwrap(), b"whole");
        assert!(matches!(read(folder.path(), &[2; 16]), Err(LedgerError::Corrupt { .. })));
    }
}
