//! Worlds: making them, wiping them, looking at what is left.
//!
//! A program may have left anything: folders without permission bits, symlinks, pipes, a million files. Only regular files are
//! read, nothing is followed, and every walk is capped.

use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Component, Path};

use super::KIT_DIR;
use crate::message::{Entry, EntryKind, Placed, Thing};

/// Folders that are emptied before each world.
const FRESH: [&str; 5] = ["/world", "/work", "/tmp", "/dev/shm", KIT_DIR];
/// The most files a program may make in one of these folders: a tmpfs bounds bytes, not the kernel's memory for names.
const MOST_FILES: u64 = 50_000;
/// The deepest folder that is emptied; a deeper mess costs the box.
const DEEPEST: usize = 200;
/// The most entries a survey reports.
const MOST_ENTRIES: usize = 20_000;

/// Empties every folder a program could write to and the kit.
pub(super) fn wipe() -> io::Result<()> {
    for folder in FRESH {
        empty(Path::new(folder), 0).map_err(|error| io::Error::other(format!("cannot empty {folder}: {error}")))?;
    }
    Ok(())
}

fn empty(folder: &Path, depth: usize) -> io::Result<()> {
    if depth > DEEPEST {
        return Err(io::Error::other("folders are nested too deep"));
    }
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            empty(&path, depth + 1)?;
            fs::remove_dir(&path)?;
        } else {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

/// Whether a program has made more files than it may.
pub(super) fn has_too_many_files() -> bool {
    let count = |folder: &str| rustix::fs::statvfs(folder).map_or(0, |stat| stat.f_files.saturating_sub(stat.f_ffree));
    FRESH.iter().any(|folder| count(folder) > MOST_FILES)
}

/// Puts things in their places.
pub(super) fn place(things: &[Placed]) -> io::Result<()> {
    for placed in things {
        let path = Path::new(&placed.path);
        let inside = ["/world", "/work", KIT_DIR].iter().any(|root| path.starts_with(root));
        if !inside || path.components().any(|part| part == Component::ParentDir) {
            return Err(io::Error::other(format!("{} is no place for a world", placed.path)));
        }
        put(path, &placed.thing).map_err(|error| io::Error::other(format!("{}: {error}", placed.path)))?;
    }
    Ok(())
}

fn put(path: &Path, thing: &Thing) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    match thing {
        Thing::File { bytes, mode } => {
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(path)?;
            file.write_all(&bytes.0)?;
            fs::set_permissions(path, fs::Permissions::from_mode(mode & 0o777))
        }
        Thing::Link(target) => std::os::unix::fs::symlink(target, path),
        Thing::Dir => fs::create_dir_all(path),
    }
}

/// Reads a regular file up to a cap; `None` where there is none.
pub(super) fn read(path: &str, most: u64) -> io::Result<Option<Vec<u8>>> {
    // Non-blocking, so that a pipe in the place of a file does not hold the porter.
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        Err(_) => return Ok(None),
    };
    if !file.metadata()?.is_file() {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

/// Lists everything below a folder, in order of path.
pub(super) fn survey(root: &str) -> Vec<Entry> {
    let mut found = Vec::new();
    let mut open = vec![String::new()];
    while let Some(folder) = open.pop() {
        let Ok(entries) = fs::read_dir(Path::new(root).join(&folder)) else { continue };
        for entry in entries.flatten() {
            if found.len() >= MOST_ENTRIES {
                break;
            }
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            let Ok(meta) = entry.metadata() else { continue };
            let kind = if meta.is_dir() {
                open.push(path.clone());
                EntryKind::Dir
            } else if meta.is_symlink() {
                EntryKind::Link
            } else if meta.is_file() {
                EntryKind::File
            } else {
                EntryKind::Other
            };
            let nanoseconds = |seconds: i64, part: i64| seconds.saturating_mul(1_000_000_000).saturating_add(part);
            found.push(Entry {
                path,
                kind,
                size: if kind == EntryKind::File { meta.len() } else { 0 },
                mode: meta.mode() & 0o7777,
                stamp: (meta.ino(), nanoseconds(meta.mtime(), meta.mtime_nsec()), nanoseconds(meta.ctime(), meta.ctime_nsec())),
            });
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}
