//! Reading and writing files for people, with errors that say where.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use turncoat_study::{Loaded, Plan, Shelf as _, load, suite};

use crate::failure::Failure;
use crate::screen::Screen;
use crate::shelf::Data;

/// Reads a text file.
pub(crate) fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| {
        let failure = Failure::file("read", path, &error);
        if error.kind() == io::ErrorKind::NotFound {
            failure.hint("`turncoat init` writes a study to start from")
        } else {
            failure
        }
    })
}

/// Writes a file whole: beside it first, then in its place, so that a half-written one never stands there.
pub(crate) fn write(path: &Path, content: &[u8]) -> Result<(), Failure> {
    write_through(path, |out| out.write_all(content)).map_err(|error| Failure::file("written", path, &error))
}

/// Writes a file piece by piece, whole or not at all.
pub(crate) fn write_through(path: &Path, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = parent.join(format!(".{name}.{}.part", std::process::id()));
    let written = fs::File::create(&beside).and_then(|file| {
        let mut out = io::BufWriter::new(file);
        content(&mut out)?;
        out.into_inner()?.sync_all()?;
        fs::rename(&beside, path)
    });
    written.inspect_err(|_| {
        let _gone = fs::remove_file(&beside);
    })
}

/// Reads a study, a file's path or a built-in one's name, and says its doubtful points.
pub(crate) fn study(path: &Path, screen: &Screen) -> Result<Loaded, Failure> {
    let (data, text) = match built_in(path) {
        Some((name, text)) => (Data::embedded(&format!("studies/{name}")), text.to_owned()),
        None => {
            let base = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
            (Data::beside(base), read(path)?)
        }
    };
    let mut loaded = load(&path.display().to_string(), &text, &data)?;
    for suite in &mut loaded.plan.suites {
        // Later commands are started elsewhere, so paths are kept whole.
        if let Some(written) = &suite.path {
            let whole = data.resolve(written);
            suite.path = Some(whole.canonicalize().unwrap_or(whole).display().to_string());
        }
    }
    for subject in &mut loaded.plan.subjects {
        let replayed = subject.endpoint.provider == turncoat_study::Provider::Replay;
        if let (true, Some(written)) = (replayed, &subject.endpoint.config) {
            let whole = data.resolve(written);
            subject.endpoint.config = Some(whole.canonicalize().unwrap_or(whole).display().to_string());
        }
    }
    for warning in &loaded.warnings {
        screen.warn(&warning.to_string());
    }
    Ok(loaded)
}

/// The built-in study of that name, unless a file stands there.
fn built_in(path: &Path) -> Option<(&str, &'static str)> {
    let name = path.to_str().filter(|name| !name.contains('/') && !path.exists())?;
    Some((name, Data::text(&format!("studies/{name}/study.toml"))?))
}

/// Gives the tasks of a plan that came out of a ledger their references and tests again, as they are today.
pub(crate) fn attach(plan: &mut Plan, screen: &Screen) {
    let data = Data::beside(Path::new("."));
    for source in &plan.suites {
        let name = source.path.as_deref().unwrap_or(&source.name);
        let found = data
            .suite(name)
            .map_err(|error| error.to_string())
            .and_then(|folder| suite::parse(&folder).map_err(|error| error.to_string()));
        match found {
            Ok(today) => {
                for task in plan.tasks.iter_mut().filter(|task| task.suite == source.name) {
                    if let Some(same) = today.iter().find(|other| other.id == task.id) {
                        task.files = same.files.clone();
                    }
                }
            }
            Err(message) => screen.warn(&format!("the tests of suite `{}` cannot be found again: {message}", source.name)),
        }
    }
}
